"""Task files: YAML or JSON → TaskSpec, with every error at once and its line; and back."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml
from pydantic import ValidationError

from tuner.errors import InvalidSpecError, Problem
from tuner.spec import reader
from tuner.spec.objectives import NAMED_OBJECTIVES
from tuner.spec.problems import explain
from tuner.spec.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, Document, Dumper, dotted, read
from tuner.spec.task import TaskSpec
from tuner.spec.values import Choice, Continuous, Domain, Integer, flag_name


def load(path: Path) -> TaskSpec:
    """Raises:
    InvalidSpecError: there is no such file, it cannot be read, or what it says is no task.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidSpecError([Problem(f"{path} cannot be read: {reason}; give the path of a task file")]) from None
    if len(raw) > MAX_BYTES:
        raise InvalidSpecError([Problem(f"{path} has more than {MAX_BYTES:,} bytes, the limit; is it a task file?")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidSpecError([Problem(f"{path} is no text in UTF-8; save it as UTF-8", line=line)]) from None
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "") -> TaskSpec:
    """A task from the text of a file.

    Args:
        name: of the file, for messages about it as a whole.

    Raises:
        InvalidSpecError: with every problem found, each with its line.
    """
    try:
        return _spec(read(text))
    except InvalidSpecError as error:
        if not name or error.problems[0].where or error.problems[0].line:
            raise
        first, *rest = error.problems
        raise InvalidSpecError([Problem(f"{name}: {first.message}"), *rest]) from None


def digest(spec: TaskSpec) -> str:
    """The same for equal tasks, however they were written."""
    return hashlib.sha256(json.dumps(spec.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def located(error: InvalidSpecError, path: Path) -> InvalidSpecError:
    """Problems that were found after a file was loaded, with the lines of the keys they are about, in their order."""
    if not path.is_file():  # a pipe can be read only once
        return error
    return located_in(error, path.read_text("utf-8-sig"))


def located_in(error: InvalidSpecError, text: str) -> InvalidSpecError:
    """The same for the text of a task."""
    lines = {_plain(dotted(place)): line for place, line in read(text).lines.items() if place}

    def line(where: str) -> int | None:
        ends = [len(where), *(i for i in range(len(where) - 1, 0, -1) if where[i] == ".")]
        return next((lines[where[:end]] for end in ends if where[:end] in lines), None)

    problems = [replace(problem, line=problem.line or line(_plain(problem.where))) for problem in error.problems]
    return InvalidSpecError(sorted(problems, key=lambda problem: problem.line or 0))


def _plain(where: str) -> str:
    """A place in the one spelling of flags: a file may write `--max_num_seqs`."""
    return ".".join(flag_name(part) for part in where.split("."))


def validate(data: object) -> TaskSpec:
    """A task from data that is parsed already: an HTTP body, the arguments of a tool.

    Raises:
        InvalidSpecError: with every problem found.
    """
    return _spec(Document(data))


def check_part(data: object) -> None:
    """Whether this can be a part of a task. A key that is missing may stand in another part, so it is no problem here.

    Raises:
        InvalidSpecError: with every problem found.
    """
    _check_plain(Document(data))
    try:
        TaskSpec.model_validate(data)
    except ValidationError as error:
        if problems := explain(error, data, {}, in_part=True):
            raise InvalidSpecError(problems) from None


def dump(spec: TaskSpec) -> str:
    """YAML that loads back equal: what was set, nothing else."""
    data = spec.model_dump(mode="json", exclude_unset=True)
    for block, domains in (("parameters", spec.parameters), ("environment", spec.environment)):
        for name, domain in domains.items():
            data[block][name] = _domain(domain)
    if "objective" in data.get("optimization", {}):
        data["optimization"]["objective"] = _objective(spec)
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _spec(document: Document) -> TaskSpec:
    _check_plain(document)
    try:
        return TaskSpec.model_validate(document.data)
    except ValidationError as error:
        raise InvalidSpecError(explain(error, document.data, document.lines)) from None


def _check_plain(document: Document) -> None:
    if not isinstance(document.data, dict):
        kind = {list: "a list", type(None): "empty"}.get(type(document.data), f"{document.data!r:.60}")
        raise InvalidSpecError([Problem(f"a task is a block of keys such as task_name and model, not {kind}")])
    if problems := _unfit(document.data, document.lines):
        raise InvalidSpecError(sorted(problems, key=lambda problem: problem.line or 0))


def _domain(domain: Domain) -> object:
    match domain:
        case tuple():
            return list(domain)
        case Choice():
            return {"type": domain.type, "values": list(domain.values)}
        case Integer() | Continuous():
            return {"type": domain.type, **domain.model_dump(exclude_defaults=True)}
        case _:
            return domain


def _objective(spec: TaskSpec) -> object:
    names = {objective: name for name, objective in NAMED_OBJECTIVES.items()}
    plain = [
        names.get(objective, objective.model_dump(mode="json", exclude_unset=True))
        for objective in spec.optimization.objective
    ]
    return plain[0] if len(plain) == 1 else plain


def _unfit(data: object, lines: Mapping[reader.Path, int]) -> list[Problem]:
    """What no part of a task may hold: numbers JSON cannot carry, text no database can, endless nesting."""
    problems: list[Problem] = []
    todo: list[tuple[reader.Path, object]] = [((), data)]
    seen = 0
    while todo:
        path, value = todo.pop()
        seen += 1
        if seen > MAX_NODES:
            return [*problems, Problem(f"more than {MAX_NODES:,} values; a range says it shorter")]
        if len(path) > MAX_DEPTH:
            return [
                *problems,
                Problem(f"nested deeper than {MAX_DEPTH} levels; about six are needed", dotted(path[:6])),
            ]
        if complaint := _complaint(value):
            problems.append(Problem(complaint, dotted(path), lines.get(path)))
            if len(problems) >= MAX_PROBLEMS:
                break
        elif isinstance(value, dict):
            todo += [((*path, str(key)), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            todo += [((*path, i), item) for i, item in enumerate(value)]
    return problems


def _complaint(value: object) -> str | None:
    match value:
        case None | bool() | list() | tuple():
            return None
        case dict():
            odd = next((key for key in value if not isinstance(key, str)), None)
            return next(filter(None, map(_bad_text, value)), None) if odd is None else f"the key {odd!r:.40} is no text"
        case str():
            return _bad_text(value)
        case int():
            inside = -(2**63) <= value < 2**63
            return None if inside else "this whole number has more than 64 bits; give a smaller one"
        case float():
            return None if math.isfinite(value) else f"{value} is no number to tune with; give a finite one"
        case _:
            return f"a {type(value).__name__} cannot stand in a task; give text, numbers, lists and blocks"


def _bad_text(text: str) -> str | None:
    if "\0" in text:
        return "this text holds a NUL character; leave it out"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "this text holds half of a surrogate pair, so it is no Unicode; write the character itself"
    return None
