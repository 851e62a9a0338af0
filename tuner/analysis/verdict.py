"""What a task has shown: the winner against the engine's defaults, in numbers and in a sentence. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from tuner.analysis import gains, wording
from tuner.analysis.confirmation import Finished, finished
from tuner.analysis.estimates import Estimate
from tuner.analysis.formatting import percent
from tuner.analysis.gains import Gain, SLOVerdict, change
from tuner.analysis.race import TAIL, Left
from tuner.analysis.score import LAST, rank, ranked
from tuner.domain import Experiment
from tuner.spec.objectives import SLO, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen

WORTH_ASKING = 0.05
"""Where less was measured, this is the gain for which the launches are counted that would show it."""


class Outcome(StrEnum):
    NOTHING_COMPLETED = "nothing_completed"
    INFEASIBLE = "infeasible"
    """Every configuration misses a hard SLO."""
    DEFAULTS_BEST = "defaults_best"
    NO_BASELINE = "no_baseline"
    BASELINE_FAILED = "baseline_failed"
    UNCONFIRMED = "unconfirmed"
    """Too few fresh measurements to prove anything: turned off, one round, or not all done."""
    FAILED_AGAIN = "failed_again"
    """What won failed when it was measured again, and nothing else held up."""
    SLO_MISSED_AGAIN = "slo_missed_again"
    """What won missed a hard SLO when it was measured again, and nothing else held up."""
    SLO_TOO_CLOSE = "slo_too_close"
    """Better, but too close to a hard SLO to say that it is met."""
    NO_DIFFERENCE = "no_difference"
    """No contender can be told from the engine's defaults, and `Verdict.bound` is the most that may be missed."""
    OVERLAP = "overlap"
    """Of older reports: no longer given."""
    WORSE_AGAIN = "worse_again"
    """Measured again, the engine's defaults are better."""
    PROVEN = "proven"


HEADLINES = {
    Outcome.NOTHING_COMPLETED: "Nothing completed",
    Outcome.INFEASIBLE: "No configuration meets the SLOs",
    Outcome.DEFAULTS_BEST: "The engine's defaults are best",
    Outcome.NO_BASELINE: "Nothing to compare with",
    Outcome.BASELINE_FAILED: "The engine's defaults failed",
    Outcome.UNCONFIRMED: "Not confirmed",
    Outcome.FAILED_AGAIN: "Failed when measured again",
    Outcome.SLO_MISSED_AGAIN: "SLO missed when measured again",
    Outcome.SLO_TOO_CLOSE: "Too close to an SLO to say",
    Outcome.NO_DIFFERENCE: "No difference found",
    Outcome.OVERLAP: "No difference found",
    Outcome.WORSE_AGAIN: "The engine's defaults are better",
    Outcome.PROVEN: "Proven",
}


class Verdict(Frozen):
    outcome: Outcome
    headline: str = ""
    """A few words: `13 % more output tokens/s (+10 % to +16 %)` where that is proven, with what it costs in other
    objectives; never a gain that is not."""
    text: str
    gains: tuple[Gain, ...] = ()
    """One per objective, where winner and baseline can be compared."""
    luck: float | None = None
    """Of older reports: no longer given."""
    rounds: int = 0
    """In which contenders and baseline were measured again."""
    noise: float | None = None
    """From run to run, the spread of logarithms: 0.1 is about 10 %. None: nothing was measured twice."""
    bound: float | None = None
    """No contender is better by more than this, as a part; None: too few measurements to say."""
    visible_gain: float | None = None
    """What such a race would have shown at this noise, in 4 of 5 tasks."""
    needed_for: float | None = None
    """A gain that was not shown, and could be by more launches."""
    launches_needed: int | None = None
    """Of winner and baseline together, to show `needed_for` at this noise."""
    slos: tuple[SLOVerdict, ...] = ()
    """Of the winner and the baseline, from fresh measurements."""

    @property
    def proven(self) -> bool:
        return self.outcome is Outcome.PROVEN


def headline(one: Verdict) -> str:
    if one.proven and any(gain.shown for gain in one.gains):
        return ", ".join(change(gain) for gain in one.gains if gains.differs(gain))
    if one.outcome is Outcome.NO_DIFFERENCE and one.bound is not None and one.bound > 0:
        return f"{HEADLINES[one.outcome]} (less than {percent(one.bound)} if any)"
    return HEADLINES[one.outcome]


def verdict(spec: TaskSpec, objectives: Sequence[Objective], experiments: Sequence[Experiment]) -> Verdict:
    """Judges what is there, at any moment of a task. Experiments must be scored (`score.judged`).

    Proven is a winner of the race (`race.race`): by what orders configurations, SLO penalties included and several
    objectives weighed equally, the interval of its ratio to the baseline lies beyond `min_effect`, and each hard SLO's
    interval on the side that meets it. Where the baseline missed a hard SLO in the search, meeting all of them counts
    instead of a gain, if fresh measurements show that the baseline misses one. At most 5 % of tasks in which neither is
    so say proven (`docs/trust.md`).
    """
    found = _judged(spec, objectives, finished(spec, objectives, experiments))
    return found.model_copy(update={"headline": headline(found)})


def _judged(spec: TaskSpec, objectives: Sequence[Objective], runs: Finished) -> Verdict:
    slos = spec.slo.bounds if spec.slo else ()
    winner, baseline = runs.winner, runs.baseline
    if all(rank(one, objectives) == LAST for one in runs.searched):
        return Verdict(outcome=Outcome.NOTHING_COMPLETED, text=wording.nothing(runs.searched))
    if winner is None:
        nearest = ranked(runs.searched, objectives)[0]
        missed = wording.misses([nearest], slos, hard=True)
        again = " Measured again, it does not hold them." if runs.race.left else ""
        text = f"No configuration meets the SLOs. The nearest is {wording.name(nearest)}: it {missed}.{again}"
        return Verdict(outcome=Outcome.INFEASIBLE, text=text)
    if winner is baseline:
        return Verdict(outcome=Outcome.DEFAULTS_BEST, text=wording.defaults(winner, runs.searched, objectives, slos))
    return _Case(spec, objectives, runs, winner, slos).verdict()


@dataclass(frozen=True)
class _Case:
    """A winner that is not the baseline."""

    spec: TaskSpec
    objectives: Sequence[Objective]
    runs: Finished
    winner: Experiment
    slos: Sequence[SLO]

    def verdict(self) -> Verdict:
        race, baseline = self.runs.race, self.runs.baseline
        if not race.due and race.leader is None and race.left:
            return self._none_held()
        if baseline is None:
            text = (
                f"{wording.name(self.winner, True)} is the best of {len(self.runs.searched)}: {self._own()} "
                "There is no baseline to compare it with."
            )
            return self._said(Outcome.NO_BASELINE, text)
        if race.rules.baseline is None or race.left.get(baseline.number) is Left.FAILED:
            text = "The engine's defaults failed, so there is nothing to compare with."
            return self._said(Outcome.BASELINE_FAILED, f"{text} {wording.name(self.winner, True)} works: {self._own()}")
        if race.proven is not None:
            return self._said(Outcome.PROVEN, self._proven(), self.gains)
        if race.due or race.rounds < 2:
            return self._said(Outcome.UNCONFIRMED, self._unconfirmed(), self.gains)
        return self._unproven()

    @cached_property
    def gains(self) -> tuple[Gain, ...]:
        fresh = gains.fresh_gains(self.runs, self.objectives, self.winner)
        if fresh or self.runs.baseline is None:
            return fresh
        return gains.search_gains(self.objectives, self.winner, self.runs.baseline)

    @property
    def _objective(self) -> Objective | None:
        """None: there are several, taken together."""
        return self.objectives[0] if len(self.objectives) == 1 else None

    @cached_property
    def _gain(self) -> Estimate | None:
        return self.runs.race.gain(self.winner.number)

    @property
    def _name(self) -> str:
        return wording.name(self.winner)

    def _said(self, outcome: Outcome, text: str, found: tuple[Gain, ...] = ()) -> Verdict:
        race = self.runs.race
        both = [self.winner.number, *([race.rules.baseline] if race.rules.baseline is not None else [])]
        noise, needed = race.noise, self._needed()
        compared = race.rules.baseline is not None
        return Verdict(
            outcome=outcome,
            text=text,
            gains=found,
            rounds=race.rounds,
            noise=noise,
            bound=gains.bound(race, self._objective) if compared else None,
            visible_gain=gains.visible(noise, race.rules, self._objective) if noise is not None and compared else None,
            needed_for=needed[0] if needed else None,
            launches_needed=needed[1] if needed else None,
            slos=tuple(one for number in both for one in gains.slo_verdicts(race, self.slos, number)),
        )

    def _needed(self) -> tuple[float, int] | None:
        """(gain, launches) where one was looked for and not shown."""
        race, estimate = self.runs.race, self._gain
        if race.proven is not None or race.noise is None or estimate is None:
            return None
        for gain in (estimate.mean, math.log1p(WORTH_ASKING)):
            if gain >= math.log1p(WORTH_ASKING) and (count := gains.launches(race.noise, race.rules, gain)):
                return gains.part(self._objective, gain), count
        return None

    def _none_held(self) -> Verdict:
        """All in the race failed, or are over an SLO."""
        race = self.runs.race
        if (left := race.left.get(self.winner.number)) is Left.FAILED:
            failed = next(one for one in self.runs.again(self.winner) if rank(one, self.objectives) == LAST)
            why = failed.failure.message if failed.failure else "a load level failed"
            text = f"Not proven: {self._name} won the search, but failed when measured again ({wording.end(why)})."
            return self._said(Outcome.FAILED_AGAIN, text)
        assert left is Left.OVER_SLO, "who was neither would lead"
        return self._over()

    def _over(self) -> Verdict:
        """The winner's SLOs are missed or too close to say."""
        again = [one for one in self.runs.again(self.winner) if one.scores]
        found = gains.slo_verdicts(self.runs.race, self.slos, self.winner.number)
        clear = [one for one in self.runs.race.margins(self.winner.number) if one.high(TAIL) < 0]
        if clear:
            missed = [one for one in again if not one.feasible]
            text = (
                f"Not proven: measured again, {self._name} {wording.misses(missed, self.slos, hard=True)} "
                f"in {len(missed)} of {wording.count(len(again), 'measurement')}."
            )
            return self._said(Outcome.SLO_MISSED_AGAIN, text)
        close = "; ".join(wording.slo_sentence(one) for one in found if one.hard and one.verdict != "met")
        text = f"Not proven: whether {self._name} meets the SLOs is too close to say{f' ({close})' if close else ''}."
        return self._said(Outcome.SLO_TOO_CLOSE, text, self.gains)

    def _unproven(self) -> Verdict:
        """Whole rounds are there, and the best of those measured again is not shown to be better."""
        race, estimate = self.runs.race, self._gain
        if estimate is not None and estimate.low(race.rules.level(race.rounds)) > race.rules.beyond:
            return self._over()
        if estimate is not None and estimate.high(TAIL) < 0:
            text = f"Not proven: measured again, the defaults are better. {self._compared(first=True)}"
            return self._said(Outcome.WORSE_AGAIN, text, self.gains)
        said = self._said(Outcome.NO_DIFFERENCE, "", self.gains)
        most = f" (less than {percent(said.bound)} if any)" if said.bound is not None and said.bound > 0 else ""
        wanted = self.spec.optimization.min_effect
        least = f" of more than {percent(wanted)}" if wanted else ""
        count = min(len(one.winner) for one in self.gains)
        text = (
            f"No difference found{least}{most}: in {wording.count(count, 'fresh, interleaved measurement')} of each, "
            f"{self._name}, the best of {wording.count(len(race.contenders), 'contender')}, "
            f"cannot be told from the engine's defaults: {', '.join(map(change, self.gains))}."
        )
        return said.model_copy(update={"text": text + _outlook(said)})

    def _proven(self) -> str:
        baseline = self.runs.baseline
        assert baseline is not None, "it was compared with something"
        again = [one for one in self.runs.again(self.winner) if one.scores]
        counted, alone = not all(gain.shown for gain in self.gains), len(self.objectives) == 1
        caveat = ", with the SLOs counted" if counted and alone else ", all objectives together" if counted else ""
        text = (
            f"Proven{caveat}: {self._compared()} {wording.count(len(again), 'fresh measurement')} of each, "
            "interleaved; where nothing is better, fewer than 1 task in 20 says so."
        )
        for who, number in (("baseline", baseline.number), ("winner", self.winner.number)):
            found = gains.slo_verdicts(self.runs.race, self.slos, number)
            text += wording.slo_sentences(
                f"the {who}", [one for one in found if who == "winner" or one.verdict == "missed"]
            )
        return text

    def _unconfirmed(self) -> str:
        compared, race = self._compared(), self.runs.race
        if not self.gains or not self.gains[0].fresh:
            why = "are still missing" if self.spec.optimization.confirm else None
            why = f"the fresh measurements {why}" if why else "confirmation is turned off"
            return f"Not confirmed, one measurement each ({why}): {compared}"
        if race.due:
            return f"Not confirmed yet, {wording.count(race.rounds, 'round')} of fresh measurements done: {compared}"
        return f"Not confirmed by one fresh measurement each, it takes 2 to know a spread: {compared}"

    def _own(self) -> str:
        again = [one for one in self.runs.again(self.winner) if rank(one, self.objectives) != LAST]
        soft = wording.misses([self.winner], self.slos)
        return wording.values(again or [self.winner], self.objectives) + (f" It {soft}." if soft else "")

    def _compared(self, first: bool = False) -> str:
        """With the engine's defaults; where it is not shown that they differ, so said."""
        differing = [change(one) for one in self.gains if gains.differs(one)]
        same = [change(one) for one in self.gains if not gains.differs(one)]
        if not differing:
            return f"Between {self._name} and the engine's defaults {', '.join(same)}."
        text = f"{wording.name(self.winner, first)} gives {', '.join(differing)} than the engine's defaults"
        return f"{text}; {', '.join(same)}." if same else f"{text}."


def _outlook(one: Verdict) -> str:
    """What it would take to show more."""
    if one.noise is None:
        return ""
    text = f" Measurements differ by {percent(one.noise)} from run to run"
    if one.needed_for is None or one.launches_needed is None:
        return f"{text}."
    return f"{text}; to show {percent(one.needed_for, signed=True)} would take about {one.launches_needed:,} launches."
