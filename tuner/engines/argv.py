"""How flags are written on a command line, the same for every engine; only the conventions differ."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.protocols import Flag
from tuner.spec.values import Value

_JSON = json.JSONDecoder()


@dataclass(frozen=True)
class Convention:
    """How an engine spells flags that its help does not tell us about."""

    separator: str = "-"
    """Between words: `--max-num-seqs`, or `--max_num_seqs`."""
    negates: bool = False
    """`--no-x` turns `--x` off."""


def render(flags: Mapping[str, Value], schema: Mapping[str, Flag] | None, convention: Convention) -> list[str]:
    """The arguments for these flags. A switch that is off is written as its `--no-` form, or left out."""
    return [part for name, value in flags.items() for part in _arguments(name, value, schema or {}, convention)]


def text(value: Value) -> str:
    """A value as an argument or an environment variable; switches are 1 and 0."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def word(value: Value) -> str:
    """A value of a flag as one argument. A whole number has no point: flags for floats read it, others only so."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def split(value: str) -> list[str]:
    """The arguments of a flag that takes several: words as a shell reads them, JSON left whole.

    Raises:
        ValueError: a quote is not closed.
    """
    words, rest = [], value.strip()
    while rest.startswith(("{", "[")):
        try:
            _, end = _JSON.raw_decode(rest)
        except (ValueError, RecursionError):
            break
        if rest[end:] and not rest[end].isspace():
            break
        words.append(rest[:end])
        rest = rest[end:].lstrip()
    return words + shlex.split(rest)


def served_name(model: str) -> str:
    """The stable short name a model is served under: its folder's, or its id on the hub."""
    folder = _folder(model)
    return folder.resolve().name if folder else model


def located(model: str) -> str:
    """The model as an engine is told: an absolute folder, or an id on the hub."""
    folder = _folder(model)
    return str(folder.absolute()) if folder else model


def _folder(model: str) -> Path | None:
    """None for an id on the hub. An absolute path may name a folder that is still to be made."""
    path = Path(model).expanduser()
    return path if path.is_absolute() or path.is_dir() else None


def environment(given: Mapping[str, Value], model: str, ours: Mapping[str, str]) -> dict[str, str]:
    """What an engine's environment gets; what the configuration says wins."""
    offline = {"HF_HUB_OFFLINE": "1"} if _folder(model) else {}
    return {**ours, "DO_NOT_TRACK": "1", **offline, **{name: text(value) for name, value in given.items()}}


def _arguments(name: str, value: Value, schema: Mapping[str, Flag], convention: Convention) -> Iterator[str]:
    # A part of a JSON flag is written with a dot: `compilation-config.mode`. Keys in JSON have underscores.
    base, dot, rest = name.partition(".")
    flag = schema.get(base)
    words = flag.spelling if flag else f"--{base.replace('-', convention.separator)}"
    spelling = f"{words}{dot}{rest.replace('-', '_')}"
    match value:
        case bool() if not dot and (flag is None or not flag.takes_value):
            yield from _switch(spelling, value, flag, convention)
        case bool():
            yield from (spelling, _truth(value, flag))
        case str() if flag and flag.many:
            yield from (spelling, *split(value))
        case _:
            written = str(value) if flag and str(value) in flag.choices else word(value)
            # `--x -1` could be read as two flags, so the value is tied to its flag.
            yield from (f"{spelling}={written}",) if written.startswith("-") else (spelling, written)


def _switch(spelling: str, on: bool, flag: Flag | None, convention: Convention) -> Iterator[str]:
    if on:
        yield spelling
    elif flag and flag.negation:
        yield flag.negation
    elif flag is None and convention.negates:
        yield f"--no-{spelling.removeprefix('--')}"


def _truth(value: bool, flag: Flag | None) -> str:
    """True or false as the flag's own choices write it."""
    written = str(value).lower()
    return next((choice for choice in (flag.choices if flag else ()) if choice.lower() == written), written)
