"""What pydantic found wrong with a task → sentences for its author: where, what was given, what is allowed."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tuner.errors import Problem
from tuner.spec.reader import MAX_PROBLEMS, Path, dotted
from tuner.spec.task import TaskSpec
from tuner.spec.values import flag_name

OLDER = {"id_or_path": "name", "presets": "preset"}
"""Present names, and what older files call them."""

WHOLE = ("parameters", "environment")
"""Blocks whose values are taken or left: no other part of a task completes a range."""


def explain(error: ValidationError, data: object, lines: Mapping[Path, int], *, in_part: bool = False) -> list[Problem]:
    """One problem for each thing that is wrong, in the order of the file.

    Args:
        in_part: the data is a part of a task, so that nothing is missing.
    """
    problems: dict[str, Problem] = {}
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "too_short" and any(_below(other, detail) for other in details):
            continue  # A list is also called too short when its entries are wrong.
        if in_part and detail["type"] == "missing" and detail["loc"][0] not in WHOLE:
            continue
        path, node = _place(detail, data)
        # Of several complaints about one value (the members of a union) the first says it.
        problems.setdefault(dotted(path), Problem(_sentence(detail, path, node), dotted(path), _line(path, lines)))
    found = sorted(problems.values(), key=lambda problem: problem.line or 0)
    if len(found) <= MAX_PROBLEMS:
        return found
    return [*found[:MAX_PROBLEMS], Problem(f"and {len(found) - MAX_PROBLEMS} problems more")]


def _below(detail: ErrorDetails, outer: ErrorDetails) -> bool:
    return len(detail["loc"]) > len(outer["loc"]) and detail["loc"][: len(outer["loc"])] == outer["loc"]


def alternatives(name: str, known: Collection[str]) -> str:
    """`there are nsga2, random; did you mean 'random'?`, of a name that is not known."""
    return f"there are {', '.join(known) or 'none'}{nearest(name, known)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'strategy'?`, or nothing where no known name is close."""
    lowered = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {lowered[close[0]]!r}?" if close else ""


def _place(detail: ErrorDetails, data: object) -> tuple[Path, object]:
    """The place as the author wrote it: without the tags of unions, and with the author's spelling of keys."""
    path: Path = ()
    for part in detail["loc"]:
        match data:
            case dict() if (key := _written(part, data)) is not None:
                path, data = (*path, key), data[key]
            case list() | tuple() if isinstance(part, int) and part < len(data):
                path, data = (*path, part), data[part]
    if detail["type"] == "missing":
        path = (*path, detail["loc"][-1])
    return path, data


def _written(part: str | int, block: Mapping[str, object]) -> str | None:
    if not isinstance(part, str):
        return None
    same = (key for key in block if key in (part, OLDER.get(part)) or flag_name(key) == part)
    return part if part in block else next(same, None)


def _line(path: Path, lines: Mapping[Path, int]) -> int | None:
    return next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), None)


def _sentence(detail: ErrorDetails, path: Path, node: object) -> str:
    given, limits = _shown(detail["input"]), detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "this is missing; add it"
        case "extra_forbidden":
            return f"unknown key {_shown(path[-1])}{nearest(str(path[-1]), _known(path[:-1]))}"
        case "value_error":
            return str(limits["error"])
        case "enum" | "literal_error":
            allowed = str(limits["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"no {path[-1]} {given}; {alternatives(str(detail['input']), allowed)}"
        case "union_tag_invalid":
            tag = str(limits["tag"]).removeprefix(":")
            there = "type: choice with values, or type: integer or continuous with low and high"
            return f"no type {tag!r}; give {there}" if tag else f"this block has no type; give {there}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" | "finite_number":
            return f"must be {_bound(limits)}, not {given}"
        case "too_short" | "too_long" | "string_too_short" | "string_too_long":
            return _length(limits, detail)
        case "string_pattern_mismatch":
            return f"{given} is no name of a flag or variable; use letters, digits, dashes, dots, underscores"
        case kind if (noun := _noun(kind)) is not None:
            return f"must be {noun}, not {given}"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def _bound(limits: Mapping[str, Any]) -> str:
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    return next((f"{word} {limits[name]:g}" for name, word in words.items() if name in limits), "a finite number")


def _length(limits: Mapping[str, Any], detail: ErrorDetails) -> str:
    text = detail["type"].startswith("string")
    unit = "characters" if text else "entries"
    count = len(detail["input"]) if text else limits.get("actual_length", "more")
    if "min_length" in limits:
        return f"has {count} {unit}; at least {limits['min_length']} must be there"
    return f"has {count} {unit}; {limits['max_length']:,} are the limit"


def _noun(kind: str) -> str | None:
    nouns = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "string": "text (in quotes, if it looks like something else)",
        "tuple": "a list",
        "list": "a list",
        "dict": "a block of keys",
        "model": "a block of keys",
        "mapping": "a block of keys",
    }
    return nouns.get(kind.split("_")[0])


def _shown(raw: object) -> str:
    match raw:
        case None:
            return "null"
        case bool():
            return str(raw).lower()
        case dict():
            return "a block of keys"
        case list() | tuple():
            return "a list"
        case _:
            text = repr(raw)
            return text if len(text) <= 60 else f"{text[:57]}…"


def _known(path: Sequence[str | int]) -> set[str]:
    """Names that the block at a path may hold."""
    models: set[type[BaseModel]] = {TaskSpec}
    for part in path:
        name = next((now for now, old in OLDER.items() if old == part), part)
        inner = {
            model
            for outer in models
            if name in outer.model_fields
            for model in _models(outer.model_fields[name].annotation)
        }
        # A part that is no field is an entry of a list, or a name of the author's own: what holds below is the same.
        models = inner or models
    return {name for model in models for name in model.model_fields}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
