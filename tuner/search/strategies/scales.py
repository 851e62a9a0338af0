"""Arithmetic on one dimension: its values as places from 0 to 1, and back."""

import math
import random
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property

from tuner.protocols import Dimension, Space
from tuner.spec.values import Value

DIVISIONS = 10
"""Points of a continuous range on a grid: it needs some."""


class Scale:
    """Near places behave alike where the values are numbers (`ordered`); else a place is only a name."""

    def __init__(self, dimension: Dimension) -> None:
        self.dimension = dimension
        self.values = dimension.values
        self.ordered = dimension.ordered

    @cached_property
    def count(self) -> int:
        """Points on a grid."""
        if self.values:
            return len(self.values)
        step = self.dimension.step
        return DIVISIONS if step is None else int((self.dimension.high - self.dimension.low) / step) + 1

    def nth(self, index: int) -> Value:
        """A point of the grid, in the order the task gives."""
        return self.values[index] if self.values else self.at(index / max(1, self.count - 1))

    def index(self, value: Value) -> int:
        """Of the point of the grid that is a value, or next to it."""
        return self._positions[type(value), value] if self.values else round(self.place(value) * (self.count - 1))

    def draw(self, source: random.Random) -> Value:
        return source.choice(self.values) if self.values and not self.dimension.log else self.at(source.random())

    def place(self, value: Value) -> float:
        """From 0 to 1: by rank where the values are listed, by size (or its logarithm) in a range."""
        if not self.values or self.dimension.log:
            low, high, here = self._grow(self.dimension.low), self._grow(self.dimension.high), self._grow(float(value))
            return (here - low) / (high - low) if high > low else 0.0
        return self.rank(value) / max(1, len(self.values) - 1)

    def at(self, place: float) -> Value:
        """The value at a place, or the nearest."""
        if self.values and not self.dimension.log:
            return self.sorted[round(place * (len(self.values) - 1))]
        low, high = self._grow(self.dimension.low), self._grow(self.dimension.high)
        number = self._shrink(low + place * (high - low))
        return self._nearest(number) if self.values else self._snapped(number)

    def rank(self, value: Value) -> int:
        return self._ranks[type(value), value]

    @cached_property
    def sorted(self) -> tuple[Value, ...]:
        return tuple(sorted(self.values)) if self.ordered else self.values

    @cached_property
    def _ranks(self) -> Mapping[tuple[type, Value], int]:
        return {(type(value), value): i for i, value in enumerate(self.sorted)}

    @cached_property
    def _positions(self) -> Mapping[tuple[type, Value], int]:
        return {(type(value), value): i for i, value in enumerate(self.values)}

    def _nearest(self, number: float) -> Value:
        above = min(bisect_left(self.sorted, number), len(self.sorted) - 1)
        near = self.sorted[max(0, above - 1)], self.sorted[above]
        return min(near, key=lambda value: abs(self._grow(float(value)) - self._grow(number)))

    def _snapped(self, number: float) -> Value:
        low, high, step = self.dimension.low, self.dimension.high, self.dimension.step
        if step is not None:
            number = low + round((number - low) / step) * step
        number = min(max(number, low), high)
        return round(number) if self.dimension.integer else number

    def _grow(self, number: float) -> float:
        return math.log(number) if self.dimension.log else number

    def _shrink(self, number: float) -> float:
        return math.exp(number) if self.dimension.log else number


def scales(space: Space) -> dict[str, Scale]:
    return {name: Scale(dimension) for name, dimension in space.dimensions.items()}
