"""What fresh measurements say of gains and SLOs: values with their intervals. Pure."""

import math
from collections.abc import Sequence
from functools import partial
from statistics import NormalDist
from typing import Literal

from tuner.analysis import student
from tuner.analysis.confirmation import Finished
from tuner.analysis.estimates import Estimate
from tuner.analysis.formatting import described, percent, statistic
from tuner.analysis.race import CONFIDENCE, CONTENDERS, TAIL, Race, Reading, Rules
from tuner.analysis.score import geometric_mean
from tuner.domain import Experiment
from tuner.spec.objectives import SLO, Objective
from tuner.spec.values import Frozen

POWER = 0.8
"""How often a gain that counts as visible would be shown."""
MOST_ROUNDS = 500
"""More rounds than this are no advice."""
Standing = Literal["met", "missed", "too_close"]


class Gain(Frozen):
    """The winner's values of one objective against the baseline's, without SLO penalties. Parts: 0.2 is 20 % better.

    Maximizing it is winner/baseline − 1, minimizing 1 − winner/baseline: half the latency is 50 % better.
    """

    objective: Objective
    baseline: tuple[float, ...]
    winner: tuple[float, ...]
    fresh: bool
    """From the race; else from the search itself, where the value that won was lucky as well as good."""
    gain: float | None
    """Of geometric means, within the rounds of both. None: a value is 0."""
    low: float | None
    """Ends of Student's interval of the ratio; None: measured too few times to know a spread."""
    high: float | None
    confidence: float | None = None
    """How often such an interval covers the truth, over whole tasks; None: there is no interval."""
    shown: bool = False
    """The interval lies beyond `min_effect`: the winner is better in this."""


class SLOVerdict(Frozen):
    """An SLO of one experiment over its fresh measurements."""

    experiment: int
    name: str
    """`ttft.p90`."""
    hard: bool
    threshold_s: float
    actual_s: float
    """Geometric mean."""
    low_s: float
    high_s: float
    verdict: Standing
    """Met and missed: the interval lies on that side of the threshold."""
    measurements: int


class Again(Frozen):
    """The fresh measurements of one experiment, in one objective."""

    value: float
    """Geometric mean."""
    low: float | None
    """Ends of Student's interval (`race.CONFIDENCE`); None: measured too few times to know a spread."""
    high: float | None
    measurements: int


def part(objective: Objective | None, logarithm: float) -> float:
    """A difference of logarithms, more being better, as a gain. None: of several objectives together."""
    falling = objective is not None and objective.direction == "minimize"
    return -math.expm1(-logarithm) if falling else math.expm1(min(logarithm, 700.0))


def fresh_gains(runs: Finished, objectives: Sequence[Objective], winner: Experiment) -> tuple[Gain, ...]:
    """From the race, one for each objective, their error shared between them; empty: no round has both."""
    raced, baseline = runs.race, runs.baseline
    if baseline is None or raced.rules.baseline is None or not raced.taken(winner.number):
        return ()
    ours, theirs = ([other for other in runs.again(one) if other.scores] for one in (winner, baseline))
    if not theirs:
        return ()
    return tuple(
        _gain(
            objective,
            [one.scores[index].value for one in ours],
            [one.scores[index].value for one in theirs],
            raced.gain(winner.number, partial(_logarithm, index=index)),
            raced,
            tail(raced, winner.number, len(objectives)),
        )
        for index, objective in enumerate(objectives)
    )


def search_gains(objectives: Sequence[Objective], winner: Experiment, baseline: Experiment) -> tuple[Gain, ...]:
    """One measurement of each."""
    return tuple(
        Gain(
            objective=objective,
            winner=(ours.value,),
            baseline=(theirs.value,),
            fresh=False,
            gain=_ratio(objective, ours.value, theirs.value),
            low=None,
            high=None,
        )
        for objective, ours, theirs in zip(objectives, winner.scores, baseline.scores, strict=True)
    )


def tail(raced: Race, winner: int, count: int = 1) -> float:
    """Of an interval, on each side. Where nothing is proven it is the one that decided: it includes no difference."""
    usual = TAIL if raced.proven == winner else min(TAIL, raced.rules.level(max(2, raced.rounds)))
    return usual / count


def _gain(
    objective: Objective,
    ours: Sequence[float],
    theirs: Sequence[float],
    estimate: Estimate | None,
    raced: Race,
    side: float,
) -> Gain:
    plain = _ratio(objective, geometric_mean(ours), geometric_mean(theirs))
    found = Gain(
        objective=objective, winner=tuple(ours), baseline=tuple(theirs), fresh=True, gain=plain, low=None, high=None
    )
    if estimate is None or min(*ours, *theirs) <= 0:
        return found
    known = {
        "gain": part(objective, estimate.mean),
        "low": part(objective, estimate.low(side)),
        "high": part(objective, estimate.high(side)),
        "confidence": CONFIDENCE,
        "shown": estimate.low(side) > raced.rules.beyond,
    }
    return found.model_copy(update=known)


def slo_verdicts(raced: Race, slos: Sequence[SLO], one: int) -> tuple[SLOVerdict, ...]:
    """Of an experiment in the race; empty: it has none, or was measured too few times."""
    found = []
    for index, slo in enumerate(slos):
        room = raced.own(one, partial(_limit, index=index))
        if room is None:
            continue
        low, high = room.low(TAIL), room.high(TAIL)
        found.append(
            SLOVerdict(
                experiment=one,
                name=slo.name,
                hard=slo.hard,
                threshold_s=slo.threshold,
                actual_s=slo.threshold * math.exp(-room.mean),
                low_s=slo.threshold * math.exp(-high),
                high_s=slo.threshold * math.exp(-low),
                verdict="met" if low > 0 else "missed" if high < 0 else "too_close",
                measurements=len(raced.taken(one)),
            )
        )
    return tuple(found)


def again(runs: Finished, objectives: Sequence[Objective], one: Experiment) -> tuple[Again, ...]:
    """One for each objective; empty: it was not measured again."""
    taken = [other for other in runs.again(one) if other.scores]
    found = []
    for index, objective in enumerate(objectives if taken else ()):
        values = [other.scores[index].value for other in taken]
        estimate = runs.race.own(one.number, partial(_logarithm, index=index)) if min(values) > 0 else None
        sign = -1 if objective.direction == "minimize" else 1
        ends = sorted(math.exp(sign * end) for end in (estimate.low(TAIL), estimate.high(TAIL))) if estimate else None
        low, high = ends or (None, None)
        found.append(Again(value=geometric_mean(values), low=low, high=high, measurements=len(values)))
    return tuple(found)


def bound(raced: Race, objective: Objective | None) -> float | None:
    """The most that the best of those measured again may be better by; None: too few measurements."""
    gains = [raced.gain(one) for one in raced.contenders if raced.taken(one)]
    highs = [gain.high(TAIL) for gain in gains if gain]
    return part(objective, max(highs)) if highs else None


def visible(noise: float, rules: Rules, objective: Objective | None) -> float | None:
    """The gain that a race of this noise shows in 4 of 5 tasks, when the best candidate is in it; None: in none."""
    if rules.rounds < 2:
        return None
    return part(objective, rules.beyond + noise * _errors(rules.rounds, rules.level(rules.rounds)))


def launches(noise: float, rules: Rules, gain: float) -> int | None:
    """Of the winner and the baseline, to show a gain (a logarithm) in 4 of 5 tasks; None: too many."""
    room, rounds = gain - rules.beyond, 2
    while room > 0 and rounds < MOST_ROUNDS:
        if noise * _errors(rounds, rules.level(rules.rounds)) <= room:
            return 2 * rounds
        rounds = max(rounds + 1, round(rounds * 1.02))
    return None


def expected(rules: Rules, candidates: int) -> tuple[int, int]:
    """Launches of a race, about and at most: all in two rounds, then about as many again for who is left."""
    if not candidates:
        return 0, 0
    most = min(CONTENDERS, candidates) + 1 if rules.baseline is not None else 1
    whole = rules.rounds * most
    return (whole if rules.baseline is None else min(whole, 2 * most + min(4, 2 * max(0, rules.rounds - 2)))), whole


def against(one: Gain) -> str:
    """As a cell of a table: `+24 % (+19 % to +31 %)`, `no difference shown (-3.0 % to +9.0 %)`; better is above 0."""
    if one.gain is None:
        return ""
    if one.low is None or one.high is None:
        return percent(one.gain, signed=True)
    interval = f"({percent(one.low, signed=True)} to {percent(one.high, signed=True)})"
    return f"{percent(one.gain, signed=True)} {interval}" if differs(one) else f"no difference shown {interval}"


def change(one: Gain) -> str:
    """`24 % more output tokens/s (+19 % to +31 %)`, or that no difference was shown."""
    metric, up = one.objective.metric, one.objective.direction == "maximize"
    name = statistic(metric, one.objective.statistic)
    if one.gain is None:
        return f"{described(one.objective, math.fsum(one.winner) / len(one.winner))} instead of none"
    text = f"{percent(abs(one.gain))} {'more' if up == (one.gain >= 0) else 'less'} {name}"
    if one.low is None or one.high is None:
        return text
    low, high = (one.low, one.high) if up else (-one.high, -one.low)
    interval = f"({percent(low, signed=True)} to {percent(high, signed=True)})"
    return f"{text} {interval}" if differs(one) else f"no difference shown in {name} {interval}"


def differs(one: Gain) -> bool:
    """For better or worse; a single measurement of each is taken at its word, and whoever shows it says that."""
    return one.low is None or one.high is None or one.shown or one.high < 0


def _errors(rounds: int, level: float) -> float:
    """Standard errors of a difference after so many rounds, for one run's noise."""
    needed = student.quantile(1 - level, 2 * (rounds - 1)) + NormalDist().inv_cdf(POWER)
    return needed * math.sqrt(2 / rounds)


def _ratio(objective: Objective, ours: float, theirs: float) -> float | None:
    if theirs <= 0:
        return None
    return 1 - ours / theirs if objective.direction == "minimize" else ours / theirs - 1


def _logarithm(reading: Reading, index: int) -> float:
    return reading.values[index]


def _limit(reading: Reading, index: int) -> float:
    return reading.limits[index]
