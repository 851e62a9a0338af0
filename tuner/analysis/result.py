"""What a task came to, as one value: the public report format, and what is still to be confirmed. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from tuner.analysis.confirmation import Finished, finished
from tuner.analysis.effects import Effect, effects
from tuner.analysis.formatting import percent
from tuner.analysis.gains import Again, Gain, SLOVerdict, again, fresh_gains, slo_verdicts
from tuner.analysis.noise import Drift, drift
from tuner.analysis.notes import Note, notes
from tuner.analysis.score import LAST, front, judged, rank, ranked, unjudged
from tuner.analysis.verdict import Verdict, verdict
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
    """Of a single measurement; where `verdict` is there, that says met."""
    hard: bool
    verdict: Literal["met", "missed", "too_close"] | None = None
    """From fresh measurements and their spread; None: measured once."""


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
    again: tuple[Again, ...] = ()
    """Its fresh measurements, by `Result.objectives`; empty: it was not measured again."""
    against_baseline: tuple[Gain, ...] = ()
    """Its gains in fresh measurements, by `Result.objectives`; empty: there are none of both."""


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
    """The best of those measured again, whether or not it is proven (`verdict.proven`); before that the best feasible
    one of the search. Several objectives are weighed equally."""
    nearest: int | None
    """Where nothing is feasible: the experiment that misses the hard SLOs by least."""
    front: tuple[int, ...]
    """With several objectives: the experiments that no other beats in one without losing in another."""
    standings: tuple[Standing, ...]
    """Baseline and candidates, best first, those that cannot be judged last; then the confirmations."""
    effects: tuple[Effect, ...]
    experiments: tuple[Experiment, ...]
    """By number, with scores by `objectives`."""
    noise: float | None = None
    """From run to run: the pooled spread of fresh measurements, of logarithms, so that 0.1 is about 10 %."""
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
    runs = finished(task.spec, objectives, scored)
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
        noise=runs.race.noise,
        baseline=runs.baseline.number if runs.baseline else None,
        winner=runs.winner.number if runs.winner else None,
        nearest=hopeful.number if hopeful and runs.winner is None else None,
        front=tuple(one.number for one in front(runs.searched, objectives)) if len(objectives) > 1 else (),
        standings=tuple(
            _standing(one, place, runs, task.spec, objectives)
            for place, one in [*enumerate(order, 1), *((None, one) for one in runs.confirmations)]
        ),
        effects=effects(runs.searched, objectives),
        experiments=tuple(scored),
        notes=notes(scored),
        drift=drift(objectives, runs.baseline, runs.again(runs.baseline)),
    )


def to_confirm(spec: TaskSpec, experiments: Sequence[Experiment]) -> list[tuple[int, Params]]:
    """What is still to be measured again in the round that is under way, in order: (number of the experiment that it
    confirms, its parameters). The next round is known when the last of them has ended.

    Empty where the race is over, where nothing beats the baseline or is feasible, and where it is turned off; without a
    baseline that can be compared the best one alone. Finished confirmations count even when they failed; running ones
    do not.
    """
    objectives, scored = judged(spec, experiments)
    runs = finished(spec, objectives, scored)
    params = {one.number: one.params for one in runs.searched}
    return [(number, params[number]) for number in runs.race.due]


def _standing(
    one: Experiment, place: int | None, runs: Finished, spec: TaskSpec, objectives: Sequence[Objective]
) -> Standing:
    slos, baseline = spec.slo.bounds if spec.slo else (), runs.baseline
    raced = slo_verdicts(runs.race, slos, one.number) if one.number in runs.race.joined else ()
    bounds = _bounds(one, slos, {fresh.name: fresh for fresh in raced})
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
        again=again(runs, objectives, one),
        against_baseline=() if one is baseline else fresh_gains(runs, objectives, one),
    )


def _bounds(one: Experiment, slos: Sequence[SLO], fresh: Mapping[str, SLOVerdict]) -> tuple[Bound, ...]:
    worst = {slo.name: max((s.excess[slo.name] for s in one.scores), default=None) for slo in slos}
    return tuple(
        Bound(
            name=slo.name,
            threshold_s=slo.threshold,
            actual_s=slo.threshold * (1 + excess),
            excess=excess,
            met=excess <= 0 if slo.name not in fresh else fresh[slo.name].verdict == "met",
            hard=slo.hard,
            verdict=fresh[slo.name].verdict if slo.name in fresh else None,
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
    missed = [f"{bound.name} by {percent(bound.excess)}" for bound in bounds if bound.hard and bound.excess > 0]
    return f"Misses {', '.join(missed)}."
