"""The race that ends a task: the best few of the search and the baseline, measured again in rounds. Pure.

Every round measures each contender and the baseline once, in the opposite order of the round before, so that a machine
that slows down touches all alike. After the second round and each later one a contender is proven, goes on or leaves.
Numbers are logarithms. `tests/perf/trust.py` drives this code with simulated tasks; the constants are from there, and
`docs/trust.md` says what they come to.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial

from tuner.analysis.estimates import Estimate, Row, estimate, spread, within

CONTENDERS = 3
"""The best of 10 or 20 candidates is among the three that measure best much more often than it measures best."""
LEVEL = 0.014
"""Of the error of a look, see `Rules.level`."""
TAIL = 0.01
"""Of the intervals that are shown, on each side: stopping when it looks good, and choosing, make 95 % (`CONFIDENCE`) of
the 98 % that a single look would have."""
CONFIDENCE = 0.95
GIVE_UP = 1.8
"""Standard errors that a gain must have reached in the last round; before, as much of it as of the rounds is done."""
BEHIND = 0.7
"""Standard errors: who is further behind the leader leaves."""
NEAR = 0.1
"""Who is over a hard SLO by less than this in one measurement may hold it: measured again if it is good otherwise."""
BASELINE_FAILS = 2
"""Fresh measurements of the baseline that must have failed for it to have failed."""
OVER = 0.5
"""Standard errors: whose mean is further past a hard SLO leaves."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One fresh measurement, in logarithms."""

    merit: float
    """What configurations are ordered by, turned so that more is better."""
    margins: tuple[float, ...] = ()
    """limit/actual of each hard SLO: above 0 is met."""
    values: tuple[float, ...] = ()
    """Each objective's own value, turned so that more is better."""
    limits: tuple[float, ...] = ()
    """As `margins`, of every SLO and without its `fail_ratio`: what a report says, decides nothing."""

    @property
    def room(self) -> float:
        """The least margin; infinite without hard SLOs."""
        return min(self.margins, default=math.inf)


Readings = Mapping[int, Sequence[Reading | None]]
"""By number of the experiment that they measure again, in the order they were taken; None: it failed."""
Pick = Callable[[Reading], float]


@dataclass(frozen=True, slots=True)
class Rules:
    baseline: int | None
    """None: there is nothing to compare with, so that the best one is measured again alone."""
    rounds: int = 8
    beyond: float = 0.0
    """The least gain that counts: a proven one lies beyond it."""
    baseline_missed: bool = False
    """It missed a hard SLO in the search: a contender is also proven by meeting them all where it does not."""

    def level(self, rounds: int) -> float:
        """The one-sided error of the look after so many rounds: small at first, smaller the more looks there are."""
        whole = max(self.rounds, rounds)
        level = min(TAIL, LEVEL * rounds / (whole * math.sqrt(whole)))
        return level / 2 if self.baseline_missed else level  # there are two ways to be proven

    def required(self, rounds: int) -> float:
        """Standard errors of gain without which more rounds are not worth it."""
        return GIVE_UP * rounds / self.rounds


class Left(StrEnum):
    """Why one is out."""

    FAILED = "failed"
    OVER_SLO = "over_slo"
    BEHIND = "behind"
    """Another contender is clearly better."""
    NO_GAIN = "no_gain"
    """So little gain that more rounds would hardly show one."""


def merit_of(reading: Reading) -> float:
    return reading.merit


def _margin(reading: Reading, index: int) -> float:
    return reading.margins[index]


@dataclass(frozen=True)
class Race:
    """How a race stands, from whatever was measured; its end where nothing is due."""

    rules: Rules
    readings: Readings
    joined: Mapping[int, int]
    """All that took part, by the round they came in, the first is 0; the baseline last."""
    left: Mapping[int, Left]
    due: tuple[int, ...] = ()
    """What is still to be measured in the round that is under way, in this order."""
    proven: int | None = None
    rounds: int = 0
    """Measured whole."""

    @property
    def contenders(self) -> list[int]:
        return [one for one in self.joined if one != self.rules.baseline]

    @property
    def leader(self) -> int | None:
        """The proven one, else the best that neither failed nor is over an SLO, those that met all SLOs on average
        first; None: none of these was measured."""
        if self.proven is not None:
            return self.proven
        staying = [one for one in self.contenders if self.left.get(one) not in (Left.FAILED, Left.OVER_SLO)]
        return max(filter(self.taken, staying), key=lambda one: (self._met(one), self._mean_merit(one)), default=None)

    def taken(self, one: int) -> list[Reading]:
        return [reading for reading in self.readings.get(one, ()) if reading]

    def gain(self, one: int, pick: Pick = merit_of) -> Estimate | None:
        """Over the baseline, within the rounds of both; None: too few measurements, or no baseline."""
        if self.rules.baseline is None or one not in self.joined:
            return None
        variance, df = self._merit_spread if pick is merit_of else spread(self._rows(pick))
        return estimate(self._differences(one, pick), 2 * variance, df)

    def own(self, one: int, pick: Pick) -> Estimate | None:
        """Of its own measurements; the spread is that of all. None: too few of them."""
        return estimate([pick(reading) for reading in self.taken(one)], *within(self._rows(pick)))

    def margins(self, one: int) -> list[Estimate]:
        """Of each hard SLO; empty: none, or too few measurements."""
        count = len(taken[0].margins) if (taken := self.taken(one)) else 0
        found = [self.own(one, partial(_margin, index=index)) for index in range(count)]
        return [one for one in found if one]

    @property
    def noise(self) -> float | None:
        """The spread of merits from run to run, 0.1 is about 10 %; None: nothing was measured twice."""
        variance, df = self._merit_spread
        return math.sqrt(variance) if df else None

    def look(self) -> "Race":
        """Who is proven and who leaves, now that a round is whole."""
        racing = [one for one in self.contenders if one not in self.left and len(self.taken(one)) > 1]
        shown = [one for one in racing if self._shows(one)]
        if shown:
            return replace(self, proven=max(shown, key=self._mean_merit))
        safe = [one for one in racing if all(margin.low(TAIL) > 0 for margin in self.margins(one))]
        best = max(map(self._mean_merit, safe), default=-math.inf)
        leaving = {one: why for one in racing if (why := self._leaves(one, best))}
        return replace(self, left={**self.left, **leaving})

    def _shows(self, one: int) -> bool:
        gain, level = self.gain(one), self.rules.level(self.rounds)
        if gain is None or any(margin.low(level) <= 0 for margin in self.margins(one)):
            return False
        return gain.low(level) > self.rules.beyond or self._baseline_misses(
            lambda margin, count: margin.high(level / count) < 0
        )

    def _leaves(self, one: int, best: float) -> Left | None:
        if any(not margin.reaches(-OVER) for margin in self.margins(one)):
            return Left.OVER_SLO
        gain = self.gain(one)
        if gain is None:
            return None
        if best - gain.mean > BEHIND * gain.error:
            return Left.BEHIND
        beyond = Estimate(gain.mean - self.rules.beyond, gain.error, gain.df)
        hopeful = beyond.reaches(self.rules.required(self.rounds))
        if hopeful or self._baseline_misses(lambda margin, _: margin.mean < OVER * margin.error):
            return None
        return Left.NO_GAIN

    def _baseline_misses(self, judge: Callable[[Estimate, int], bool]) -> bool:
        if not self.rules.baseline_missed or self.rules.baseline is None:
            return False
        margins = self.margins(self.rules.baseline)
        return any(judge(margin, len(margins)) for margin in margins)

    def _met(self, one: int) -> bool:
        """On average."""
        return all(math.fsum(margins) >= 0 for margins in zip(*(r.margins for r in self.taken(one)), strict=True))

    def _mean_merit(self, one: int) -> float:
        merits = self._differences(one, merit_of)
        return math.fsum(merits) / len(merits) if merits else -math.inf

    def _differences(self, one: int, pick: Pick) -> list[float]:
        """To the baseline of the same round; without a baseline, the values."""
        if self.rules.baseline is None:
            return [pick(reading) for reading in self.taken(one)]
        theirs = self.readings.get(self.rules.baseline, ())[self.joined[one] :]
        pairs = zip(self.readings.get(one, ()), theirs, strict=False)
        return [pick(ours) - pick(their) for ours, their in pairs if ours and their]

    @cached_property
    def _merit_spread(self) -> tuple[float, int]:
        return spread(self._rows(merit_of))

    def _rows(self, pick: Pick) -> list[Row]:
        return [
            (one, joined + index, pick(reading))
            for one, joined in self.joined.items()
            for index, reading in enumerate(self.readings.get(one, ()))
            if reading
        ]


def worth(search: Mapping[int, Reading | None], baseline: Reading | None) -> list[int]:
    """Which candidates are worth measuring again, best first: what beats the baseline, hard SLOs held or nearly.

    Args:
        search: one measurement of each candidate; None: it failed.
    """
    order = sorted(
        (one.room < 0, -one.room if one.room < 0 else 0.0, -one.merit, number)
        for number, one in search.items()
        if one and one.room >= -math.log1p(NEAR) and (baseline is None or _beats(one, baseline))
    )
    return [number for *_, number in order]


def _beats(one: Reading, baseline: Reading) -> bool:
    if baseline.room >= 0:
        return one.merit > baseline.merit
    return one.room >= 0 or one.room > baseline.room


def race(order: Sequence[int], readings: Readings, rules: Rules) -> Race:
    """Replays a race from its first round with what was measured, so that one can be taken up at any moment.

    Args:
        order: the candidates worth measuring again, best first. For one that fails or is over an SLO the next comes in.
    """
    waiting, joined, left = list(order), dict[int, int](), dict[int, Left]()
    found = Race(rules, readings, joined, left)
    for number in range(rules.rounds):
        while waiting and _places(rules, joined, left) and number < max(1, rules.rounds - 1):
            joined[waiting.pop(0)] = number
        field = [one for one in joined if one not in left]
        arms = _turn(field, rules.baseline, number)
        due = tuple(one for one in arms if len(readings.get(one, ())) <= number - joined.get(one, 0))
        found = replace(found, joined=_with(joined, rules.baseline), left=left)
        if due or not field:
            return replace(found, due=due if field else ())
        left |= {
            one: Left.FAILED for one in arms if _fails(one, readings[one][: number + 1 - joined.get(one, 0)], rules)
        }
        found = replace(found, left=left, rounds=number + 1)
        if rules.baseline in left:
            return found
        found = replace(_until(found, number + 1).look(), readings=readings) if number else found
        if found.proven is not None:
            return found
        left = dict(found.left)
    return found


def _fails(one: int, taken: Sequence[Reading | None], rules: Rules) -> bool:
    """A contender fails by failing once: it is not to be relied on. The baseline fails by failing twice; one round less
    to compare with is no reason to end the race."""
    return list(taken).count(None) >= (BASELINE_FAILS if one == rules.baseline else 1)


def _places(rules: Rules, joined: Mapping[int, int], left: Mapping[int, Left]) -> bool:
    gone = sum(left.get(one) in (Left.FAILED, Left.OVER_SLO) for one in joined)
    return len(joined) - gone < (1 if rules.baseline is None else CONTENDERS)


def _turn(field: Sequence[int], baseline: int | None, number: int) -> list[int]:
    arms = [*field, *([] if baseline is None else [baseline])]
    return arms[::-1] if number % 2 else arms


def _with(joined: Mapping[int, int], baseline: int | None) -> dict[int, int]:
    return {**joined, **({} if baseline is None else {baseline: 0})}


def _until(found: Race, rounds: int) -> Race:
    """As it stood after so many rounds."""
    cut = {one: found.readings.get(one, ())[: rounds - joined] for one, joined in found.joined.items()}
    return replace(found, readings=cut)
