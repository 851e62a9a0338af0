"""A terminal with a program in it: keys go in, what it shows comes out."""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"
PATIENCE_S = 120
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_=>])")


@dataclass
class Terminal:
    process: subprocess.Popen[bytes]
    _keys: int
    raw: str = ""
    """All that was written, escape sequences included."""
    _seen: int = 0

    @classmethod
    def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, size: tuple[int, int] = (40, 120)
    ) -> "Terminal":
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, size)
        # Nobody answers here where the cursor is.
        given = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", **env}
        for name in ("COLUMNS", "LINES"):
            given.pop(name, None)
        process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=theirs, stdout=theirs, stderr=theirs, env=given, cwd=cwd
        )
        os.close(theirs)
        return cls(process, ours)

    @property
    def text(self) -> str:
        return _ESCAPE.sub("", self.raw)

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def shows(self, what: str) -> str:
        """Waits until it is written, later than what was waited for last; gives what came before it."""
        ends = time.monotonic() + PATIENCE_S
        while (found := self.text.find(what, self._seen)) < 0:
            assert time.monotonic() < ends, f"no {what!r} in:\n{self.text[self._seen :]}"
            if not self._read():
                raise AssertionError(f"it ended without {what!r}:\n{self.text[self._seen :]}")
        before = self.text[self._seen : found]
        self._seen = found + len(what)
        return before

    def ends(self) -> int:
        """Its exit code."""
        ends = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < ends, f"it goes on:\n{self.text[self._seen :]}"
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._keys)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._keys], [], [], 0.2)
        if not ready:
            return self.process.poll() is None
        try:
            piece = os.read(self._keys, 65_536)
        except OSError:  # the other side is closed
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)
