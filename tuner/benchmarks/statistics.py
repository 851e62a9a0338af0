"""From single requests to a load point: every number the tuner judges by is computed here. Times are seconds."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuner.domain import LoadPoint, Stats
from tuner.errors import FailureKind
from tuner.spec.objectives import SLO, Metric

FAILED_SHARE = 0.05
"""A level with more failed requests than this does not count."""
ANSWERED_SHARE = 0.9
"""An answer shorter than this part of what was asked for makes its level unhealthy."""
CLOCK_S = 1e-6
"""Shorter spans are noise of the clock: no rate is taken over them."""


@dataclass(frozen=True)
class Request:
    """One request as it was sent and answered, on a monotonic clock."""

    started_at: float
    first_token_at: float | None
    """None where it failed, or no text came."""
    finished_at: float
    input_tokens: int
    output_tokens: int
    wanted_tokens: int | None
    """The output length that was enforced; None where the model was free to stop."""
    error: str | None = None
    itl: tuple[float, ...] | None = None
    """Gaps between the tokens of the answer; None where they were not seen one by one."""

    @property
    def e2e_latency(self) -> float:
        return self.finished_at - self.started_at

    @property
    def ttft(self) -> float | None:
        return None if self.first_token_at is None else self.first_token_at - self.started_at

    @property
    def tpot(self) -> float | None:
        """(E2E - TTFT) / (output tokens - 1); None for an answer of one token."""
        if self.first_token_at is None or self.output_tokens < 2:
            return None
        return (self.finished_at - self.first_token_at) / (self.output_tokens - 1)

    @property
    def empty(self) -> bool:
        return self.first_token_at is None or self.output_tokens < 1

    @property
    def short(self) -> bool:
        return self.wanted_tokens is not None and self.output_tokens < ANSWERED_SHARE * self.wanted_tokens


def summarize(
    scenario: str, concurrency: int, requests: Sequence[Request], slos: Iterable[SLO], *, raw: str | None
) -> LoadPoint:
    """The load point of these requests; with a `failure` where they cannot be trusted.

    Latencies and rates are those of the answered requests. The rates' duration runs from the first request sent
    to the last answer, so that neither a generator's start nor its polling counts.

    Args:
        raw: where the requests are kept, relative to the task's run folder.
    """
    answered = [request for request in requests if request.error is None]
    duration_s = _duration(requests, answered)
    output_tokens = sum(request.output_tokens for request in answered)
    total_tokens = output_tokens + sum(request.input_tokens for request in answered)
    limits = _tightest(slos)
    good = sum(_meets(request, limits) for request in answered)
    failure, error = _failure(requests, answered)
    return LoadPoint(
        scenario=scenario,
        concurrency=concurrency,
        requests=len(requests),
        failed=len(requests) - len(answered),
        duration_s=duration_s,
        ttft=stats(request.ttft for request in answered),
        tpot=stats(request.tpot for request in answered),
        itl=stats(gap for request in answered for gap in request.itl or ()),
        e2e_latency=stats(request.e2e_latency for request in answered),
        input_tokens=total_tokens - output_tokens,
        output_tokens=output_tokens,
        output_tokens_per_s=_rate(output_tokens, duration_s),
        total_tokens_per_s=_rate(total_tokens, duration_s),
        requests_per_s=_rate(len(answered), duration_s),
        goodput_per_s=_rate(good, duration_s) if limits else None,
        failure=failure,
        error=error,
        raw=raw,
    )


def stats(values: Iterable[float | None]) -> Stats | None:
    """Over the values that are there; None where there are none. Percentiles interpolate linearly (numpy's default)."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    low, high = ordered[0], ordered[-1]
    return Stats(
        # The mean of equal values can round to just outside them.
        mean=min(max(math.fsum(ordered) / len(ordered), low), high),
        p50=_percentile(ordered, 0.50),
        p90=_percentile(ordered, 0.90),
        p95=_percentile(ordered, 0.95),
        p99=_percentile(ordered, 0.99),
        min=low,
        max=high,
    )


def _percentile(ordered: Sequence[float], part: float) -> float:
    rank = part * (len(ordered) - 1)
    below = math.floor(rank)
    low, high = ordered[below], ordered[math.ceil(rank)]
    return min(low + (high - low) * (rank - below), high)


def _duration(requests: Sequence[Request], answered: Sequence[Request]) -> float:
    if not requests:
        return 0.0
    ended = max(request.finished_at for request in answered or requests)
    return max(0.0, ended - min(request.started_at for request in requests))


def _rate(count: float, duration_s: float) -> float:
    return count / duration_s if duration_s >= CLOCK_S else 0.0


def _tightest(slos: Iterable[SLO]) -> dict[Metric, float]:
    """The smallest threshold per metric, whatever its statistic: what a single request has to meet."""
    limits: dict[Metric, float] = {}
    for slo in slos:
        limits[slo.metric] = min(slo.threshold, limits.get(slo.metric, math.inf))
    return limits


def _meets(request: Request, limits: Mapping[Metric, float]) -> bool:
    """An answer of one token has no TPOT to miss; an answer without text meets nothing."""
    measured = {Metric.TTFT: request.ttft, Metric.TPOT: request.tpot, Metric.E2E: request.e2e_latency}
    return not request.empty and all(
        (value := measured.get(metric)) is None or value <= limit for metric, limit in limits.items()
    )


def _failure(requests: Sequence[Request], answered: Sequence[Request]) -> tuple[FailureKind | None, str | None]:
    """Why these requests cannot be trusted, the worst reason first."""
    failed = [request.error for request in requests if request.error is not None]
    if not requests:
        return (
            FailureKind.BENCHMARK_FAILED,
            "No request was finished in the time of the level; allow more (benchmark.max_time_per_iteration), "
            "or ask for shorter answers.",
        )
    if len(failed) > FAILED_SHARE * len(requests):
        commonest, times = Counter(failed).most_common(1)[0]
        return (
            FailureKind.BENCHMARK_FAILED,
            f"{len(failed)} of {len(requests)} requests failed, at most {FAILED_SHARE:.0%} may; "
            f"{times} times: {commonest}",
        )
    if empty := sum(request.empty for request in answered):
        return FailureKind.UNHEALTHY_OUTPUT, f"{empty} of {len(answered)} answers were empty."
    if short := [request for request in answered if request.short]:
        worst = min(short, key=lambda request: request.output_tokens / (request.wanted_tokens or 1))
        return (
            FailureKind.UNHEALTHY_OUTPUT,
            f"{len(short)} of {len(answered)} answers were shorter than {ANSWERED_SHARE:.0%} of what was asked for; "
            f"the shortest had {worst.output_tokens} of {worst.wanted_tokens} tokens.",
        )
    return None, None
