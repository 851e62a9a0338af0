"""The experiments of a task as a race: who is worth measuring again, and what was measured. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.analysis.race import Race, Reading, Rules, race, worth
from tuner.analysis.score import LAST, TINY, best, rank
from tuner.domain import Experiment, ExperimentState, Role
from tuner.spec.objectives import SLO, Objective
from tuner.spec.task import TaskSpec

ALONE = 3
"""Rounds where there is no baseline: they prove nothing, and give the best one's values an interval."""


@dataclass(frozen=True)
class Finished:
    """The experiments of a task by what they are for, without those that still run."""

    baseline: Experiment | None
    searched: Sequence[Experiment]
    """Baseline and candidates."""
    winner: Experiment | None
    """The race's; before there are fresh measurements, and where all in it are out, the best feasible of the search."""
    confirmations: Sequence[Experiment]
    race: Race

    def again(self, one: Experiment | None) -> list[Experiment]:
        """The fresh measurements of an experiment."""
        return [other for other in self.confirmations if one is not None and other.confirms == one.number]


def finished(spec: TaskSpec, objectives: Sequence[Objective], experiments: Sequence[Experiment]) -> Finished:
    """Experiments must be scored (`score.judged`)."""
    done = [one for one in experiments if one.state is not ExperimentState.RUNNING]
    searched = [one for one in done if one.role is not Role.CONFIRMATION]
    confirmations = [one for one in done if one.role is Role.CONFIRMATION]
    baseline = next((one for one in searched if one.role is Role.BASELINE), None)
    raced = _race(spec, objectives, searched, baseline, confirmations)
    leader = next((one for one in searched if one.number == raced.leader), None)
    return Finished(baseline, searched, leader or best(searched, objectives), confirmations, raced)


def rules(
    spec: TaskSpec, objectives: Sequence[Objective], baseline: int | None, *, baseline_missed: bool = False
) -> Rules:
    """Of a task's race.

    Args:
        baseline: the number of its experiment; None: there is none that can be compared.
        baseline_missed: a hard SLO, in the search.
    """
    effect, falling = spec.optimization.min_effect, len(objectives) == 1 and objectives[0].direction == "minimize"
    rounds = spec.optimization.confirm
    return Rules(
        baseline=baseline,
        rounds=min(rounds, ALONE) if baseline is None else rounds,
        beyond=-math.log1p(-effect) if falling else math.log1p(effect),  # 10 % less latency is a ratio of 0.9
        baseline_missed=baseline_missed,
    )


def _race(
    spec: TaskSpec,
    objectives: Sequence[Objective],
    searched: Sequence[Experiment],
    baseline: Experiment | None,
    confirmations: Sequence[Experiment],
) -> Race:
    slos = spec.slo.bounds if spec.slo else ()
    search = {one.number: _reading(one, objectives, slos) for one in searched}
    theirs = search.pop(baseline.number) if baseline else None
    readings: dict[int, list[Reading | None]] = {}
    for one in confirmations:
        assert one.confirms is not None, "a confirmation names what it confirms"
        readings.setdefault(one.confirms, []).append(_reading(one, objectives, slos))
    compared = baseline.number if baseline and theirs else None
    asked = rules(spec, objectives, compared, baseline_missed=theirs is not None and theirs.room < 0)
    return race(_older(worth(search, theirs), readings), readings, asked)


def _older(order: Sequence[int], readings: Mapping[int, Sequence[Reading | None]]) -> list[int]:
    """Tasks of older versions measured only the winner again: they are judged by that."""
    counts = [len(readings.get(one, ())) for one in order[:3]]
    return [one for one in order if readings.get(one)] if max(counts, default=0) > 1 and 0 in counts else list(order)


def _reading(one: Experiment, objectives: Sequence[Objective], slos: Sequence[SLO]) -> Reading | None:
    if rank(one, objectives) == LAST:
        return None
    excess = {slo.name: max(score.excess[slo.name] for score in one.scores) for slo in slos}
    softened = [score.penalised if score.softened is None else score.softened for score in one.scores]
    merits = _logarithms(softened, objectives)
    return Reading(
        merit=math.fsum(merits) / len(merits),
        margins=tuple(_room(excess[slo.name], slo.fail_ratio) for slo in slos if slo.hard),
        values=_logarithms([score.value for score in one.scores], objectives),
        limits=tuple(_room(excess[slo.name], 0.0) for slo in slos),
    )


def _logarithms(values: Sequence[float], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Turned so that more is better."""
    return tuple(
        math.log(max(value, TINY)) * (-1 if objective.direction == "minimize" else 1)
        for value, objective in zip(values, objectives, strict=True)
    )


def _room(excess: float, allowed: float) -> float:
    return math.log1p(allowed) - math.log(max(1 + excess, TINY))
