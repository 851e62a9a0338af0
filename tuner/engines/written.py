"""What a task gives an engine, as a command line shows it: flags under their own names, equal values once."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from tuner.engines import argv
from tuner.protocols import Flag
from tuner.spec.values import Choice, Domain, Value

EXACT = 2**53
"""Whole numbers below this are the same as a float."""


def own_name(name: str, schema: Mapping[str, Flag] | None) -> str:
    """The flag's own name, of one of its aliases. A part of a JSON flag stays: `cc.mode`, `compilation-config.mode`."""
    base, dot, part = name.partition(".")
    flag = (schema or {}).get(base)
    return f"{flag.name if flag else base}{dot}{part}"


def twice(names: Iterable[str], schema: Mapping[str, Flag] | None) -> dict[str, str]:
    """By name, the one before it that is the same flag."""
    first: dict[str, str] = {}
    again = {}
    for name in names:
        earlier = first.setdefault(own_name(name, schema), name)
        if earlier != name:
            again[name] = earlier
    return again


def parameters(domains: Mapping[str, Domain], schema: Mapping[str, Flag] | None) -> dict[str, Domain]:
    """The same flags and values: numbers written as text, and whole numbers written with a point, are numbers."""
    known = schema or {}
    return {
        own_name(name, schema): _each(domain, partial(plain, flag=known.get(name)), argv.word)
        for name, domain in domains.items()
    }


def environment(domains: Mapping[str, Domain]) -> dict[str, Domain]:
    """The same variables; values that are one text are one value."""
    return {name: _each(domain, _number, argv.text) for name, domain in domains.items()}


def plain(value: Value, flag: Flag | None) -> Value:
    """The number that a text or a float stands for, where its command line is one that engines read alike."""
    if flag is not None and argv.word(value) in flag.choices:
        return value
    if isinstance(value, str) and flag is not None and re.fullmatch(r"-?\d+", flag.default or ""):
        value = _whole(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return _number(value)


def _whole(text: str) -> Value:
    """`1e3` of a flag that takes a whole number."""
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d{1,2}", text) else text


def _number(value: Value) -> Value:
    """Of text that is exactly how a number is written."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value):
        return value
    number = float(value) if "." in value else int(value)
    whole = isinstance(number, float) and number.is_integer()  # 12.0 may be a version
    return number if str(number) == value and not whole else value


def _each(domain: Domain, made: Callable[[Value], Value], shown: Callable[[Value], str]) -> Domain:
    match domain:
        case bool() | int() | float() | str():
            return made(domain)
        case tuple():
            return _once(domain, made, shown)
        case Choice():
            return domain.model_copy(update={"values": _once(domain.values, made, shown)})
        case _:
            return domain


def _once(values: Sequence[Value], made: Callable[[Value], Value], shown: Callable[[Value], str]) -> tuple[Value, ...]:
    """A switch is no number: `true` and 1 are two values of a flag."""
    found: dict[tuple[bool, str], Value] = {}
    for value in map(made, values):
        found.setdefault((isinstance(value, bool) and shown is argv.word, shown(value)), value)
    return tuple(found.values())
