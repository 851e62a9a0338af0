"""Checks of what people send: messages, titles, ids of runs."""

import re
import secrets

from agent.errors import InvalidInputError

LONGEST_MESSAGE = 100_000
LONGEST_TITLE = 200
TITLE = 60
"""Characters of a first message that make a title."""
BINARY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def message(text: str) -> str:
    """A message as it was sent. Raises InvalidInputError where it is empty, too long or binary."""
    if not text.strip():
        raise InvalidInputError("The message is empty; write what you want.")
    if len(text) > LONGEST_MESSAGE:
        raise InvalidInputError(
            f"The message has {len(text):,} characters, and {LONGEST_MESSAGE:,} are the limit. Shorten it, or put the "
            "rest into a file on the machine of the service and name that."
        )
    if (bad := BINARY.search(text)) is not None:
        raise InvalidInputError(
            f"The message is no text: character {bad.start() + 1:,} is U+{ord(bad[0]):04X}. Send plain text in UTF-8."
        )
    return text


def title(given: str) -> str:
    """On one line. Raises InvalidInputError."""
    plain = " ".join(given.split())
    if not plain or len(plain) > LONGEST_TITLE or BINARY.search(plain):
        raise InvalidInputError(
            f"A title has 1 to {LONGEST_TITLE} characters of plain text; this one has {len(plain)}."
        )
    return plain


def headline(text: str) -> str:
    """The first line of a message, as a title for its session."""
    line = " ".join(next(line for line in text.splitlines() if line.strip()).split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"


def run_id(given: str | None) -> str:
    """The client's, where it has given one. Raises InvalidInputError where no stream could carry it."""
    if given is None:
        return secrets.token_hex(16)
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", given):
        raise InvalidInputError(
            f"The run id {given!r:.100} cannot be used: it has 1 to 64 letters, digits and any of _ . : - in it."
        )
    return given


def message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"
