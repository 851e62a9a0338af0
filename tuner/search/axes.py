"""What a task varies, one axis for each name, and the values along it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

from tuner.domain import Params
from tuner.protocols import Dimension
from tuner.spec.values import Choice, Continuous, Domain, Integer, Value

Block: TypeAlias = Literal["flags", "env", "parallel", "quant"]
Patch: TypeAlias = Mapping[str, Value]

MAX_LISTED = 100_000
"""Ranges and spaces of at most so many values are listed; of larger ones points are drawn."""


@dataclass(frozen=True)
class Axis:
    """One thing that is varied, and where its values go in a configuration."""

    name: str
    block: Block
    dimension: Dimension
    count: int | None
    """Of its values; None where they are a continuum."""
    joint: Mapping[str, Patch] | None = None
    """What each of its values stands for, where it is a name: a preset, or a combination of a block's keys."""

    def patch(self, value: Value) -> Patch | None:
        """What a value sets; None if it is none of this axis."""
        if self.joint is not None:
            return self.joint.get(value) if isinstance(value, str) else None
        return {self.name: value} if self._holds(value) else None

    def value(self, params: Params) -> Value | None:
        """What a configuration has on this axis; None if that is none of its values."""
        part: Mapping[str, Value] = getattr(params, self.block)
        if self.joint is not None:
            keys = {key for patch in self.joint.values() for key in patch}
            own = {key: part[key] for key in keys if key in part}
            return next((label for label, patch in self.joint.items() if same(patch, own)), None)
        value = part.get(self.name)
        return value if value is not None and self._holds(value) else None

    def _holds(self, value: Value) -> bool:
        if self.dimension.values:
            return (type(value), value) in self._listed
        if isinstance(value, bool | str) or (self.dimension.integer and not isinstance(value, int)):
            return False
        return self.dimension.low <= value <= self.dimension.high

    @cached_property
    def _listed(self) -> frozenset[tuple[type, Value]]:
        """1, 1.0 and true are three values: a command line shows them differently."""
        return frozenset((type(value), value) for value in self.dimension.values)


def axes_of(block: Block, domains: Mapping[str, Domain]) -> tuple[Patch, list[Axis]]:
    """What is fixed in a block, and what is varied."""
    fixed: dict[str, Value] = {}
    axes: list[Axis] = []
    for name, domain in domains.items():
        match domain:
            case bool() | int() | float() | str():
                fixed[name] = domain
            case tuple():
                axes.append(listed(name, block, domain))
            case Choice():
                axes.append(listed(name, block, domain.values))
            case Integer():
                axes.append(_integers(name, block, domain))
            case Continuous():
                axes.append(_reals(name, block, domain))
    return fixed, axes


def listed(name: str, block: Block, values: Sequence[Value]) -> Axis:
    once = tuple({(type(value), value): value for value in values}.values())
    return Axis(name, block, Dimension(values=once), len(once))


def _integers(name: str, block: Block, bounds: Integer) -> Axis:
    steps = range(bounds.low, bounds.high + 1, bounds.step or 1)
    low, high = float(steps[0]), float(steps[-1])
    values = tuple(steps) if (count := (steps[-1] - steps[0]) // steps.step + 1) <= MAX_LISTED else ()
    dimension = Dimension(values, low, high, step=steps.step, log=bounds.log, integer=True)
    return Axis(name, block, dimension, count)


def _reals(name: str, block: Block, bounds: Continuous) -> Axis:
    if bounds.low == bounds.high:
        return listed(name, block, (bounds.low,))
    if bounds.step is None:
        return Axis(name, block, Dimension(low=bounds.low, high=bounds.high, log=bounds.log), None)
    ratio = (bounds.high - bounds.low) / bounds.step
    if ratio >= MAX_LISTED:
        dimension = Dimension(low=bounds.low, high=bounds.high, step=bounds.step)
        return Axis(name, block, dimension, int(ratio) + 1 if math.isfinite(ratio) else None)
    # Decimals, so that 0.1 + 2 × 0.1 is 0.3 on the command line.
    low, high, step = (Decimal(str(number)) for number in (bounds.low, bounds.high, bounds.step))
    values = tuple(float(low + i * step) for i in range(int((high - low) // step) + 1))
    return Axis(name, block, Dimension(values, bounds.low, values[-1], step=bounds.step), len(values))


def same(one: Patch, other: Patch) -> bool:
    """Equal in the types of their values too."""
    return one == other and all(type(one[key]) is type(other[key]) for key in one)
