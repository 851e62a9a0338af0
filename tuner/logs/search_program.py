"""Searches a log: an order as JSON on standard input, the matches as JSON on standard output.

A program of its own, because a regular expression can take for ever and cannot be interrupted: its process can.
Needs nothing but the standard library, so that it starts at once.
"""

import json
import re
import sys
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from tuner.logs.cleaning import KEY, LINE_BYTES, LINE_END, Cleaner, whole_lines
from tuner.logs.redaction import RULES, Rule, redact, rules

BLOCK_BYTES = 2**20


def search(path: str, pattern: str, *, ignore_case: bool, lines: int, max_bytes: int) -> dict[str, object]:
    """The last matching lines, how many there are, where the log ends, and whether its beginning was left out.

    What is searched is what is shown: nobody finds out what a secret is by searching for it.
    """
    wanted = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    found: deque[str] = deque(maxlen=lines)
    matches = 0
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes as long to import as the rest together
        size = file.seek(0, 2)
        begin = file.seek(max(0, size - max_bytes))
        for line, unfinished, among in _lines(file, size, whole=begin == 0):
            if not wanted.search(line):
                continue
            shown = redact(line, unfinished=unfinished, among=among) if among or unfinished else line
            if shown == line or wanted.search(shown):
                matches += 1
                found.append(shown)
        position = file.tell()
    return {"lines": list(found), "matches": matches, "position": position, "cut": begin > 0}


def _lines(file: BinaryIO, size: int, *, whole: bool) -> Iterator[tuple[str, bool, tuple[Rule, ...]]]:
    """What is looked at of each line up to this byte, whether the line goes on, and how secrets are found in it.

    Args:
        whole: the file is at the beginning of a line.
    """
    cleaner, rest = Cleaner(), b""
    while (left := size - file.tell()) > 0 and (read := file.read(min(BLOCK_BYTES, left))):
        read, left = rest[: LINE_BYTES + 1] + read, size - file.tell()
        end = whole_lines(read) if left else len(read)
        block, rest = read[:end], read[end:]
        if not whole and (first := LINE_END.search(block)):
            block, whole = block[first.end() :], True
        if whole and block:
            yield from _cleaned(cleaner, block)


def _cleaned(cleaner: Cleaner, block: bytes) -> Iterator[tuple[str, bool, tuple[Rule, ...]]]:
    """As `_lines`. Most of a log needs no cleaning, which is seen at once for many lines."""
    text = block.decode("utf-8", "replace")
    if not cleaner.in_key and KEY not in text and text.replace("\n", "").replace("\t", "").isprintable():
        among = rules(text)
        *lines, last = text.split("\n")
        for line in lines:
            yield line[:LINE_BYTES].rstrip(), len(line) > LINE_BYTES, among
        if last:
            yield last[:LINE_BYTES].rstrip(), True, among
        return
    *raws, rest = LINE_END.split(block)
    for raw in raws:
        if (cleaned := cleaner.text(raw)) is not None:
            yield cleaned, len(raw) > LINE_BYTES, RULES
    if rest and (cleaned := cleaner.text(rest, finished=False)) is not None:
        yield cleaned, True, RULES


def main() -> None:
    sys.stdout.write(json.dumps(search(**json.load(sys.stdin))))
