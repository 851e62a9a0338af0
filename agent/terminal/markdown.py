"""Markdown while it is streamed: which of its blocks are complete, so that each is drawn once."""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_GOES_ON = re.compile(r"\s|>|[-*+](?:\s|$)|\d{1,9}(?:[.)](?:\s|$)|$)")
"""After an empty line this may still belong to the block before it: a list, a quotation."""


def complete_length(text: str) -> int:
    """How many characters at the start are blocks that nothing can change any more."""
    done = at = 0
    fence, empty = "", False
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if not fence and empty and bare and not _GOES_ON.match(line):
            done = at
        if match := _FENCE.match(line):
            if not fence:
                fence = match[1]
            elif bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        empty = not bare and not fence
        at += len(line)
    return done
