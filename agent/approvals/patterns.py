"""Patterns of arguments, `{"task": "demo-*"}`, of which policies and grants are made."""

from pydantic import JsonValue


def matches(pattern: JsonValue, value: JsonValue) -> bool:
    """Whether a value matches a pattern.

    A mapping matches every mapping that has its keys, with values that match; a list one of its length. `*` in
    text stands for any characters, none included; it matches text only. Letter case counts.
    """
    match pattern:
        case dict():
            return isinstance(value, dict) and all(
                name in value and matches(part, value[name]) for name, part in pattern.items()
            )
        case list():
            return isinstance(value, list) and len(pattern) == len(value) and all(map(matches, pattern, value))
        case str():
            return isinstance(value, str) and wildcard(pattern, value)
        case bool() | None:
            return value is pattern
        case _:
            return not isinstance(value, bool) and value == pattern


def wildcard(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern in which `*` stands for any characters."""
    # Not a regular expression: its time would grow with a power of the stars, and the text is a model's.
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first) or not text[len(first) :].endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
