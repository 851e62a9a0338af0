"""The history of a task, as a sampler sees it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.domain import Experiment
from tuner.protocols import Search
from tuner.spec.values import Value

TINY = 1e-12
"""Stands for a value of 0, which has no logarithm."""


@dataclass(frozen=True)
class Observation:
    """An experiment, as a sampler sees it."""

    values: Mapping[str, Value]
    losses: tuple[float, ...] | None
    """One per objective, less is better; None: it failed, or is still under way."""
    violation: float
    """By how much hard SLOs are missed; 0 is feasible."""


def observe(search: Search, begun: Sequence[Experiment]) -> list[Observation]:
    """The experiments that lie in the space: a baseline outside of it says nothing about a place in it."""
    placed = ((experiment, search.space.values(experiment.params)) for experiment in begun)
    return [_observation(search, experiment, values) for experiment, values in placed if values is not None]


def _observation(search: Search, experiment: Experiment, values: Mapping[str, Value]) -> Observation:
    if len(experiment.scores) != len(search.objectives):
        return Observation(values, None, math.inf)
    # Logarithms keep the order, and a soft SLO missed by far from drowning every other difference.
    losses = tuple(
        math.log(max(score.penalised, TINY)) * (1 if objective.direction == "minimize" else -1)
        for score, objective in zip(experiment.scores, search.objectives, strict=True)
    )
    return Observation(values, losses, sum(score.violation for score in experiment.scores))
