"""What is written to a log, as it comes: nothing twice and nothing left out, whatever is done to its file meanwhile."""

import codecs
import os
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from tuner.logs import files
from tuner.logs.cleaning import KEY_MARKER_BYTES, LINE_BYTES, LINE_END, Cleaner, whole_lines
from tuner.logs.tail import TAIL_BYTES, LastLines
from tuner.spec.values import Frozen

CHUNK_BYTES = 64 * 2**10
REMEMBERED_BYTES = 4096
"""Of what was read last, to find the place again in a log whose beginning was cut off."""
BLOCK_BYTES = 2**20


class LogChunk(Frozen):
    position: int
    """Byte behind the text."""
    text: str
    """Whole lines, safe to show."""
    experiment: int | None = None
    """Whose log this is; None: the load generator's."""


@dataclass
class Reader:
    """Reads a log that grows, and may be set aside, begun anew or cut at its beginning while it is read.

    Of a line only its beginning is shown, however many chunks it is long.
    """

    path: Path
    position: int = 0
    lines: int | None = None
    """Begin with so many of the last lines that are there, instead of at `position`."""
    _inode: int | None = None
    _last: bytes = b""
    """Read last."""
    _line: bytes = b""
    """The beginning of the line in which `position` is."""
    _shown: str = ""
    """What was shown of that line."""
    _cleaner: Cleaner = field(default_factory=Cleaner)

    def read(self, *, rest: bool = False) -> str:
        """The next lines, as many as a chunk holds; "" where there are none yet, or no log.

        Args:
            rest: nobody writes any more, so the last line needs no end.
        """
        while True:
            try:
                text, more = self._step(rest)
            except FileNotFoundError:
                self.lines = None  # what comes is new, all of it
                return ""
            if text or not more:
                return text

    def _step(self, rest: bool) -> tuple[str, bool]:
        """What is shown of the next bytes, and whether there may be more."""
        path, after = self._place()
        with path.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            if self._inode is None:
                self._begin(file, inode)
            elif self._inode != inode:
                return "", True  # it has just been set aside
            self._find(file.fileno())
            file.seek(self.position)
            read = file.read(CHUNK_BYTES)
        over = rest or after is not None
        if taken := read[: _whole(read, over)]:
            return self._take(taken, finished=over and len(read) < CHUNK_BYTES), True
        if after is None:
            return "", False
        between = "\n" if self._line else ""
        self._start(after)
        return between, True

    def _place(self) -> tuple[Path, Path | None]:
        """The file that is read now, and the one that was begun after it."""
        if self._inode in (None, _inode(self.path)):
            return self.path, None
        for path, after in pairwise(files.series(self.path)):
            if _inode(path) == self._inode:
                return path, after
        self._start(self.path)
        return self.path, None

    def _start(self, path: Path) -> None:
        """Another file is read from its beginning. Raises FileNotFoundError: it is not there yet."""
        self._inode = path.stat().st_ino
        self._forget()

    def _forget(self) -> None:
        self.position, self._last, self._line, self._shown, self._cleaner = 0, b"", b"", "", Cleaner()

    def _begin(self, file: BinaryIO, inode: int) -> None:
        """Looks at what stands before the place where it begins, which may be within a line or a private key."""
        self._inode = inode
        if self.lines is not None:
            last = LastLines.read(file, self.lines, TAIL_BYTES)
            self.position = last.lines[0][0] if last.lines else last.position
        elif self.position > file.seek(0, 2):
            self.position = 0
        begin = file.seek(max(0, self.position - CHUNK_BYTES))
        before = file.read(self.position - begin)
        end = whole_lines(before)
        self._cleaner.lines(before[:end])
        self._last = before[-REMEMBERED_BYTES:]
        self._line = before[end:][:LINE_BYTES]
        self._shown = self._cleaner.line(self._line, finished=False) or ""

    def _find(self, descriptor: int) -> None:
        """Goes on behind what was read last, wherever that is now; at the beginning of a log that is another one."""
        size, last = os.fstat(descriptor).st_size, self._last
        if size == 0:
            return  # cut, and what is kept of it not written yet
        if self.position <= size and os.pread(descriptor, len(last), self.position - len(last)) == last:
            return
        end = size
        while end:
            begin = max(0, end - BLOCK_BYTES)
            if (place := os.pread(descriptor, end - begin + len(last), begin).rfind(last)) >= 0:
                self.position = begin + place + len(last)
                return
            end = begin
        self._forget()

    def _take(self, read: bytes, *, finished: bool) -> str:
        """What is shown of these bytes, behind those that were taken before."""
        self.position += len(read)
        before, self._last = self._last, (self._last + read)[-REMEMBERED_BYTES:]
        begun = ""
        if len(self._line) >= LINE_BYTES:
            end = LINE_END.search(read) if b"\n" in read or b"\r" in read else None
            self._cleaner.skip(before[-KEY_MARKER_BYTES:] + read[: end and end.end()])
            if end is None:
                return ""
            read, self._line, self._shown, begun = read[end.end() :], b"", "", "\n"
        raw = self._line + read
        lines = self._cleaner.lines(raw, finished=finished)
        rest = whole_lines(raw)
        self._line = raw[rest : rest + LINE_BYTES]
        if len(self._line) == LINE_BYTES:
            self._cleaner.skip(raw[rest:])
        shown = self._shown
        self._shown = lines[-1][1] if lines and lines[-1][0] == rest else ""
        if lines and lines[0][0] == 0:
            lines[0] = (0, _behind(shown, lines[0][1]))
        return begun + "".join(f"{text}\n" if offset < rest else text for offset, text in lines)


def _behind(shown: str, text: str) -> str:
    """What is new in it. What was the beginning of a secret may have become something else."""
    same = (place for place, (old, new) in enumerate(zip(shown, text, strict=False)) if old != new)
    return text[next(same, len(shown)) :]


def _whole(read: bytes, rest: bool) -> int:
    """How many bytes of it are whole lines, or whole characters of a line that is longer than a chunk."""
    if end := whole_lines(read):
        return end
    if len(read) == CHUNK_BYTES:
        return codecs.utf_8_decode(read.rstrip(b"\r"), "replace", False)[1] or len(read)
    return len(read) if rest else 0


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
