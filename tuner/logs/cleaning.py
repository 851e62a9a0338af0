"""What is shown of a text from outside: no escape codes, nothing unseen, no secrets, and not too much.

Needs nothing but the standard library, as the search does.
"""

import codecs
import re

from tuner.logs.redaction import BEGINNING, redact

LINE_LENGTH = 500
"""Characters of a line that are shown."""
LINE_BYTES = 8 * 2**10
"""Of a line, that are looked at: a secret that begins in what is shown is recognized by what follows."""
LINE_END = re.compile(rb"\n|\r\r*(?:\n|(?=[^\r\n]))")
"""A progress bar returns to the beginning of its line: what it draws next is a line of its own."""

_UNSEEN = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|\Z)"  # colours and movements of the cursor
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\|\x1b?\Z)?"  # titles, links and other strings for the terminal
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but for tab and newline
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen ones, and those that turn text around
    "\U000e0000-\U000e007f\ud800-\udfff])+"  # tags, which hide whole sentences, and halves of surrogate pairs
)
KEY = "PRIVATE KEY-----"
KEY_MARKER = re.compile(rb"-----(BEGIN|END) [A-Z ]{0,30}" + KEY.encode())
KEY_MARKER_BYTES = 64
_OF_KEY = re.compile(r"(?:^|\s)[A-Za-z0-9+/=]{16,}$|^[A-Za-z0-9+/=]*$|^(?:Proc-Type|DEK-Info): ")


def printable(text: str) -> str:
    """Without escape sequences, control characters and characters that cannot be seen; lines end in `\\n`."""
    if text.isprintable():
        return text
    return _UNSEEN.sub(_apart, text.replace("\r\n", "\n").replace("\r", "\n"))


def _apart(unseen: re.Match[str]) -> str:
    """A secret stays apart from the word before it, so that it is recognized as one."""
    return " " if BEGINNING.match(unseen.string, unseen.end()) else ""


def clean(line: str, *, unfinished: bool = False) -> str:
    """A line, safe to show on any terminal or page: printable, without secrets, at most `LINE_LENGTH` characters.

    Args:
        unfinished: the line goes on, so that its last word may be the beginning of a secret.
    """
    cut = len(line) > LINE_BYTES
    return redact(printable(line[:LINE_BYTES]).rstrip(), unfinished=unfinished or cut)[:LINE_LENGTH]


class Cleaner:
    """Cleans the lines of a log in their order: a private key goes over several."""

    def __init__(self, *, in_key: bool = False) -> None:
        self.in_key = in_key

    def lines(self, raw: bytes, *, finished: bool = False) -> list[tuple[int, str]]:
        """At which byte each line begins, and what is shown of it.

        Args:
            finished: the last line is whole, though it has no end.
        """
        shown, begin = [], 0
        for end in LINE_END.finditer(raw):
            text = self.line(raw[begin : end.start()])
            if text or (text is not None and end[0].endswith(b"\n")):  # nothing between two returns is no line
                shown.append((begin, text))
            begin = end.end()
        if begin < len(raw) and (text := self.line(raw[begin:], finished=finished)) is not None:
            shown.append((begin, text))
        return shown

    def line(self, raw: bytes, *, finished: bool = True) -> str | None:
        """None: a part of a private key and nothing else.

        Args:
            finished: otherwise the same line comes again, longer.
        """
        text = self.text(raw, finished=finished)
        cut = not finished or len(raw) > LINE_BYTES
        return None if text is None else redact(text, unfinished=cut)[:LINE_LENGTH]

    def text(self, raw: bytes, *, finished: bool = True) -> str | None:
        """As `line`, with all that is looked at, and secrets still in it."""
        in_key, markers = self.in_key, list(KEY_MARKER.finditer(raw)) if KEY.encode() in raw else []
        if markers and in_key and markers[0][1] == b"END":
            raw = raw[markers[0].start() :]
        whole = finished and len(raw) <= LINE_BYTES
        text = printable(codecs.utf_8_decode(raw[:LINE_BYTES], "replace", whole)[0]).rstrip()
        in_key = markers[-1][1] == b"BEGIN" if markers else in_key and _OF_KEY.search(text) is not None
        if finished:
            self.in_key = in_key
        return text if markers or not in_key else None

    def skip(self, raw: bytes) -> None:
        """Passes over a part of a line that is not shown."""
        for marker in KEY_MARKER.finditer(raw):
            self.in_key = marker[1] == b"BEGIN"


def whole_lines(raw: bytes) -> int:
    """How many bytes of it are lines that have an end. A return at the very end may be the first half of one."""
    return max(raw.rfind(b"\n"), raw.rstrip(b"\r").rfind(b"\r")) + 1
