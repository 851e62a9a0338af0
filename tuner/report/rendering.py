"""A way to write a result down: what the tables of report formats and of artifacts hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tuner.analysis.result import Result

Render = Callable[[Result], str | bytes]


@dataclass(frozen=True)
class Rendering:
    """A report format, or an artifact; its name is its key in the table."""

    title: str
    """Two or three words for a menu."""
    description: str
    """What it is for, in a few words without a full stop."""
    media_type: str
    suffix: str
    """Of file names, without the dot."""
    render: Render
    """Raises ConflictError: this result has nothing to write, and why."""
    document: bool = False
    """It goes into a file, not onto a terminal."""


def described(table: Mapping[str, Rendering]) -> str:
    """Every row of a table, for a help text."""
    return " ".join(f"{name}: {one.description[:1].lower()}{one.description[1:]}." for name, one in table.items())
