"""The end of a log, however long the log or its last line is."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from tuner.logs.cleaning import KEY_MARKER, LINE_END, Cleaner
from tuner.spec.values import Frozen

TAIL_BYTES = 2 * 2**20
"""Of a log, that are looked at."""
KEY_LINES = 150
"""Before the first that is shown: a private key may begin there."""
TOO_LONG = "[the end of a line that is longer than can be shown]"


class LogExcerpt(Frozen):
    lines: tuple[str, ...]
    """Safe to show: without control characters, long ones cut."""
    position: int
    """Byte where the log ended; `follow_log` goes on from there."""
    truncated: bool
    """There are more such lines than are here."""
    matches: int | None = None
    """Lines that match in all; None: nothing was searched for."""


def tail(path: Path, lines: int = 1000, max_bytes: int | None = None) -> list[str]:
    """The last lines of a log, safe to show; empty where there is none."""
    try:
        return list(ending(path, lines, max_bytes).lines)
    except FileNotFoundError:
        return []


def ending(path: Path, lines: int, max_bytes: int | None = None) -> LogExcerpt:
    """The last lines of a log. Raises FileNotFoundError."""
    with path.open("rb") as file:
        last = LastLines.read(file, lines, max_bytes or TAIL_BYTES)
    shown = tuple(text for _, text in last.lines)
    return LogExcerpt(lines=shown, position=last.position, truncated=last.truncated)


@dataclass(frozen=True)
class LastLines:
    lines: list[tuple[int, str]]
    """At which byte each begins, and what is shown of it."""
    position: int
    """Where the log ended."""
    truncated: bool

    @classmethod
    def read(cls, file: BinaryIO, lines: int, max_bytes: int) -> Self:
        size = file.seek(0, 2)
        begin = file.seek(max(0, size - max_bytes))
        read = file.read(size - begin)
        position = begin + len(read)
        ends = deque((end.end() for end in LINE_END.finditer(read)), maxlen=lines + KEY_LINES + 1)
        if begin and (not ends or ends[0] == len(read)):
            return cls([(position, TOO_LONG)][:lines], position, truncated=True)
        # Unless it was read from the start, the first line is only the rest of one.
        first = ends[0] if begin or len(ends) == ends.maxlen else 0
        marker = KEY_MARKER.search(read, first)
        cleaner = Cleaner(in_key=marker is not None and marker[1] == b"END")
        found = cleaner.lines(read[first:])
        shown = [(begin + first + offset, text) for offset, text in found[max(0, len(found) - lines) :]]
        return cls(shown, position, truncated=first > 0 or len(found) > lines)
