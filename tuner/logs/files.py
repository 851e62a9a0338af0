"""Logs of engines and load generators: their end, what was searched for, and what comes. All of it bounded."""

import asyncio
import codecs
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tuner.errors import InvalidSpecError, NotFoundError, Problem, UnavailableError
from tuner.logs import searching
from tuner.logs.failures import clean
from tuner.spec.values import Frozen

FOLLOW_S, FOLLOW_AT_MOST_S = 0.1, 0.5
"""How often to look for more: often where there just was some."""
MOST_LINES = 10_000
TAIL_BYTES = 2 * 2**20
SEARCH_BYTES = 64 * 2**20
SEARCH_S = 5.0
CHUNK_BYTES = 64 * 2**10
REMEMBERED_BYTES = 4096
"""Of what was read last, to find the place again in a log whose beginning was cut off."""

REGEX = re.compile(r"/(.+)/(i?)", re.DOTALL)


class LogExcerpt(Frozen):
    lines: tuple[str, ...]
    """Safe to show: without control characters, long ones cut."""
    position: int
    """Byte where the log ended; `follow_log` goes on from there."""
    truncated: bool
    """There are more such lines than are here."""
    matches: int | None = None
    """Lines that match in all; None: nothing was searched for."""


class LogChunk(Frozen):
    position: int
    """Byte behind the text."""
    text: str
    """Whole lines, safe to show."""
    experiment: int | None = None
    """Whose log this is; None: the load generator's."""


async def excerpt(path: Path, *, lines: int, search: str | None) -> LogExcerpt:
    """The last lines of a log, or of those lines that match.

    Args:
        search: text in any case, or /a regular expression/, or /one in any case/i.

    Raises:
        NotFoundError: there is no such log any more.
        InvalidSpecError: the regular expression is none.
        UnavailableError: the search took too long.
    """
    if not 1 <= lines <= MOST_LINES:
        raise InvalidSpecError([Problem(f"{lines} lines; 1 to {MOST_LINES:,} can be had at once", "lines")])
    if search:
        return await _search(path, lines, search)
    try:
        return await asyncio.to_thread(_tail, path, lines)
    except FileNotFoundError:
        raise NotFoundError(f"The log {path.name} is gone.") from None


def _tail(path: Path, lines: int) -> LogExcerpt:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        begin = file.seek(max(0, size - TAIL_BYTES))
        read = file.read(size - begin)
    found = read.decode("utf-8", "replace").split("\n")
    if not found[-1]:
        del found[-1]
    if begin and len(found) > 1:
        del found[0]  # only the rest of one
    shown = tuple(clean(line) for line in found[-lines:])
    return LogExcerpt(lines=shown, position=begin + len(read), truncated=begin > 0 or len(found) > len(shown))


class Found(BaseModel):
    """What `log_search` says."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[str, ...]
    matches: int
    position: int
    cut: bool


async def _search(path: Path, lines: int, search: str) -> LogExcerpt:
    pattern, ignore_case = _pattern(search)
    order = {"path": str(path), "pattern": pattern, "ignore_case": ignore_case}
    limits = {"lines": lines, "max_bytes": SEARCH_BYTES}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", searching.__file__, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(SEARCH_S):
            said, _ = await process.communicate(json.dumps({**order, **limits}).encode())
    except TimeoutError:
        raise UnavailableError(
            f"The search for {search!r:.60} took more than {SEARCH_S:g} s; search for plain text, or without nested "
            "repetitions."
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0:
        raise NotFoundError(f"The log {path.name} is gone, or cannot be read.")
    found = Found.model_validate_json(said)
    return LogExcerpt(
        lines=tuple(clean(line) for line in found.lines),
        position=found.position,
        truncated=found.cut or found.matches > len(found.lines),
        matches=found.matches,
    )


def _pattern(search: str) -> tuple[str, bool]:
    """As a regular expression, and whether case is ignored."""
    if len(search) > 1000:
        raise InvalidSpecError([Problem(f"{len(search)} characters to search for; 1000 are the limit", "search")])
    if (expression := REGEX.fullmatch(search)) is None:
        return re.escape(search), True
    try:
        re.compile(expression[1])
    except (re.error, OverflowError, RecursionError) as error:
        said = f"{search!r:.60} is no regular expression: {error}; leave the slashes out to search for plain text"
        raise InvalidSpecError([Problem(said, "search")]) from None
    return expression[1], bool(expression[2])


@dataclass
class Reader:
    """Reads a log that grows, and may be begun anew or cut at its beginning while it is read."""

    path: Path
    position: int = 0
    _inode: int | None = None
    _last: bytes = b""

    def read(self, *, rest: bool = False) -> str:
        """The next lines, as many as a chunk holds; "" where there are none yet, or no log.

        Args:
            rest: nobody writes any more, so the last line needs no end.
        """
        try:
            with self.path.open("rb") as file:
                self._find(file.fileno(), file.seek(0, 2))
                file.seek(self.position)
                read = file.read(CHUNK_BYTES)
        except FileNotFoundError:
            return ""
        whole = read.rfind(b"\n") + 1
        if not whole and (rest or len(read) == CHUNK_BYTES):
            whole = len(read) if rest else _characters(read)
        taken = read[:whole]
        self.position += len(taken)
        self._last = (self._last + taken)[-REMEMBERED_BYTES:]
        lines = taken.decode("utf-8", "replace").split("\n")
        return "\n".join(clean(line) for line in lines)

    def _find(self, descriptor: int, size: int) -> None:
        """Where to go on. Another file begins at its beginning; one that shrank goes on behind what was read last."""
        inode = os.fstat(descriptor).st_ino
        if self._inode not in (None, inode):
            self.position, self._last = 0, b""
        elif self.position > size:
            kept = os.pread(descriptor, size, 0)
            place = kept.rfind(self._last) if self._last else -1
            self.position = max(0, place + len(self._last)) if place >= 0 else 0
        self._inode = inode


def _characters(read: bytes) -> int:
    """How many bytes are whole characters: the last one may be cut in the middle."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(read)
    return len(read) - len(decoder.getstate()[0])
