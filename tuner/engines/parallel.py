"""How a model is spread over GPUs: from degrees (tp, pp, …) to an engine's flags and back."""

import math
from collections.abc import Iterable, Mapping, Sequence

from tuner.domain import Params

Degrees = Mapping[str, Sequence[str]]
"""By degree, the engine's flag for it: the one we write first, then its other names."""


def flags(params: Params, degrees: Degrees) -> dict[str, bool | int]:
    """The flags of every degree that the engine has one for."""
    return {degrees[name][0]: value for name, value in params.parallel.items() if name in degrees}


def degree(params: Params, name: str, degrees: Degrees) -> int:
    """As the configuration sets it, also where it uses the engine's own flag; 1 if it does not."""
    flag = next((flag for flag in degrees.get(name, ()) if flag in params.flags), None)
    given = params.flags[flag] if flag and name not in params.parallel else params.parallel.get(name, 1)
    return given if isinstance(given, int) else 1


def product(params: Params, names: Iterable[str], degrees: Degrees) -> int:
    return math.prod(degree(params, name, degrees) for name in names)


def unknown_refusal(engine: str, params: Params, degrees: Degrees) -> str | None:
    """A degree of 1 spreads nothing, so it needs no flag."""
    for name, value in params.parallel.items():
        if name not in degrees and (value is True or value > 1):
            return f"{engine} has no {name}; leave {name} {value} out (it has {', '.join(degrees)})"
    return None


def twice_refusal(params: Params, mapped: Iterable[str], aliases: Iterable[Sequence[str]]) -> str | None:
    """A flag is set once: under one of its names, among the parameters or by a parallel or quant config."""
    names: dict[str, Sequence[str]] = {}
    for group in aliases:
        given = [name for name in group if name in params.flags]
        if len(given) > 1:
            return f"{' and '.join(given)} are one flag; keep one"
        names |= dict.fromkeys(group, group)
    for flag in mapped:
        for name in names.get(flag, (flag,)):
            if name in params.flags:
                return f"{name!r} stands in parameters, and parallel_config or quant_config sets it too; keep one"
    return None
