"""Text that is safe to print on a terminal, shortened, as YAML, or in tables."""

import codecs
import json
import unicodedata
from collections.abc import Mapping, Sequence

import yaml
from pydantic import JsonValue

from tuner.logs.cleaning import printable
from tuner.spec.reader import Dumper

ASCII = {
    "›": ">", "…": "...", "•": "*", "·": "-", "×": "x", "✓": "+", "✗": "x", "→": "->", "–": "-", "—": "-", "−": "-",
    "“": '"', "”": '"', "‘": "'", "’": "'", "≤": "<=", "≥": ">=", "µ": "u", "─": "-", "━": "-", "│": "|", "▌": "|",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┏": "+", "┓": "+", "└": "+", "┘": "+",
}  # fmt: skip
ERRORS = "autotuner.terminal"
"""As the `errors` of a stream: what it cannot encode is written in characters that it can."""


def register() -> None:
    codecs.register_error(ERRORS, _instead)


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(ASCII.get(one, "?") for one in error.object[error.start : error.end]), error.end


def encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, ERRORS).decode(encoding)


def visible(text: str) -> str:
    """The text with characters that are invisible, or change the direction, shown by their number."""
    return "".join(
        one
        if one in "\n\t" or (unicodedata.category(one)[0] != "C" and one not in "\u2028\u2029")
        else f"\\u{ord(one):04x}"
        for one in text
    )


def as_yaml(data: object) -> str:
    """As YAML, in the order that it has."""
    dumped: str = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return dumped.rstrip("\n").removesuffix("\n...")


def line(text: str, limit: int) -> str:
    """All of it in one line of at most so many characters."""
    flat = " ".join(printable(text[: 4 * limit]).split())
    return flat if len(flat) <= limit and len(text) <= 4 * limit else f"{flat[: limit - 1].rstrip()}…"


def brief(data: JsonValue, limit: int) -> str:
    """The first of its values, as `name=value`, for a line."""
    if not isinstance(data, dict):
        return line(data if isinstance(data, str) else json.dumps(data), limit)
    return line(" ".join(f"{name}={_short(value)}" for name, value in data.items()), limit)


def _short(value: JsonValue) -> str:
    match value:
        case str():
            return line(value, 40)
        case dict():
            return f"{{{', '.join(list(value)[:3])}{', …' if len(value) > 3 else ''}}}"
        case list():
            return (
                f"[{len(value)}]"
                if len(value) > 4 or any(isinstance(one, dict) for one in value)
                else json.dumps(value)
            )
        case _:
            return json.dumps(value)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what is in them."""
    cells = [list(titles), *([line(cell, 60) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(titles))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def pairs(facts: Mapping[str, str]) -> str:
    """`name  value`, a line each; values of several lines below each other."""
    wide = max(map(len, facts), default=0)
    return "\n".join(
        f"{name.ljust(wide)}  {text.replace(chr(10), chr(10) + ' ' * (wide + 2))}" for name, text in facts.items()
    )
