"""What a server really did: its record of each request, and the statistics of a set of them.

A second implementation, on the server's side, of what `tuner.benchmarks` computes from a client's times. Seconds.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

STATISTICS = ("mean", "p50", "p90", "p99")


class Outcome(StrEnum):
    UNDER_WAY = "under way"
    ANSWERED = "answered"
    FAILED = "failed"
    """The server refused it, broke it off or sent an error."""
    UNANSWERED = "unanswered"
    """Nothing more was going to come."""
    LEFT = "left"
    """The client closed the connection before it had the last token."""


@dataclass
class Served:
    """One request, as the server saw it. Times are the monotonic clock's."""

    number: int
    """By order of arrival, from 0."""
    arrived: float
    """When it was read whole."""
    prompt: str
    max_tokens: int
    status: int | None = None
    first_byte: float | None = None
    made: list[float] = field(default_factory=list)
    """When each token was made."""
    visible: list[bool] = field(default_factory=list)
    written: list[float | None] = field(default_factory=list)
    """When the text of each token was sent; None where it has none, or was not sent."""
    wrote_at: list[float] = field(default_factory=list)
    """When something with text was sent, once for each piece."""
    outcome: Outcome = Outcome.UNDER_WAY
    ended: float | None = None

    def finish(self, outcome: Outcome) -> None:
        self.outcome, self.ended = outcome, time.monotonic()

    def leave(self) -> None:
        """The client has left: it may have all it needs, or the rest is never made."""
        whole = all(at is not None for at, visible in zip(self.written, self.visible, strict=True) if visible)
        self.finish(Outcome.ANSWERED if whole else Outcome.LEFT)
        if not whole:
            self.made = [at for at in self.made if at <= time.monotonic()]

    @property
    def answered(self) -> bool:
        return self.outcome is Outcome.ANSWERED

    @property
    def ttft(self) -> float | None:
        """From the request to the first token with text."""
        return self.wrote_at[0] - self.arrived if self.wrote_at else None

    @property
    def e2e_latency(self) -> float | None:
        """From the request to the last token with text, or to the last one made, where none has any."""
        last = max([*self.wrote_at, *(self.made if not any(self.visible) else ())], default=None)
        return None if last is None else last - self.arrived

    @property
    def tpot(self) -> float | None:
        """The pace after the first piece of text: its tokens and what was made before it are not paid for.

        For one visible token a piece this is (E2E - TTFT) / (tokens - 1). None where nothing came after that piece.
        """
        if not self.wrote_at:
            return None
        first = max(token for token, at in enumerate(self.written) if at == self.wrote_at[0])
        later = len(self.made) - 1 - first
        return (self.wrote_at[-1] - self.wrote_at[0]) / later if later else None

    @property
    def plain_tpot(self) -> float | None:
        """(E2E - TTFT) / (tokens - 1), which is less where the first piece holds several tokens.

        None where that means nothing: some tokens have no text, or all came in one piece.
        """
        if len(self.wrote_at) < 2 or not all(self.visible):
            return None
        return (self.wrote_at[-1] - self.wrote_at[0]) / (len(self.made) - 1)

    @property
    def itl(self) -> list[float]:
        """Between one token's text and the next one's."""
        times = [at for at in self.written if at is not None]
        return [float(gap) for gap in np.diff(times)]

    @property
    def seen(self) -> list[float]:
        """When each token's text was sent, or the next text, where it has none."""
        times: list[float] = []
        later: float | None = None
        for at in reversed(self.written):
            later = later if at is None else at
            times += [] if later is None else [later]
        return times

    def seen_between(self, begin: float, end: float) -> int:
        """Tokens with text that was sent in that span."""
        return sum(at is not None and begin < at <= end for at in self.written)

    def hidden_across(self, at: float) -> int:
        """Tokens without text of an answer that was under way then: when they were made cannot be seen."""
        under_way = self.made and self.arrived < at < self.made[-1]
        return self.visible.count(False) if under_way else 0

    @property
    def chunk_gaps(self) -> list[float]:
        """Between one piece of text and the next."""
        return [float(gap) for gap in np.diff(self.wrote_at)]


def statistics(values: Iterable[float | None]) -> dict[str, float] | None:
    """Mean and percentiles (linear between ranks) of the values that are there; None where there are none."""
    there = np.array([value for value in values if value is not None])
    if not there.size:
        return None
    p50, p90, p99 = np.percentile(there, [50, 90, 99])
    return {"mean": float(there.mean()), "p50": float(p50), "p90": float(p90), "p99": float(p99)}


def output_rate(served: Iterable[Served], begin: float, end: float, *, by_text: bool = False) -> float:
    """Tokens per second that were made in that span, whichever request they belong to.

    Args:
        by_text: a token counts when its text was sent; one without, with the next text.
    """
    times = np.array([at for one in served for at in (one.seen if by_text else one.made)])
    return float(np.count_nonzero((times > begin) & (times <= end))) / (end - begin)
