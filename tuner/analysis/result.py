"""What a task came to, as one value: the public report format, and what is still to be confirmed. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from tuner.analysis.effects import Effect, effects
from tuner.analysis.formatting import percent
from tuner.analysis.noise import Drift, drift
from tuner.analysis.notes import Note, notes
from tuner.analysis.score import LAST, front, judged, rank, ranked, unjudged
from tuner.analysis.verdict import Verdict, finished, verdict
from tuner.domain import Experiment, ExperimentState, Params, Role, Score, Task, TaskState
from tuner.engines import ENGINES
from tuner.spec.objectives import SLO, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen


class Bound(Frozen):
    """An SLO at an experiment's operating points; the worst of them, where there are several."""

    name: str
    """`ttft.p90`."""
    threshold_s: float
    actual_s: float
    excess: float
    """actual/threshold − 1: 0.2 is 20 % over."""
    met: bool
    hard: bool


class Standing(Frozen):
    """How one finished experiment did."""

    number: int
    role: Role
    params: Params
    place: int | None
    """1 is the best of baseline and candidates; None for confirmations and for what cannot be judged."""
    confirms: int | None
    feasible: bool
    scores: tuple[Score, ...]
    """By `Result.objectives`; empty: it cannot be judged."""
    relative_to_baseline: tuple[float, ...]
    """Per objective its value ÷ the baseline's, both as measured in the search; empty where one is missing."""
    bounds: tuple[Bound, ...]
    binding: str | None
    """The SLO closest to its bound, or furthest past it."""
    reason: str | None
    """Why it failed, cannot be judged or is infeasible, in a sentence."""


class Result(Frozen):
    """All that a report shows. The JSON of this model is the public report format."""

    format: Literal[1] = 1
    task_id: str
    task_name: str
    state: TaskState
    error: str | None
    spec: TaskSpec
    simulated: bool
    """Measured on the simulated engine: the numbers say nothing about real hardware."""
    started_at: datetime | None
    finished_at: datetime | None
    objectives: tuple[Objective, ...]
    """The task's own, per GPU where experiments used different numbers of them."""
    slos: tuple[SLO, ...]
    verdict: Verdict
    baseline: int | None
    winner: int | None
    """The best feasible experiment, whether or not it is proven; several objectives are weighed equally."""
    nearest: int | None
    """Where nothing is feasible: the experiment that misses the hard SLOs by least."""
    front: tuple[int, ...]
    """With several objectives: the experiments that no other beats in one without losing in another."""
    standings: tuple[Standing, ...]
    """Baseline and candidates, best first, those that cannot be judged last; then the confirmations."""
    effects: tuple[Effect, ...]
    experiments: tuple[Experiment, ...]
    """By number, with scores by `objectives`."""
    notes: tuple[Note, ...] = ()
    """What to know of the numbers, what is told of most load levels first."""
    drift: Drift | None = None
    """Of the machine, as its baseline shows it; None: the baseline was not measured again."""

    def experiment(self, number: int) -> Experiment:
        return next(one for one in self.experiments if one.number == number)

    def standing(self, number: int) -> Standing:
        return next(one for one in self.standings if one.number == number)


def result(task: Task, experiments: Sequence[Experiment]) -> Result:
    """Sums up a task at any moment; before it has ended, the verdict holds so far."""
    objectives, scored = judged(task.spec, sorted(experiments, key=lambda one: one.number))
    runs = finished(scored, objectives)
    order = ranked(runs.searched, objectives)
    hopeful = order[0] if order and rank(order[0], objectives) != LAST else None
    slos = task.spec.slo.bounds if task.spec.slo else ()
    return Result(
        task_id=task.id,
        task_name=task.spec.task_name,
        state=task.state,
        error=task.error,
        spec=task.spec,
        simulated=(engine := ENGINES.get(task.spec.base_runtime)) is not None and engine.simulated,
        started_at=task.started_at,
        finished_at=task.finished_at,
        objectives=objectives,
        slos=slos,
        verdict=verdict(task.spec, objectives, scored),
        baseline=runs.baseline.number if runs.baseline else None,
        winner=runs.winner.number if runs.winner else None,
        nearest=hopeful.number if hopeful and runs.winner is None else None,
        front=tuple(one.number for one in front(runs.searched, objectives)) if len(objectives) > 1 else (),
        standings=tuple(
            _standing(one, place, runs.baseline, task.spec, objectives)
            for place, one in [*enumerate(order, 1), *((None, one) for one in runs.confirmations)]
        ),
        effects=effects(runs.searched, objectives),
        experiments=tuple(scored),
        notes=notes(scored),
        drift=drift(objectives, runs.baseline, runs.again(runs.baseline)),
    )


def to_confirm(spec: TaskSpec, experiments: Sequence[Experiment]) -> list[tuple[int, Params]]:
    """What is still to be measured again, in order: (number of the experiment it confirms, its parameters).

    Winner and baseline alternate, so that a machine that warms up or slows down touches both alike. Empty where the
    winner is the baseline, where nothing is feasible, and where all is done; without a baseline that can be compared
    the winner alone. Finished confirmations count even when they failed; running ones do not.
    """
    objectives, scored = judged(spec, experiments)
    runs = finished(scored, objectives)
    if runs.winner is None or runs.winner is runs.baseline:
        return []
    comparable = runs.baseline is not None and rank(runs.baseline, objectives) != LAST
    pair = [runs.winner, runs.baseline] if comparable else [runs.winner]
    return [
        (one.number, one.params)
        for turn in range(spec.optimization.confirm)
        for one in pair
        if one is not None and turn >= len(runs.again(one))
    ]


def _standing(
    one: Experiment, place: int | None, baseline: Experiment | None, spec: TaskSpec, objectives: Sequence[Objective]
) -> Standing:
    bounds = _bounds(one, spec.slo.bounds if spec.slo else ())
    pairs = zip(one.scores, baseline.scores if baseline else (), strict=False)
    ratios = [score.value / other.value for score, other in pairs if other.value > 0]
    return Standing(
        number=one.number,
        role=one.role,
        params=one.params,
        place=place if rank(one, objectives) != LAST else None,
        confirms=one.confirms,
        feasible=one.feasible,
        scores=one.scores,
        relative_to_baseline=tuple(ratios) if len(ratios) == len(objectives) else (),
        bounds=bounds,
        binding=max(bounds, key=lambda bound: bound.excess).name if bounds else None,
        reason=_reason(one, bounds, spec, objectives),
    )


def _bounds(one: Experiment, slos: Sequence[SLO]) -> tuple[Bound, ...]:
    worst = {slo.name: max((s.excess[slo.name] for s in one.scores), default=None) for slo in slos}
    return tuple(
        Bound(
            name=slo.name,
            threshold_s=slo.threshold,
            actual_s=slo.threshold * (1 + excess),
            excess=excess,
            met=excess <= 0,
            hard=slo.hard,
        )
        for slo in slos
        if (excess := worst[slo.name]) is not None
    )


def _reason(one: Experiment, bounds: Sequence[Bound], spec: TaskSpec, objectives: Sequence[Objective]) -> str | None:
    if one.failure is not None:
        return f"{one.failure.kind}: {one.failure.message}"
    if one.state is ExperimentState.FAILED:
        return "It failed."
    if not one.scores:
        return unjudged(spec, objectives, one.points)
    if one.feasible:
        return None
    missed = [f"{bound.name} by {percent(bound.excess)}" for bound in bounds if bound.hard and not bound.met]
    return f"Misses {', '.join(missed)}."
