"""A level as a load generator measured it, held to what the server did."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from re import search

from tests.fakes.oracle.behaviours import CHUNK_GAP, E2E, ITL, TPOT, TTFT, Behaviour
from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.truth import STATISTICS, Outcome, Served, output_rate, statistics
from tuner.domain import LoadPoint

RELATIVE, ABSOLUTE_S = 0.03, 0.003
"""A statistic is right within the larger of the two."""
TPOT_ABSOLUTE_S = 0.0005
"""For the time per token, which is a time divided by many."""
Values = Mapping[str, float] | None


@dataclass(frozen=True)
class Sent:
    """One request, as a client saw it: a line of `requests.jsonl`. Times are the monotonic clock's."""

    started_at: float
    finished_at: float
    output_tokens: int
    state: str
    """answered, failed, unanswered or censored."""
    measured: bool


@dataclass(frozen=True)
class Measured:
    """A load point and its requests, by order of sending."""

    sent: Sequence[Sent]
    requests: int
    failed: int
    unanswered: int
    output_tokens: int
    output_tokens_per_s: float
    metrics: Mapping[str, Values]
    error: str | None = None
    """Why the level is refused."""
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, point: LoadPoint, raw: Path) -> "Measured":
        lines = [json.loads(line) for line in raw.read_text().splitlines()]
        sent = [Sent(**{name: line[name] for name in Sent.__dataclass_fields__}) for line in lines]
        told = point.model_dump(mode="json")
        return cls(
            sent=sorted(sent, key=lambda one: one.started_at),
            metrics={name: told[name] for name in (TTFT, TPOT, ITL, CHUNK_GAP, E2E)},
            error=None if point.valid else point.error or "",
            requests=point.requests,
            failed=point.failed,
            unanswered=told["unanswered"],
            output_tokens=point.output_tokens,
            output_tokens_per_s=point.output_tokens_per_s,
            missing=told["missing"],
        )


@dataclass(frozen=True)
class Problem:
    text: str
    timed: bool = False
    """A machine that is busy may cause it; anything else is wrong whenever it happens."""


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

    def problems(self) -> list[Problem]:
        expect, error = self.behaviour.expect, self.measured.error
        if error is not None:
            if expect.refused is None and not expect.or_refused:
                return [Problem(f"refused, and nothing was wrong: {error}")]
            if not search(expect.refused or ".", error):
                return [Problem(f"refused without the reason {expect.refused!r}: {error!r}")]
            return list(self._counts())
        if expect.refused is not None:
            return [Problem(f"not refused; the reason is {expect.refused!r}")]
        return [*self._order(), *self._counts(), *self._tokens(), *self._metrics(), *self._rate()]

    def _pairs(self) -> list[tuple[Sent, Served]]:
        """What was sent with what arrived, by order, as far as it is measured."""
        return [pair for pair in zip(self.measured.sent, self.served, strict=False) if pair[0].measured]

    def _of(self, outcome: Outcome) -> list[tuple[Sent, Served]]:
        return [(sent, served) for sent, served in self._pairs() if served.outcome is outcome]

    def _order(self) -> Iterator[Problem]:
        """The first ones sent are not measured, the next ones are, and those that only keep up the load are not."""
        marks = [sent.measured for sent in self.measured.sent]
        wanted = [self.concurrency <= at < self.concurrency + self.requests for at in range(len(marks))]
        if marks != wanted:
            yield Problem(f"measured the wrong requests, by order of sending: {''.join('.x'[mark] for mark in marks)}")
        if self.measured.requests != self.requests:
            yield Problem(f"{self.measured.requests} requests measured, not {self.requests}")

    def _counts(self) -> Iterator[Problem]:
        sent, arrived = len(self.measured.sent), len(self.served)
        cut = sum(one.state == "censored" for one in self.measured.sent)
        if not arrived <= sent <= arrived + cut:  # a connection may be cut before the server has read its request
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
        if (true := sum(len(served.made) for _, served in answered)) != self.measured.output_tokens:
            yield Problem(f"{self.measured.output_tokens} output tokens, not {true}")
        wrong = sum(sent.output_tokens != len(served.made) for sent, served in answered)
        if wrong:
            yield Problem(f"the raw file has another number of tokens for {wrong} of {len(answered)} answers")

    def _metrics(self) -> Iterator[Problem]:
        served = [one for _, one in self._of(Outcome.ANSWERED)]
        ages = [sent.finished_at - one.arrived for sent, one in self._of(Outcome.UNANSWERED)]
        truths: dict[str, list[Values]] = {
            TTFT: [statistics([*(one.ttft for one in served), *ages])],
            E2E: [statistics([*(one.e2e_latency for one in served), *ages])],
            TPOT: [statistics(one.tpot for one in served), statistics(one.plain_tpot for one in served)],
            ITL: [statistics(gap for one in served for gap in one.itl)],
            CHUNK_GAP: [
                statistics(gap for one in served for gap in one.chunk_gaps),
                statistics(gap for one in served for gap in one.itl),
            ],
        }
        for name, known in truths.items():
            yield from self._metric(name, known)

    def _metric(self, name: str, truths: Sequence[Values]) -> Iterator[Problem]:
        """Where a metric has two definitions that differ, anything between them is right."""
        told = self.measured.metrics.get(name)
        if told is None:
            if name not in self.behaviour.expect.unknown:
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
        """Tokens between the c-th answer and the last measured one. Those of broken answers may count or not."""
        answers = sorted(sent.finished_at for sent in self.measured.sent if sent.state == "answered")
        ends = [sent.finished_at for sent in self.measured.sent if sent.measured]
        if len(answers) < self.concurrency or not ends:
            yield Problem("no window to take the output rate over")
            return
        begin, end = answers[self.concurrency - 1], max(ends)
        kept = [one for one in self.served if one.outcome is not Outcome.FAILED]
        rates = [
            output_rate(served, begin, end, by_text=by_text)
            for served in (self.served, kept)
            for by_text in (False, True)
        ]
        unseen = sum(one.hidden_across(edge) for one in self.served for edge in (begin, end)) / (end - begin)
        late = self.late.worst / (end - begin) * max(rates)
        yield from _beside("output rate", self.measured.output_tokens_per_s, rates, unseen, late)


def _beside(name: str, told: float, truths: Iterable[float], margin: float, late: float) -> Iterator[Problem]:
    known = sorted(truths)
    low, high = (one + sign * (max(margin, RELATIVE * one) + late) for one, sign in ((known[0], -1), (known[-1], 1)))
    if not low <= told <= high:
        yield Problem(f"{name} is {told:.4f}, not {' or '.join(f'{one:.4f}' for one in known)}", timed=True)
