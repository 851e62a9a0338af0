"""Searches a log: `python -I -S log_search.py`, an order as JSON on standard input, the matches as JSON on its output.

A program of its own, because a regular expression can take for ever and cannot be interrupted: its process can.
Needs nothing but the standard library, so that it starts in 20 ms.
"""

import json
import re
import sys
from collections import deque

LINE_BYTES = 4096
"""Of a line, that are searched and shown."""


def search(path: str, pattern: str, *, ignore_case: bool, lines: int, max_bytes: int) -> dict[str, object]:
    """The last matching lines, how many there are, where the log ends, and whether its beginning was left out."""
    wanted = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    found: deque[str] = deque(maxlen=lines)
    matches = 0
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes as long to import as the rest together
        size = file.seek(0, 2)
        begin = max(0, size - max_bytes)
        file.seek(begin)
        if begin:
            file.readline()
        while file.tell() < size and (raw := file.readline()):
            line = raw[:LINE_BYTES].decode("utf-8", "replace").rstrip("\r\n")
            if wanted.search(line):
                matches += 1
                found.append(line)
        position = file.tell()
    return {"lines": list(found), "matches": matches, "position": position, "cut": begin > 0}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(search(**json.load(sys.stdin))))
