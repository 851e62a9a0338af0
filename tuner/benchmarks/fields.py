"""From a row of a dataset to the one text that is sent, and what of the row is not sent."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from tuner.benchmarks.download import RefusedError

FIELDS = ("prompt", "messages", "request_body", "conversations", "conversation", "body")
"""Where a prompt is looked for, in this order."""
USERS, SYSTEMS = ("user", "human"), ("system", "developer")
COLUMN = re.compile(r"[A-Za-z_][\w .-]{0,30}")
"""What is shown of a file that was taken for a dataset: its first line may hold anything."""
SHOWN_COLUMNS = 20


@dataclass(frozen=True)
class Fields:
    """Takes the prompt out of rows, and counts what it leaves."""

    names: Sequence[str]
    left: Counter[str] = field(default_factory=Counter)
    """By what it is, the number of rows of which it is not sent."""

    def prompt(self, line: int, row: JsonValue) -> str:
        """Empty where the row has the field and nothing in it.

        Raises:
            RefusedError: it has no such field, or nothing in it that can be sent as text.
        """
        if isinstance(row, str):
            return self._sendable(line, "text", row)
        if not isinstance(row, dict):
            raise RefusedError(f"Line {line} of the dataset is no JSON object but {_kind(row)}.")
        name = next((name for name in self.names if row.get(name)), None) or next(
            (name for name in self.names if name in row), None
        )
        if name is None:
            raise RefusedError(self._unknown(line, row))
        return self._sendable(line, name, row[name])

    def _sendable(self, line: int, name: str, value: JsonValue) -> str:
        left: set[str] = set()
        try:
            prompt = TEXTS.get(name, _text)(value, left)
            prompt.encode()  # JSON can write halves of a character, which nobody can send
        except ValueError as error:
            raise RefusedError(f"Line {line} of the dataset has no usable {name!r}: {error}.") from error
        self.left.update(left if prompt.strip() else {*left, EMPTY})
        return prompt

    def _unknown(self, line: int, row: Mapping[str, JsonValue]) -> str:
        names = [repr(name) for name in row if COLUMN.fullmatch(name)]
        there = ", ".join(names[:SHOWN_COLUMNS]) or ("nothing" if not row else "a first line that names no columns")
        wanted = " or ".join(map(repr, self.names))
        return (
            f"Line {line} of the dataset has no {wanted}; it has {there}. "
            "Name the field in benchmark.dataset_prompt_column."
        )

    def notes(self, rows: int) -> tuple[str, ...]:
        """What the prompts lack of the dataset's rows, in sentences."""
        return tuple(f"{count:,} of {rows:,} rows of the dataset {what}." for what, count in self.left.most_common())


EMPTY = "have no text to send and are left out"
SYSTEM = "have a system prompt, which is not sent"
EARLIER = "are conversations; only the last message of the user is sent"
LATER = "are conversations; only the first message of the user is sent"


def _text(value: JsonValue, left: set[str]) -> str:
    """Of a field of any name: text, or messages."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return _last_of_user(value, left)
    raise ValueError(f"it is {_kind(value)}, not text")


def _last_of_user(value: JsonValue, left: set[str]) -> str:
    said = list(_said_by_user(value, left))
    if len(said) > 1:
        left.add(EARLIER)
    return _content(said[-1], left) if said else ""


def _first_of_user(value: JsonValue, left: set[str]) -> str:
    """Conversations that were recorded hold their answers: the first message alone stands for itself."""
    said = list(_said_by_user(value, left))
    if len(said) > 1:
        left.add(LATER)
    return _content(said[0], left) if said else ""


def _said_by_user(value: JsonValue, left: set[str]) -> Iterator[JsonValue]:
    messages = _unpacked(value)
    if not isinstance(messages, list):
        raise ValueError("it is no list of messages")
    for message in messages:
        if not isinstance(message, dict):
            raise ValueError(f"a message in it is {_kind(message)}, not an object with role and content")
        role = message.get("role", message.get("from"))
        if role in SYSTEMS:
            left.add(SYSTEM)
        if role in USERS:
            yield message.get("content", message.get("value"))


def _content(content: JsonValue, left: set[str]) -> str:
    if not isinstance(content, list):  # else in parts, of which some may be images
        return _text(content, left)
    texts = []
    for part in content:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(str(part["text"]))
        elif isinstance(part, str):
            texts.append(part)
        else:
            kind = part.get("type") if isinstance(part, dict) else _kind(part)
            left.add(f"have parts that are no text ({str(kind)[:30]}), which are not sent")
    return "\n".join(texts)


def _of_request(value: JsonValue, left: set[str]) -> str:
    body = _unpacked(value)
    if not isinstance(body, dict):
        raise ValueError("it is no JSON object")
    if body.get("messages"):
        return _last_of_user(body["messages"], left)
    if "prompt" not in body:
        there = ", ".join(repr(name) for name in body if COLUMN.fullmatch(name)) or "nothing"
        raise ValueError(f"it has neither messages nor a prompt; it has {there}")
    return _text(body["prompt"], left)


def _unpacked(value: JsonValue) -> JsonValue:
    """A CSV file holds JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        unpacked: JsonValue = json.loads(value) if value.strip() else []
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return unpacked


def _kind(value: JsonValue) -> str:
    kinds = {"NoneType": "null", "bool": "true or false", "dict": "an object", "list": "a list", "str": "text"}
    return kinds.get(type(value).__name__, "a number")


TEXTS: Mapping[str, Callable[[JsonValue, set[str]], str]] = {
    "messages": _last_of_user,
    "request_body": _of_request,
    "body": _of_request,
    "conversations": _first_of_user,
    "conversation": _first_of_user,
}
"""How a prompt is taken out of a field; any other field holds it as text, or as messages."""
