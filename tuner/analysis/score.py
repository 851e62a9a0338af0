"""How good a measured configuration is: operating point, SLOs, rank. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuner.domain import Experiment, ExperimentState, Level, LoadPoint, OperatingPoint, Score
from tuner.domain import levels as levels_at
from tuner.spec.objectives import SLO, Metric, Objective, SLOConfig, Statistic
from tuner.spec.task import TaskSpec

WORST_EXCESS = 1e9
"""An SLO missed by more than this counts as missed by this, so that no sum of excesses overflows."""
STEEPEST = 300.0
"""The exponent from which a penalty grows linearly; `exp` itself overflows at 709."""
TINY = 1e-300
"""Stands in for 0 where a logarithm is taken."""

Rank = tuple[bool, float, float]
"""(not feasible, violation, merit): lower is better, and what cannot be judged is last."""
LAST: Rank = (True, math.inf, math.inf)


@dataclass(frozen=True)
class _Judged:
    """A load level, or the levels of a scenario taken together (then `level` is None)."""

    level: Level | None
    value: float
    penalised: float
    softened: float
    violation: float
    excess: Mapping[str, float]


def score(
    points: Sequence[LoadPoint],
    objective: Objective,
    slo: SLOConfig | None,
    scenarios: Sequence[str],
    concurrencies: Sequence[int],
    gpus: int,
    rates: Sequence[float] = (),
) -> Score | None:
    """Judges an experiment at its operating point; None where it cannot be judged (`unjudged` says why).

    Maximizing, a scenario is judged at its best level: feasible before infeasible, then the smaller violation, then the
    better penalised value, then the lower load. Minimizing, by the mean of values and of penalised values over
    all requested levels, with their violations summed; every one must count, and where there is one, that is the
    operating point. Over several scenarios values are geometric means, violations are summed, and excesses are the
    worst.

    A level counts if it is valid and has every metric that the objective and the SLOs name: one-token answers have no
    TPOT, so under a TPOT bound they prove nothing.

    Args:
        scenarios: the requested ones. Points of others are ignored, as are those of other concurrencies and rates.
        gpus: world size; 0 on a CPU.
        rates: those of open loops.
    """
    parts: list[_Judged] = []
    measured = {point.level: point for point in points}
    for scenario in scenarios:
        asked = [measured.get(level) for level in levels_at(scenario, concurrencies, rates)]
        levels = [_level(point, objective, slo, gpus) for point in asked if point and not _flaw(point, objective, slo)]
        if not levels or (objective.direction == "minimize" and len(levels) < len(asked)):
            return None
        one = objective.direction == "maximize" or len(asked) == 1
        parts.append(_best(levels) if one else _mean(levels))
    value, penalised = (geometric_mean([part.value for part in parts]), geometric_mean([p.penalised for p in parts]))
    if not parts or not math.isfinite(value) or not math.isfinite(penalised):
        return None
    return Score(
        value=value,
        penalised=penalised,
        softened=geometric_mean([part.softened for part in parts]),
        violation=math.fsum(part.violation for part in parts),
        excess=_worst(part.excess for part in parts),
        points=tuple(
            OperatingPoint(
                scenario=scenario,
                concurrency=part.level and part.level.concurrency,
                rate=part.level and part.level.rate,
                value=part.value,
            )
            for scenario, part in zip(scenarios, parts, strict=True)
        ),
    )


def judge(
    spec: TaskSpec,
    objectives: Sequence[Objective],
    points: Sequence[LoadPoint],
    gpus: int,
    like: Sequence[Score] = (),
) -> tuple[Score, ...]:
    """One score per objective, or none at all where one of them cannot be judged.

    Args:
        like: the scores of the experiment that this one measures again. It is judged at the same load levels: choosing
            the best one anew would compare unlike loads, and count only levels that happened to meet the SLOs.
    """
    load, levels = spec.benchmark, [_levels(one) for one in like] or [None] * len(objectives)
    scores = [
        score(
            [point for point in points if at is None or point.level in at],
            *(objective, spec.slo, load.traffic_scenarios, load.num_concurrency, gpus, load.request_rate),
        )
        for objective, at in zip(objectives, levels, strict=True)
    ]
    judged = tuple(one for one in scores if one is not None)
    return judged if len(judged) == len(objectives) else ()


def judged(spec: TaskSpec, experiments: Sequence[Experiment]) -> tuple[tuple[Objective, ...], list[Experiment]]:
    """The objectives that these experiments can be compared by, and the experiments scored under exactly those.
    Confirmations are judged at the load levels of what they confirm."""
    objectives = effective_objectives(spec, (one.gpus for one in experiments if one.points))
    scores: dict[int | None, tuple[Score, ...]] = {None: ()}
    for one in sorted(experiments, key=lambda one: one.confirms is not None):
        completed = one.state is ExperimentState.COMPLETED
        like = scores.get(one.confirms, ())
        scores[one.number] = judge(spec, objectives, one.points, one.gpus, like) if completed else ()
    return objectives, [one.model_copy(update={"scores": scores[one.number]}) for one in experiments]


def effective_objectives(spec: TaskSpec, world_sizes: Iterable[int]) -> tuple[Objective, ...]:
    """The task's objectives; output tokens/s becomes output tokens/s per GPU where the GPUs used differ."""
    if len({max(1, size) for size in world_sizes}) < 2:
        return spec.optimization.objective
    return tuple(
        Objective(metric=Metric.OUTPUT_RATE_PER_GPU, direction="maximize") if one.metric is Metric.OUTPUT_RATE else one
        for one in spec.optimization.objective
    )


def unjudged(spec: TaskSpec, objectives: Sequence[Objective], points: Sequence[LoadPoint]) -> str:
    """Why `judge` gives no score, as a sentence; empty where it gives one."""
    load, measured = spec.benchmark, {point.level: point for point in points}
    for objective in objectives:
        for scenario in load.traffic_scenarios:
            levels = {
                level.name: _flaw(measured.get(level), objective, spec.slo)
                for level in levels_at(scenario, load.num_concurrency, load.request_rate)
            }
            flaws = "; ".join(f"{name} {flaw}" for name, flaw in levels.items() if flaw)
            if all(levels.values()):
                return f"No load level of {scenario} counts: {flaws}."
            if flaws and objective.direction == "minimize":
                return f"Minimizing {objective.metric} takes every requested load level: {flaws}."
    return ""


def key(score: Score | None, objective: Objective) -> Rank:
    """Sorts scores of one objective, best first."""
    if score is None or not all(map(math.isfinite, (score.value, score.penalised, score.violation))):
        return LAST
    merit = score.penalised if objective.direction == "minimize" else -score.penalised
    return (not score.feasible, score.violation, merit)


def rank(experiment: Experiment, objectives: Sequence[Objective]) -> Rank:
    """Sorts experiments, best first. Several objectives are weighed equally, by the geometric mean of the improvements:
    the order does not depend on what they are improvements over, and the first is always on the Pareto front."""
    keys = [key(score, objective) for score, objective in zip(experiment.scores, objectives, strict=False)]
    if len(keys) < len(objectives) or LAST in keys:
        return LAST
    if len(keys) == 1:
        return keys[0]
    return (any(one[0] for one in keys), math.fsum(one[1] for one in keys), merit(experiment, objectives))


def merit(experiment: Experiment, objectives: Sequence[Objective]) -> float:
    """The logarithm of the penalised values, their mean over the objectives, turned so that lower is better."""
    logs = [
        math.log(max(score.penalised, TINY)) * (1 if objective.direction == "minimize" else -1)
        for score, objective in zip(experiment.scores, objectives, strict=True)
    ]
    return math.fsum(logs) / len(logs)


def ranked(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> list[Experiment]:
    """Best first; equals in the order they were measured, so that the engine's defaults win a tie."""
    return sorted(experiments, key=lambda one: (rank(one, objectives), one.number))


def best(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> Experiment | None:
    """The best one that holds every hard SLO; None: there is none."""
    return next((one for one in ranked(experiments, objectives) if not rank(one, objectives)[0]), None)


def front(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> list[Experiment]:
    """The feasible experiments that no other beats in one objective without losing in another, in given order."""
    costs = [
        (one, [key(score, objective)[2] for score, objective in zip(one.scores, objectives, strict=True)])
        for one in experiments
        if not rank(one, objectives)[0]
    ]
    return [one for one, cost in costs if not any(_dominates(other, cost) for _, other in costs)]


def geometric_mean(values: Sequence[float]) -> float:
    """0 where one of the values is 0 or there is none."""
    if len(values) == 1:
        return values[0]  # exactly: exp(log(x)) rounds
    if not values or min(values) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def _flaw(point: LoadPoint | None, objective: Objective, slo: SLOConfig | None) -> str | None:
    """Why a level does not count, as the end of a sentence."""
    if point is None:
        return "was not measured"
    if not point.valid:
        return f"failed ({point.error or point.failure})"
    if point.at(objective.metric, objective.statistic, 1) is None:
        return f"has no {objective.metric}"
    lacking = [bound.name for bound in _bounds(slo) if point.at(bound.metric, bound.statistic, 1) is None]
    return f"has no {lacking[0]}, which an SLO bounds" if lacking else None


def _level(point: LoadPoint, objective: Objective, slo: SLOConfig | None, gpus: int) -> _Judged:
    value = _measured(point, objective.metric, objective.statistic, gpus)
    bounds = _bounds(slo)
    excess = {bound.name: _excess(point, bound, gpus) for bound in bounds}

    def penalised(counted: Iterable[SLO]) -> float:
        over = math.fsum(b.weight * max(0.0, excess[b.name]) for b in counted)
        penalty = _penalty(over, slo.steepness if slo else 1.0)
        return value * penalty if objective.direction == "minimize" else value / penalty

    return _Judged(
        level=point.level,
        value=value,
        penalised=penalised(bounds),
        softened=penalised(b for b in bounds if not b.hard or b.fail_ratio),
        violation=math.fsum(b.weight * max(0.0, excess[b.name] - b.fail_ratio) for b in bounds if b.hard),
        excess=excess,
    )


def _excess(point: LoadPoint, bound: SLO, gpus: int) -> float:
    """How far a bound is missed. A percentile leaves room for a share of late requests, and the ones that failed are
    late for ever: where they are more, it is missed by their share over that room, whatever the others took."""
    over = _measured(point, bound.metric, bound.statistic, gpus) / bound.threshold - 1
    failed = point.failed / point.requests if point.requests else 0.0
    if bound.statistic.startswith("p") and failed > (room := 1 - int(bound.statistic[1:]) / 100):
        over = max(over, failed / room - 1)
    return min(over, WORST_EXCESS)


def _measured(point: LoadPoint, metric: Metric, statistic: Statistic, gpus: int) -> float:
    value = point.at(metric, statistic, gpus)
    assert value is not None, "`_flaw` was asked first"
    return value


def _penalty(excess: float, steepness: float) -> float:
    """exp(excess / steepness), going on along its tangent where it would overflow: still continuous, still growing."""
    exponent = min(excess / steepness, 1e15)
    return math.exp(min(exponent, STEEPEST)) * (1 + max(0.0, exponent - STEEPEST))


def _levels(one: Score) -> set[Level] | None:
    """Where a score was taken; None: over all levels."""
    found = {point.level for point in one.points if point.level is not None}
    return found or None


def _bounds(slo: SLOConfig | None) -> tuple[SLO, ...]:
    return slo.bounds if slo else ()


def _best(levels: Sequence[_Judged]) -> _Judged:
    """Levels come by rising load, and `min` takes the first of equals."""
    return min(levels, key=lambda level: (level.violation, -level.penalised))


def _mean(levels: Sequence[_Judged]) -> _Judged:
    return _Judged(
        level=None,
        value=math.fsum(level.value for level in levels) / len(levels),
        penalised=math.fsum(level.penalised for level in levels) / len(levels),
        softened=math.fsum(level.softened for level in levels) / len(levels),
        violation=math.fsum(level.violation for level in levels),
        excess=_worst(level.excess for level in levels),
    )


def _worst(excesses: Iterable[Mapping[str, float]]) -> dict[str, float]:
    worst: dict[str, float] = {}
    for excess in excesses:
        for name, value in excess.items():
            worst[name] = max(worst.get(name, value), value)
    return worst
