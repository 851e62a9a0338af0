"""Text in YAML or JSON → plain data, and the line of every part of it. Hostile text ends in problems, nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml

from tuner.errors import InvalidSpecError, Problem

Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 100_000
"""Counted after aliases are written out, so that a small file cannot unfold into a huge one."""
MAX_PROBLEMS = 50
"""More help nobody."""

EXPONENT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+\Z")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_TAG = "tag:yaml.org,2002:"
ENVIRONMENT = "environment"
"""The block of a task whose values stay as they were written: a program reads 1.10 as text, not as 1.1."""


class Loader(yaml.SafeLoader):
    """Reads `1e3` as a number, as JSON does; YAML 1.1 takes it for text."""


class Dumper(yaml.SafeDumper):
    """Quotes text that `Loader` would take for a number."""


for _side in (Loader, Dumper):
    _side.add_implicit_resolver(f"{_TAG}float", EXPONENT, list("-+0123456789"))


@dataclass(frozen=True)
class Document:
    data: object
    lines: Mapping[Path, int] = field(default_factory=dict)
    """1-based line by path: ("optimization", "strategy"). Empty where nothing better than the data is known."""


def read(text: str) -> Document:
    """The one document in a text: as JSON where it is JSON, else as YAML.

    Raises:
        InvalidSpecError: with every problem that could be told apart.
    """
    size = len(text) if len(text) > MAX_BYTES else len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise InvalidSpecError([Problem(f"{size:,} bytes are too many; {MAX_BYTES:,} are the limit")])
    if not text.strip():
        raise InvalidSpecError([Problem("nothing is in it; a task needs at least task_name and model")])
    if text.lstrip().startswith("{") and (document := _json(text)) is not None:
        return document
    return _Reader(text).document()


def _json(text: str) -> Document | None:
    """None where it only looks like JSON (YAML writes mappings in braces too)."""
    repeated: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        block = dict(items)
        if len(block) < len(items):
            repeated.extend(name for name in block if sum(name == other for other, _ in items) > 1)
        return block

    try:
        data = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        if re.match(r'\s*\{\s*"', text) and not _is_yaml(text):
            raise InvalidSpecError([Problem(f"this is no JSON: {error.msg}", line=error.lineno)]) from None
        return None
    except (ValueError, RecursionError):
        # An integer of thousands of digits, or endless nesting: the YAML reader has the words and the line for it.
        return None
    try:
        document = _Reader(text.replace("\t", " ")).document()
        lines = document.lines
        if isinstance(data, dict) and isinstance(document.data, dict) and ENVIRONMENT in data:
            data[ENVIRONMENT] = _as_text(data[ENVIRONMENT], document.data.get(ENVIRONMENT))
    except InvalidSpecError:
        if repeated:
            raise
        # JSON that YAML cannot read (an odd escape): the data is good, only its lines are unknown.
        lines = {}
    return Document(data, lines)


def _as_text(data: object, text: object) -> object:
    """JSON's data, with the text of each number that would be written in another way."""
    match data, text:
        case dict(), dict():
            return {name: _as_text(value, text.get(name)) for name, value in data.items()}
        case list(), list() if len(data) == len(text):
            return [_as_text(*pair) for pair in zip(data, text, strict=True)]
        case (bool(), _):
            return data
        case (int() | float(), str()):
            return text
    return data


def _is_yaml(text: str) -> bool:
    try:
        _Reader(text).document()
    except InvalidSpecError:
        return False
    return True


class _Reader:
    """Builds data from the parser's events, one by one: limits hold before anything has grown."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._problems: list[Problem] = []
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0

    def document(self) -> Document:
        try:
            self._loader: Any = Loader(self._text)
            self._events: Iterator[Any] = iter(self._loader.get_event, None)
            data = self._only()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            self._fail(f"this is no YAML: {what}", (), mark.line + 1 if mark else None)
        except yaml.YAMLError as error:
            self._fail(f"this is no text: {str(error).splitlines()[0]}", (), None)
        if self._problems:
            raise InvalidSpecError(self._problems)
        return Document(data, self._lines)

    def _only(self) -> object:
        data: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail("a second document starts here ('---'); a file holds one task", (), _line(event))
                data = self._value(next(self._events), ())
        return data

    def _fail(self, message: str, path: Path, line: int | None) -> NoReturn:
        """Ends the reading: what follows cannot be trusted to mean anything."""
        raise InvalidSpecError([*self._problems, Problem(message, dotted(path), line)]) from None

    def _note(self, message: str, path: Path, event: yaml.Event) -> None:
        self._problems.append(Problem(message, dotted(path), _line(event)))
        if len(self._problems) >= MAX_PROBLEMS:
            raise InvalidSpecError(self._problems)

    def _value(self, event: Any, path: Path) -> object:
        line = _line(event)
        self._lines.setdefault(path, line)
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if self._nodes > MAX_NODES:
            self._fail(f"more than {MAX_NODES:,} values; a range says it shorter", path, line)
        if len(path) > MAX_DEPTH:
            self._fail(f"nested deeper than {MAX_DEPTH} levels; a task needs about six", path, line)
        before = self._nodes
        match event:
            case yaml.ScalarEvent():
                value = self._scalar(event, path)
            case yaml.SequenceStartEvent():
                self._check_tag(event.tag, "seq", path, event)
                value = self._sequence(path)
            case _:
                self._check_tag(event.tag, "map", path, event)
                value = self._mapping(path)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._nodes - before + 1)
        return value

    def _alias(self, event: Any, path: Path) -> object:
        line = _line(event)
        if event.anchor not in self._anchors:
            self._fail(f"there is no anchor &{event.anchor:.60} above this alias; write the value out", path, line)
        value, size = self._anchors[event.anchor]
        self._nodes += size
        if self._nodes > MAX_NODES:
            self._fail(f"written out, its aliases make more than {MAX_NODES:,} values; leave them out", path, line)
        return value

    def _sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key in mapping:
                first = self._lines.get((*path, key))
                self._note(
                    f"{key!r:.60} stands here again; it is on line {first} already, keep one", (*path, key), event
                )
            self._lines.setdefault((*path, key), _line(event))
            mapping[key] = self._value(next(self._events), (*path, key))
        return mapping

    def _key(self, event: Any, path: Path) -> str:
        line = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._fail("a key must be text, not a list, a block or an alias", path, line)
        tag = self._tag(event)
        if tag == "merge":
            self._fail("'<<' is not taken; write the merged keys out", path, line)
        if tag != "str":
            self._note(f"the key {event.value!r:.60} is no text but {tag}; put it in quotes", path, event)
        return str(event.value)

    def _tag(self, event: yaml.ScalarEvent) -> str:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        return str(tag).removeprefix(_TAG)

    def _check_tag(self, tag: str | None, wanted: str, path: Path, event: yaml.Event) -> None:
        if tag not in (None, "!", _TAG + wanted):
            self._note(f"the tag {tag!r:.60} is not taken; write plain values", path, event)

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> object:
        tag, text = self._tag(event), str(event.value)
        match tag:
            case "bool" | "int" | "float" | "timestamp" if _of_a_variable(path) and not self._alike(tag, text):
                return text
            case "str" | "value":
                return text
            case "null":
                return None
            case "int" | "float" if SEXAGESIMAL.match(text):
                self._note(f"YAML counts {text} to base sixty; put it in quotes", path, event)
            case "int" if re.match(r"[-+]?0[0-7_]+\Z", text):
                self._note(f"YAML takes {text} for an octal number; drop the leading zero, or quote it", path, event)
            case "bool" | "int" | "float":
                return self._plain(tag, text, path, event)
            case "timestamp":
                self._note(f"YAML takes {text} for a date; put it in quotes", path, event)
            case _:
                self._note(f"the tag {tag!r:.60} is not taken; write plain values", path, event)
        return None

    def _alike(self, tag: str, text: str) -> bool:
        """Whether what YAML takes a text for is written as the text is. Only true and false are switches."""
        if tag == "bool":
            return text.lower() in ("true", "false")
        if tag == "timestamp":
            return False
        try:
            return str(self._loader.construct_object(yaml.ScalarNode(_TAG + tag, text))) == text
        except (ValueError, KeyError, IndexError):
            return False

    def _plain(self, tag: str, text: str, path: Path, event: yaml.ScalarEvent) -> object:
        try:
            return self._loader.construct_object(yaml.ScalarNode(_TAG + tag, text))
        except (ValueError, KeyError, IndexError):
            self._note(f"{text!r:.40} is no {tag} that can be read; quote it if it is text", path, event)
            return None


def _of_a_variable(path: Path) -> bool:
    """A value of an environment variable, which is text: no bound of a range."""
    place = path[2:] if path[:1] == (ENVIRONMENT,) and len(path) > 1 else None
    return place is not None and (not place or place[0] == "values" or isinstance(place[0], int))


def dotted(path: Path) -> str:
    return ".".join(f"{part!s:.60}" for part in path)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
