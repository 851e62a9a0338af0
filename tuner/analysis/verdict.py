"""What a task has shown: the winner against the engine's defaults, in numbers and in a sentence. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuner.analysis.formatting import described, duration, percent, statistic
from tuner.analysis.score import LAST, best, rank, ranked
from tuner.domain import Experiment, ExperimentState, Role
from tuner.spec.objectives import SLO, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen


class Outcome(StrEnum):
    NOTHING_COMPLETED = "nothing_completed"
    INFEASIBLE = "infeasible"
    """Every configuration misses a hard SLO."""
    DEFAULTS_BEST = "defaults_best"
    NO_BASELINE = "no_baseline"
    BASELINE_FAILED = "baseline_failed"
    UNCONFIRMED = "unconfirmed"
    """Too few fresh measurements to prove anything: turned off, one each, or not all done."""
    FAILED_AGAIN = "failed_again"
    """The winner failed when it was measured again."""
    SLO_MISSED_AGAIN = "slo_missed_again"
    """The winner missed a hard SLO when it was measured again."""
    OVERLAP = "overlap"
    WORSE_AGAIN = "worse_again"
    """Measured again, the engine's defaults were better every time."""
    PROVEN = "proven"


class Gain(Frozen):
    """The winner's values of one objective against the baseline's, without SLO penalties. Parts: 0.2 is 20 % better.

    Maximizing it is winner/baseline − 1, minimizing 1 − winner/baseline: half the latency is 50 % better.
    """

    objective: Objective
    baseline: tuple[float, ...]
    winner: tuple[float, ...]
    fresh: bool
    """From confirmations; else from the search itself, where the value that won was lucky as well as good."""
    gain: float | None
    """Of the means. None, as `low` and `high`: the baseline's value is 0."""
    low: float | None
    """The worst of the winner against the best of the baseline."""
    high: float | None


class Verdict(Frozen):
    outcome: Outcome
    text: str
    gains: tuple[Gain, ...] = ()
    """One per objective, where winner and baseline can be compared."""
    luck: float | None = None
    """How often two equal configurations would show this order of fresh measurements: 1/6 for two each."""

    @property
    def proven(self) -> bool:
        return self.outcome is Outcome.PROVEN


@dataclass(frozen=True)
class Finished:
    """The experiments of a task by what they are for, without those that still run."""

    baseline: Experiment | None
    searched: Sequence[Experiment]
    """Baseline and candidates."""
    winner: Experiment | None
    confirmations: Sequence[Experiment]

    def again(self, one: Experiment | None) -> list[Experiment]:
        """The fresh measurements of an experiment."""
        return [other for other in self.confirmations if one is not None and other.confirms == one.number]


def finished(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> Finished:
    """The winner is found among baseline and candidates: confirmations never change it."""
    done = [one for one in experiments if one.state is not ExperimentState.RUNNING]
    searched = [one for one in done if one.role is not Role.CONFIRMATION]
    return Finished(
        baseline=next((one for one in searched if one.role is Role.BASELINE), None),
        searched=searched,
        winner=best(searched, objectives),
        confirmations=[one for one in done if one.role is Role.CONFIRMATION],
    )


def verdict(spec: TaskSpec, objectives: Sequence[Objective], experiments: Sequence[Experiment]) -> Verdict:
    """Judges what is there, at any moment of a task. Experiments must be scored (`score.judged`).

    Proven is a winner whose every fresh measurement holds the hard SLOs and ranks above every fresh measurement of the
    baseline, with at least two of each. Ranks count SLOs: against defaults that miss one, a winner may be proven
    without a gain in the objective, and the sentence says so.
    """
    runs, slos = finished(experiments, objectives), spec.slo.bounds if spec.slo else ()
    winner, baseline = runs.winner, runs.baseline
    if all(rank(one, objectives) == LAST for one in runs.searched):
        return Verdict(outcome=Outcome.NOTHING_COMPLETED, text=_nothing(runs.searched))
    if winner is None:
        nearest = ranked(runs.searched, objectives)[0]
        missed = misses([nearest], slos, hard=True)
        text = f"No configuration meets the SLOs. The nearest is {_name(nearest)}: it {missed}."
        return Verdict(outcome=Outcome.INFEASIBLE, text=text)
    if winner is baseline:
        return Verdict(outcome=Outcome.DEFAULTS_BEST, text=_defaults(winner, runs.searched, objectives, slos))
    return _against_baseline(spec, objectives, runs, winner, slos)


def misses(experiments: Sequence[Experiment], slos: Sequence[SLO], hard: bool = False) -> str:
    """`misses p90 time to first token by 40 % (420 ms, limit 300 ms)`, worst first; empty where all hold.

    Args:
        hard: only the hard SLOs missed by more than their `fail_ratio`.
    """
    excess: dict[str, float] = {}
    for one in experiments:
        for score in one.scores:
            for name, value in score.excess.items():
                excess[name] = max(excess.get(name, value), value)
    missed = [
        (slo, excess[slo.name])
        for slo in sorted(slos, key=lambda slo: -excess.get(slo.name, 0))
        if excess.get(slo.name, 0) > (slo.fail_ratio if hard else 0) and (slo.hard or not hard)
    ]
    parts = [
        f"{statistic(slo.metric, slo.statistic)} by {percent(over)} "
        f"({duration(slo.threshold * (1 + over))}, limit {duration(slo.threshold)})"
        for slo, over in missed
    ]
    return f"misses {' and '.join(parts)}" if parts else ""


def _against_baseline(
    spec: TaskSpec, objectives: Sequence[Objective], runs: Finished, winner: Experiment, slos: Sequence[SLO]
) -> Verdict:
    asked, again = spec.optimization.confirm, runs.again(winner)
    judged = [one for one in again if rank(one, objectives) != LAST]
    own = _values(judged or [winner], objectives)
    if soft := misses([winner], slos):
        own += f" It {soft}."
    if failed := [one for one in again if one not in judged]:
        why = failed[0].failure.message if failed[0].failure else "a load level failed"
        text = f"Not proven: {_name(winner)} won the search, but failed when measured again ({_end(why)})."
        return Verdict(outcome=Outcome.FAILED_AGAIN, text=text)
    if infeasible := [one for one in judged if not one.feasible]:
        text = (
            f"Not proven: measured again, {_name(winner)} {misses(infeasible, slos, hard=True)} "
            f"in {len(infeasible)} of {_count(len(judged), 'measurement')}."
        )
        return Verdict(outcome=Outcome.SLO_MISSED_AGAIN, text=text)
    if runs.baseline is None:
        text = (
            f"{_name(winner, True)} is the best of {len(runs.searched)}: {own} There is no baseline to compare it with."
        )
        return Verdict(outcome=Outcome.NO_BASELINE, text=text)
    fresh = [one for one in runs.again(runs.baseline) if rank(one, objectives) != LAST]
    if rank(runs.baseline, objectives) == LAST or (not fresh and runs.again(runs.baseline)):
        text = f"The engine's defaults failed, so there is nothing to compare with. {_name(winner, True)} works: {own}"
        return Verdict(outcome=Outcome.BASELINE_FAILED, text=text)
    if judged and fresh:
        return _fresh(objectives, winner, judged, fresh, asked, slos)
    gains = _gains(objectives, [winner], [runs.baseline], fresh=False)
    why = "confirmation is turned off" if not asked else "the fresh measurements are still missing"
    text = f"Not confirmed, one measurement each ({why}): {_compared(winner, gains)}"
    return Verdict(outcome=Outcome.UNCONFIRMED, text=text, gains=gains)


def _fresh(
    objectives: Sequence[Objective],
    winner: Experiment,
    judged: Sequence[Experiment],
    fresh: Sequence[Experiment],
    asked: int,
    slos: Sequence[SLO],
) -> Verdict:
    """Fresh measurements of both are there, and the winner's all hold the hard SLOs."""
    gains = _gains(objectives, judged, fresh, fresh=True)
    ours, theirs = [[rank(one, objectives) for one in group] for group in (judged, fresh)]
    compared, luck = _compared(winner, gains), 1 / math.comb(len(ours) + len(theirs), len(ours))
    fewest = min(len(ours), len(theirs))
    if fewest < max(2, asked):
        text = f"Not confirmed by {_count(fewest, 'fresh measurement')} each, it takes {max(2, asked)}: {compared}"
        return Verdict(outcome=Outcome.UNCONFIRMED, text=text, gains=gains)
    if min(ours) > max(theirs):
        text = f"Not proven: measured again, the defaults were better every time. {_compared(winner, gains, True)}"
        return Verdict(outcome=Outcome.WORSE_AGAIN, text=text, gains=gains, luck=luck)
    if max(ours) >= min(theirs):
        text = f"Not proven: the measurements overlap. {_compared(winner, gains, True)}"
        return Verdict(outcome=Outcome.OVERLAP, text=text, gains=gains)
    missed = misses(fresh, slos)
    counted = any(gain.low is None or gain.low <= 0 for gain in gains)
    caveat = ", with the SLOs counted" if missed and counted else ", all objectives together" if counted else ""
    text = (
        f"Proven{caveat}: {compared} No overlap in {_count(fewest, 'fresh, interleaved measurement')} each; "
        f"equal configurations would show that 1 time in {round(1 / luck):,}."
    )
    if missed:
        text += f" The baseline {missed}."
    if soft := misses(judged, slos):
        text += f" The winner {soft}."
    return Verdict(outcome=Outcome.PROVEN, text=text, gains=gains, luck=luck)


def _gains(
    objectives: Sequence[Objective], winner: Sequence[Experiment], baseline: Sequence[Experiment], fresh: bool
) -> tuple[Gain, ...]:
    return tuple(
        gain(
            objective, [one.scores[index].value for one in winner], [one.scores[index].value for one in baseline], fresh
        )
        for index, objective in enumerate(objectives)
    )


def gain(objective: Objective, winner: Sequence[float], baseline: Sequence[float], fresh: bool) -> Gain:
    """Compares the means, and the extremes both ways."""
    down = objective.direction == "minimize"

    def better(ours: float, theirs: float) -> float | None:
        return None if theirs <= 0 else 1 - ours / theirs if down else ours / theirs - 1

    worst, finest = (max, min) if down else (min, max)
    return Gain(
        objective=objective,
        winner=tuple(winner),
        baseline=tuple(baseline),
        fresh=fresh,
        gain=better(math.fsum(winner) / len(winner), math.fsum(baseline) / len(baseline)),
        low=better(worst(winner), finest(baseline)),
        high=better(finest(winner), worst(baseline)),
    )


def change(one: Gain) -> str:
    """`24 % more output tokens/s (+19 % to +31 %)`."""
    metric, up = one.objective.metric, one.objective.direction == "maximize"
    name = statistic(metric, one.objective.statistic)
    if one.gain is None or one.low is None or one.high is None:
        return f"{described(one.objective, math.fsum(one.winner) / len(one.winner))} instead of none"
    text = f"{percent(abs(one.gain))} {'more' if up == (one.gain >= 0) else 'less'} {name}"
    if len(one.winner) == len(one.baseline) == 1:
        return text
    low, high = (one.low, one.high) if up else (-one.high, -one.low)
    return f"{text} ({percent(low, signed=True)} to {percent(high, signed=True)})"


def _compared(winner: Experiment, gains: Sequence[Gain], first: bool = False) -> str:
    return f"{_name(winner, first)} gives {', '.join(map(change, gains))} than the engine's defaults."


def _values(experiments: Sequence[Experiment], objectives: Sequence[Objective]) -> str:
    parts = []
    for index, objective in enumerate(objectives):
        values = [one.scores[index].value for one in experiments]
        low, high = (described(objective, value) for value in (min(values), max(values)))
        parts.append(low if low == high else f"{low} to {high}")
    return f"{', '.join(parts)}."


def _nothing(searched: Sequence[Experiment]) -> str:
    if not searched:
        return "Nothing was measured yet."
    kinds = Counter(one.failure.kind.replace("_", " ") if one.failure else "incomplete" for one in searched)
    reasons = ", ".join(f"{kind} {count}" if len(kinds) > 1 else kind for kind, count in kinds.most_common())
    return f"Nothing completed: {_count(len(searched), 'experiment')} failed ({reasons})."


def _defaults(
    baseline: Experiment, searched: Sequence[Experiment], objectives: Sequence[Objective], slos: Sequence[SLO]
) -> str:
    others = len(searched) - 1
    head = f"None of {_count(others, 'configuration')} beats" if others else "Nothing was measured but"
    text = f"{head} the engine's defaults: {_values([baseline], objectives)}"
    return f"{text} They {soft.replace('misses', 'miss', 1)}." if (soft := misses([baseline], slos)) else text


def _name(one: Experiment, first: bool = False) -> str:
    name = "the baseline" if one.role is Role.BASELINE else f"experiment {one.number}"
    return name[0].upper() + name[1:] if first else name


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _end(message: str) -> str:
    return message.strip().rstrip(".")
