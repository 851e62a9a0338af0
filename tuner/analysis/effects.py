"""What each parameter did: its values compared, and how much of the difference it explains. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from tuner.analysis.score import LAST, merit, rank
from tuner.domain import Experiment, Role
from tuner.spec.objectives import Objective
from tuner.spec.values import Frozen, Value

MOST_GROUPS = 6
"""Numbers with more different values than this are compared in quarters."""


class EffectOfValue(Frozen):
    """One value of a parameter, or a quarter of its range (`4 to 16`)."""

    value: Value
    experiments: int
    failed: int
    relative: float | None
    """Median score against the best experiment: 1 is as good, 0.5 half as good. None: all of them failed."""


class Effect(Frozen):
    name: str
    importance: float | None
    """The part of the variance of scores that this parameter explains by itself, 0 to 1; None: too few experiments.

    It is ε² of a one-way analysis of variance over logarithms of the penalised values: the explained part less what as
    many random groups would explain. Parameters that matter only together both look small.
    """
    values: tuple[EffectOfValue, ...]


def effects(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> tuple[Effect, ...]:
    """Of every parameter that candidates vary, the most important first. Experiments must be scored and finished."""
    candidates = [one for one in experiments if one.role is Role.CANDIDATE]
    judged = {one.number: merit(one, objectives) for one in candidates if rank(one, objectives) != LAST}
    found = []
    for name in varied(candidates):
        having = sorted(
            (one for one in candidates if name in one.params.flat), key=lambda one: _order(one.params.flat[name])
        )
        group = _grouping([one.params.flat[name] for one in having])
        groups: dict[Value, list[Experiment]] = {}
        for one in having:
            groups.setdefault(group(one.params.flat[name]), []).append(one)
        found.append(
            Effect(
                name=name,
                importance=_explained([[judged[o.number] for o in g if o.number in judged] for g in groups.values()]),
                values=tuple(_effect(value, members, judged) for value, members in groups.items()),
            )
        )
    return tuple(sorted(found, key=lambda effect: (-(effect.importance or 0.0), effect.name)))


def varied(experiments: Sequence[Experiment]) -> list[str]:
    """The names that tell these experiments apart; a name that one of them leaves at its default counts."""
    flats = [one.params.flat for one in experiments]
    names = dict.fromkeys(name for flat in flats for name in flat)
    return [name for name in names if len({_identity(flat, name) for flat in flats}) > 1]


def _identity(flat: Mapping[str, Value], name: str) -> tuple[str, Value | None]:
    value = flat.get(name)
    return (type(value).__name__, value)  # True and 1 are equal to Python, not to an engine


def _order(value: Value) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (math.inf, value)


def _effect(value: Value, members: Sequence[Experiment], judged: Mapping[int, float]) -> EffectOfValue:
    merits = [judged[one.number] for one in members if one.number in judged]
    finest = min(judged.values(), default=0.0)
    return EffectOfValue(
        value=value,
        experiments=len(members),
        failed=len(members) - len(merits),
        relative=math.exp(finest - median(merits)) if merits else None,
    )


def _explained(groups: Sequence[Sequence[float]]) -> float | None:
    groups = [group for group in groups if group]
    merits = [merit for group in groups for merit in group]
    if len(groups) < 2 or len(merits) <= len(groups):
        return None
    mean = math.fsum(merits) / len(merits)
    total = math.fsum((merit - mean) ** 2 for merit in merits)
    if total <= 0:
        return 0.0
    within = math.fsum((merit - math.fsum(group) / len(group)) ** 2 for group in groups for merit in group)
    by_luck = (len(groups) - 1) * within / (len(merits) - len(groups))
    return min(1.0, max(0.0, (total - within - by_luck) / total))


def _grouping(values: Sequence[Value]) -> Callable[[Value], Value]:
    """Puts many different numbers into quarters with equally many values; leaves everything else as it is."""
    numbers = sorted({float(value) for value in values if isinstance(value, int | float)})
    if len(numbers) <= MOST_GROUPS or len(numbers) < len(set(values)) or any(isinstance(v, bool) for v in values):
        return lambda value: value
    size = math.ceil(len(numbers) / 4)
    quarters = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    names = {number: f"{quarter[0]:g} to {quarter[-1]:g}" for quarter in quarters for number in quarter}
    return lambda value: names[float(value)]
