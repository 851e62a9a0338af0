"""A level as a load generator measured it, held to what the server did."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from re import search

from tests.fakes.oracle.behaviours import CHUNK_GAP, E2E, ITL, TPOT, TTFT, Behaviour
from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.truth import STATISTICS, Outcome, Served, output_rate, statistics
from tuner.benchmarks import requests
from tuner.domain import ColdStart, LoadPoint

RELATIVE, ABSOLUTE_S = 0.03, 0.003
"""A statistic is right within the larger of the two."""
TPOT_ABSOLUTE_S = 0.0005
"""For the time per token, which is a time divided by many."""
COLD_TTFT, COLD_E2E = "cold ttft", "cold e2e_latency"
"""Of the first requests, which are not measured."""
Values = Mapping[str, float] | None


@dataclass(frozen=True)
class Sent:
    """One request, as a client saw it. Times are the monotonic clock's."""

    started_at: float
    finished_at: float | None
    """Of the last text, or of the failure; None: it was under way when the level ended."""
    output_tokens: int
    failed: bool


@dataclass(frozen=True)
class Measured:
    """A load point and its requests."""

    sent: Sequence[Sent]
    """By order of sending."""
    ended_at: float
    requests: int
    failed: int
    unanswered: int
    output_tokens: int
    hidden_tokens: int
    output_tokens_per_s: float
    metrics: Mapping[str, Values]
    error: str | None = None
    """Why the level is refused."""
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, point: LoadPoint, raw: Path) -> "Measured":
        level, lines = requests.read(raw)
        assert level is not None
        cold = point.cold or ColdStart(requests=0)
        metrics = {TTFT: point.ttft, TPOT: point.tpot, ITL: point.itl, CHUNK_GAP: point.chunk_gap}
        metrics |= {E2E: point.e2e_latency, COLD_TTFT: cold.ttft, COLD_E2E: cold.e2e_latency}
        sent = [Sent(one.started_at, one.finished_at, one.output_tokens, one.error is not None) for one in lines]
        return cls(
            sent=sorted(sent, key=lambda one: one.started_at),
            ended_at=level.ended_at,
            requests=point.requests,
            failed=point.failed,
            unanswered=point.unanswered,
            output_tokens=point.output_tokens,
            hidden_tokens=point.hidden_tokens,
            output_tokens_per_s=point.output_tokens_per_s,
            metrics={name: stats.model_dump() if stats else None for name, stats in metrics.items()},
            error=None if point.valid else point.error or "",
            missing=point.missing,
        )


@dataclass(frozen=True)
class Problem:
    text: str
    timed: bool = False
    """A machine that is busy may cause it; anything else is wrong whenever it happens."""


@dataclass(frozen=True)
class Verdict:
    problems: tuple[Problem, ...]
    late: Lateness = field(default_factory=Lateness)

    @property
    def only_times(self) -> bool:
        return bool(self.problems) and all(problem.timed for problem in self.problems)

    @property
    def unsure(self) -> str | None:
        """Why nothing can be said, as a sentence."""
        if not self.only_times or self.late.quiet:
            return None
        return f"This machine is too busy to tell: its timers were {self.late.p99:.4f} s late (99th percentile)."


@dataclass(frozen=True)
class Judge:
    """Compares one level.

    Args:
        requests: how many should be measured.
        late: of this machine, while it was measured.
    """

    behaviour: Behaviour
    concurrency: int
    requests: int
    measured: Measured
    served: Sequence[Served]
    late: Lateness

    def verdict(self) -> "Verdict":
        return Verdict(tuple(self._problems()), self.late)

    def _problems(self) -> list[Problem]:
        expect, error = self.behaviour.expect, self.measured.error
        if error is not None:
            if expect.refused is None and not expect.or_refused:
                return [Problem(f"refused, and nothing was wrong: {error}", timed="bottleneck" in error)]
            if not search(expect.refused or ".", error):
                return [Problem(f"refused without the reason {expect.refused!r}: {error!r}")]
            return list(self._counts())
        if expect.refused is not None:
            return [Problem(f"not refused; the reason is {expect.refused!r}")]
        if self.measured.requests != self.requests:
            return [Problem(f"{self.measured.requests} requests measured, not {self.requests}")]
        return [*self._counts(), *self._tokens(), *self._metrics(), *self._rate()]

    def _pairs(self) -> list[tuple[Sent, Served]]:
        """What was sent with what arrived: the first ones are not measured, the next ones are."""
        pairs = list(zip(self.measured.sent, self.served, strict=False))
        return pairs[self.concurrency : self.concurrency + self.measured.requests]

    def _of(self, outcome: Outcome) -> list[tuple[Sent, Served]]:
        return [(sent, served) for sent, served in self._pairs() if served.outcome is outcome]

    def _counts(self) -> Iterator[Problem]:
        sent, arrived = len(self.measured.sent), len(self.served)
        under_way = sum(one.finished_at is None for one in self.measured.sent)
        if not arrived <= sent <= arrived + under_way:  # one may be cut before the server has read it
            yield Problem(f"{sent} requests sent, {arrived} arrived")
        unanswered = len(self._of(Outcome.UNANSWERED))
        for name, told, true in (
            ("failed", self.measured.failed, len(self._of(Outcome.FAILED)) + unanswered),
            ("unanswered", self.measured.unanswered, unanswered),
        ):
            if told != true:
                yield Problem(f"{told} {name}, not {true}")

    def _tokens(self) -> Iterator[Problem]:
        answered = self._of(Outcome.ANSWERED)
        for name, told, true in (
            ("output", self.measured.output_tokens, sum(len(served.made) for _, served in answered)),
            ("hidden", self.measured.hidden_tokens, sum(served.visible.count(False) for _, served in answered)),
        ):
            if told != true:
                yield Problem(f"{told} {name} tokens, not {true}")
        wrong = sum(sent.output_tokens != len(served.made) for sent, served in answered)
        if wrong:
            yield Problem(f"the raw file has another number of tokens for {wrong} of {len(answered)} answers")

    def _metrics(self) -> Iterator[Problem]:
        served = [one for _, one in self._of(Outcome.ANSWERED)]
        cold = [one for one in self.served[: self.concurrency] if one.answered]
        ages = [self.measured.ended_at - one.arrived for _, one in self._of(Outcome.UNANSWERED)]
        truths: dict[str, list[Values]] = {
            TTFT: [statistics([*(one.ttft for one in served), *ages])],
            E2E: [statistics([*(one.e2e_latency for one in served), *ages])],
            TPOT: [statistics(one.tpot for one in served), statistics(one.plain_tpot for one in served)],
            ITL: [statistics(gap for one in served for gap in one.itl)],
            CHUNK_GAP: [
                statistics(gap for one in served for gap in one.chunk_gaps),
                statistics(gap for one in served for gap in one.itl),
            ],
            COLD_TTFT: [statistics(one.ttft for one in cold)],
            COLD_E2E: [statistics(one.e2e_latency for one in cold)],
        }
        for name, known in truths.items():
            yield from self._metric(name, known)

    def _metric(self, name: str, truths: Sequence[Values]) -> Iterator[Problem]:
        """Where a metric has two definitions that differ, anything between them is right."""
        told = self.measured.metrics.get(name)
        if told is None:
            unknown = self.behaviour.expect.unknown
            if truths[0] is None or (name in (COLD_TTFT, COLD_E2E) and unknown):
                return
            if name not in unknown:
                yield Problem(f"no {name}, though it can be known: {self.measured.missing.get(name)}")
            elif not self.measured.missing.get(name):
                yield Problem(f"no {name}, and no reason")
            return
        known = [truth for truth in truths if truth is not None]
        if not known:
            yield Problem(f"{name} {told['mean']:.4f} s, which cannot be known")
            return
        margin, parts = (TPOT_ABSOLUTE_S, self.behaviour.asked_tokens - 1) if name == TPOT else (ABSOLUTE_S, 1)
        for statistic in STATISTICS:
            late = self.late.of(statistic) / parts
            yield from _beside(f"{name} {statistic}", told[statistic], [one[statistic] for one in known], margin, late)

    def _rate(self) -> Iterator[Problem]:
        """Tokens between the c-th answer and the end, as they were made or as their text was sent.

        Those of answers that broke off may count or not. What no client can know is allowed for: when hidden tokens
        were made, and text that had been sent and had not arrived.
        """
        ends = sorted(one.finished_at for one in self.measured.sent if one.finished_at is not None and not one.failed)
        if len(ends) < self.concurrency:
            yield Problem("no window to take the output rate over")
            return
        begin, end = ends[self.concurrency - 1], self.measured.ended_at
        kept = [one for one in self.served if one.outcome is not Outcome.FAILED]
        rates = [
            output_rate(served, begin, end, by_text=by_text)
            for served in (self.served, kept)
            for by_text in (False, True)
        ]
        unsure = 0
        for sent, served in zip(self.measured.sent, self.served, strict=False):
            edges = [at for at in (begin, end) if sent.finished_at is None or sent.finished_at > at]
            unsure += sum(served.hidden_across(at) + served.seen_between(at - ABSOLUTE_S, at) for at in edges)
        late = self.late.worst / (end - begin) * max(rates)
        yield from _beside("output rate", self.measured.output_tokens_per_s, rates, unsure / (end - begin), late)


def _beside(name: str, told: float, truths: Iterable[float], margin: float, late: float) -> Iterator[Problem]:
    known = sorted(truths)
    low, high = (one + sign * (max(margin, RELATIVE * one) + late) for one, sign in ((known[0], -1), (known[-1], 1)))
    if not low <= told <= high:
        true = " to ".join(f"{one:.4f}" for one in sorted({known[0], known[-1]}))
        yield Problem(f"{name} is {told:.4f}, not {true}", timed=True)
