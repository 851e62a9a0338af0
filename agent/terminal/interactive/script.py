"""A script for the chat: a file with a message, a decision or a command a line, `wait`, and `#` for comments."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import InvalidInputError

WAIT = "wait"
"""Until the tasks that were started have ended, and the assistant has reported on them."""


@dataclass
class ChatScript:
    name: str
    lines: Iterator[tuple[int, str]]
    number: int = 0
    """Of the line that was typed last, from 1."""

    def next(self) -> str | None:
        """The next line to type; None: that was all."""
        found = next(self.lines, None)
        if found is None:
            return None
        self.number, text = found
        return text


def load(path: Path) -> ChatScript:
    """
    Raises:
        InvalidInputError: the file cannot be read, or says nothing.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror}. Name a file with a line per message."
        ) from None
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path} is no text in UTF-8. Name a file with a line per message.") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    said = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not said:
        raise InvalidInputError(f"{path} has nothing to type in it: all of its lines are empty, or comments.")
    return ChatScript(path.name, iter(said))
