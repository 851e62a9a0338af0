"""Every combination, in order. The last parameter of the task changes fastest."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence

from tuner.domain import Experiment, Params, Role
from tuner.protocols import Search, Space
from tuner.search.strategies.scales import Scale, scales
from tuner.spec.values import Value

log = logging.getLogger(__name__)

SCANNED = 200_000
"""Combinations looked at for one that is valid: some seconds."""


class Grid:
    """A continuous range counts as ten points."""

    name = "grid_search"
    title = "Grid"
    description = "Every combination, in order"
    spoken: tuple[str, ...] = ("grid",)
    in_order = True

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        begun = [*history, *pending]
        tried = {experiment.params.key for experiment in begun}
        candidates = search.space.candidates
        if candidates is None:
            return next(untried(search.space, tried, start=_reached(search.space, begun)), None)
        return next((params for params in candidates if params.key not in tried), None)


def untried(space: Space, tried: set[str], start: int = 0) -> Iterator[Params]:
    """Valid configurations of a space that is too large to list, in the order of its grid."""
    axes = scales(space)
    size = math.prod(scale.count for scale in axes.values())
    for number in range(start, min(size, start + SCANNED + len(tried))):
        params = space.point(_combination(axes, number))
        if params is not None and params.key not in tried:
            yield params
    if size > start + SCANNED:
        log.warning("stopped: none of the next %d combinations of the grid is valid", SCANNED)


def _combination(axes: Mapping[str, Scale], number: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name in reversed(list(axes)):
        number, digit = divmod(number, axes[name].count)
        values[name] = axes[name].nth(digit)
    return values


def _reached(space: Space, begun: Sequence[Experiment]) -> int:
    """The furthest combination tried, so that a huge grid is not walked from its start for every question."""
    places = (space.values(experiment.params) for experiment in begun if experiment.role is Role.CANDIDATE)
    axes = scales(space)
    return max((_number(axes, values) for values in places if values is not None), default=0)


def _number(axes: Mapping[str, Scale], values: Mapping[str, Value]) -> int:
    number = 0
    for name, scale in axes.items():
        number = number * scale.count + scale.index(values[name])
    return number
