"""Which requests of a level are measured, and over which span of time rates are taken. Pure.

What is reported is the steady state: the first requests of a level find an idle engine, or all prefill together, and
are not measured; the next ones are, by order of sending, so that long answers are not left out for ending late. Rates
are what the engine made, token by token, between the answer that ended the beginning and the end of the level.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from tuner.benchmarks.pacing import TAIL, patience
from tuner.benchmarks.requests import Level, Request

REQUESTS, REQUESTS_PER_CLIENT = 100, 10
FAR_REQUESTS, FAR_REQUESTS_PER_CLIENT = 300, 20
"""What a 99th percentile takes."""
ONE_OPEN = 20
"""Among so many measured requests one may be under way when the level is cut short."""
STEADY_PER_CLIENT = 5
"""With fewer measured requests for each client a level need not be in its steady state."""


def requests_for(concurrency: int, far: bool, asked: int | None = None) -> int:
    """Requests to measure at a level: what the task asks for, else what it takes.

    Args:
        far: a 99th percentile counts.
    """
    if asked is not None:
        return asked
    least, each = (FAR_REQUESTS, FAR_REQUESTS_PER_CLIENT) if far else (REQUESTS, REQUESTS_PER_CLIENT)
    return max(least, each * concurrency)


@dataclass(frozen=True)
class Window:
    """The requests of a level by what they count for. Every request is in `cold`, `answered`, `failed`, `unanswered`,
    `censored` or `other`."""

    began_at: float
    ended_at: float
    """The span that rates are taken over."""
    cold: Sequence[Request]
    """The first ones, unmeasured."""
    answered: Sequence[Request]
    failed: Sequence[Request]
    unanswered: Sequence[Request]
    """Silent for so long before the end that they count as failed."""
    censored: Sequence[Request]
    """Measured, and healthy when the level was ended: at least as slow as they were until then."""
    other: Sequence[Request]
    """Sent to keep the load up, or after the last that could be measured."""
    every: Sequence[Request]
    """All of them, by order of sending, as they stood at the level's end."""

    @property
    def measured(self) -> int:
        return len(self.answered) + len(self.failed) + len(self.unanswered) + len(self.censored)

    @property
    def span_s(self) -> float:
        return max(0.0, self.ended_at - self.began_at)


def window(level: Level, requests: Sequence[Request]) -> Window:
    """The window of a level. Requests can come in any order; what happened after the level's end did not happen."""
    ordered = sorted((_until(one, level.ended_at) for one in requests), key=lambda one: one.begun_at)
    longest = max((one.e2e_latency or 0.0 for one in ordered if one.answered), default=0.0)
    least_s = patience(longest, 0.0)
    silent = {id(one) for one in ordered if one.finished_at is None and _silent_s(one, level) > least_s}
    cold, rest = ordered[: level.unmeasured], ordered[level.unmeasured :]
    count = _measurable([one.finished_at is not None or id(one) in silent for one in rest[: level.wanted]])
    measured = rest[:count]
    return Window(
        began_at=_steady_from(level, ordered),
        ended_at=level.ended_at,
        cold=cold,
        answered=[one for one in measured if one.answered],
        failed=[one for one in measured if one.finished_at is not None and one.error is not None],
        unanswered=[one for one in measured if id(one) in silent],
        censored=[one for one in measured if one.finished_at is None and id(one) not in silent],
        other=rest[count:],
        every=ordered,
    )


def made(window: Window) -> float:
    """Tokens that the engine made within the window's span, those of answers still under way included."""
    shown = [one for one in window.every if one.answered and one.pieces]
    pieces = sum(one.pieces or 0 for one in shown)
    each = sum(one.output_tokens for one in shown) / pieces if pieces else 1.0
    return math.fsum(_within(one, each, window) for one in window.every)


def _until(one: Request, end: float) -> Request:
    """The request as it stood at a moment."""
    if one.finished_at is None or one.finished_at <= end:
        return one
    first = one.first_token_at if one.first_token_at is not None and one.first_token_at <= end else None
    chunks = None if one.chunk_at is None else tuple(at for at in one.chunk_at if at <= end)
    return Request(
        started_at=one.started_at,
        first_token_at=first,
        finished_at=None,
        input_tokens=one.input_tokens,
        output_tokens=0,
        wanted_tokens=one.wanted_tokens,
        chunk_at=chunks,
        scheduled_at=one.scheduled_at,
    )


def _silent_s(one: Request, level: Level) -> float:
    """For how long a request under way had said nothing when the level ended; for ever where everything had stopped."""
    return math.inf if level.ending == "stalled" else level.ended_at - _last_sign(one)


def _last_sign(one: Request) -> float:
    return one.chunk_at[-1] if one.chunk_at else one.first_token_at or one.started_at


def _measurable(settled: Sequence[bool]) -> int:
    """How many of the first requests can be measured: the most of which at most a hundredth (one of 20) has no outcome.

    A level that was cut short ends with many requests under way, the long ones first of all: it is not measured up to
    there.
    """
    missing = count = 0
    for number, one in enumerate(settled, 1):
        missing += not one
        if missing <= max(number >= ONE_OPEN, number - math.ceil(TAIL * number - 1e-9)):
            count = number
    return count


def _steady_from(level: Level, ordered: Sequence[Request]) -> float:
    """When as many answers had come as requests are left unmeasured; with fewer, when the first request was sent."""
    ends = sorted(one.finished_at for one in ordered if one.answered and one.finished_at is not None)
    if not ordered:
        return level.ended_at
    if len(ends) < level.unmeasured or not level.unmeasured:
        return min(one.started_at for one in ordered)
    return ends[level.unmeasured - 1]


def _within(one: Request, each: float, window: Window) -> float:
    """Tokens of a request within the span; a piece counts as much as the others of its answer."""
    if one.finished_at is not None and one.error is not None:
        return 0.0
    if not one.chunk_at:
        ended = one.finished_at
        return float(one.output_tokens) if ended is not None and window.began_at < ended <= window.ended_at else 0.0
    inside = bisect_left(one.chunk_at, math.nextafter(window.ended_at, math.inf))
    inside -= bisect_left(one.chunk_at, math.nextafter(window.began_at, math.inf))
    return inside * (each if one.finished_at is None else one.output_tokens / len(one.chunk_at))
