"""From single requests to a load point: every number the tuner judges by is computed here. Times are seconds."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tuner.benchmarks import checks, tokens
from tuner.benchmarks import window as windows
from tuner.benchmarks.requests import Level, Request
from tuner.benchmarks.window import Window
from tuner.domain import ColdStart, Generator, LoadPoint, Stats
from tuner.spec.objectives import SLO, Metric

CLOCK_S = 1e-6
"""Shorter spans are noise of the clock: no rate is taken over them."""


def summarize(
    scenario: str,
    concurrency: int,
    level: Level,
    requests: Sequence[Request],
    slos: Iterable[SLO],
    *,
    rate: float | None = None,
    raw: str | None = None,
) -> LoadPoint:
    """The load point of these requests; with a `failure` where they cannot be trusted.

    Latencies are those of the measured requests that were answered; one that was not, or was still under way, counts as
    the time that it had taken by then. Rates are taken over the steady span of the level: output tokens as they were
    made, and the others by what a measured answer holds on average.

    In an open loop latencies begin when a request was due, whenever it left.

    Args:
        concurrency: 0: an open loop.
        rate: its requests per second.
        raw: where the requests are kept, relative to the task's run folder.
    """
    seen = windows.window(level, requests)
    answered = seen.answered
    timed = [*answered, *seen.unanswered, *seen.censored]
    input_tokens, output_tokens = (
        sum(one.input_tokens for one in answered),
        sum(one.output_tokens for one in answered),
    )
    output_rate = _rate(windows.made(seen), seen.span_s)
    request_rate = _request_rate(seen, output_rate, output_tokens)
    limits = _tightest(slos)
    good = sum(_meets(one, limits) for one in answered)
    missing = tokens.missing(answered)
    failure, error = checks.failure(concurrency, level, seen)
    return LoadPoint(
        scenario=scenario,
        concurrency=concurrency,
        rate=rate,
        requests=seen.measured,
        failed=len(seen.failed) + len(seen.unanswered),
        unanswered=len(seen.unanswered),
        censored=len(seen.censored),
        sent=len(requests),
        steady=checks.steady(concurrency, seen),
        duration_s=seen.span_s,
        ttft=None if Metric.TTFT in missing else stats(_ttft(one, level) for one in timed),
        tpot=None if Metric.TPOT in missing else stats(map(tokens.tpot, answered)),
        itl=None if Metric.ITL in missing else stats(_gaps(answered)),
        chunk_gap=stats(_gaps(answered)),
        e2e_latency=stats(_latency(one, level) for one in timed),
        cold=_cold(seen.cold),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        hidden_tokens=sum(map(tokens.hidden, answered)),
        output_tokens_per_s=output_rate,
        total_tokens_per_s=output_rate * (1 + input_tokens / output_tokens) if output_tokens else 0.0,
        requests_per_s=request_rate,
        goodput_per_s=(request_rate * good / len(answered) if answered else 0.0) if limits else None,
        failure=failure,
        error=error,
        missing=missing,
        notes=tuple(checks.notes(concurrency, level, seen)),
        generator=Generator(name=level.generator, lag_s=level.lag_s, busy=level.busy, cpu_s=level.cpu_s),
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


def _gaps(answered: Iterable[Request]) -> Iterator[float]:
    return (after - before for one in answered for before, after in pairwise(one.chunk_at or ()))


def _latency(one: Request, level: Level) -> float:
    """Of one that has not ended, how long it had taken when the level did."""
    return level.ended_at - one.begun_at if one.e2e_latency is None else one.e2e_latency


def _ttft(one: Request, level: Level) -> float | None:
    """None: it was answered, without text."""
    return one.ttft if one.answered or one.first_token_at is not None else _latency(one, level)


def _cold(first: Sequence[Request]) -> ColdStart | None:
    answered = [one for one in first if one.answered]
    if not first:
        return None
    latency = stats(one.e2e_latency for one in answered)
    return ColdStart(requests=len(first), ttft=stats(one.ttft for one in answered), e2e_latency=latency)


def _request_rate(seen: Window, output_rate: float, output_tokens: int) -> float:
    """Answers per second: by their tokens, as requests are few in a span; where they have none, by counting."""
    if output_tokens:
        return output_rate * len(seen.answered) / output_tokens
    ended = sum(one.answered and one.finished_at > seen.began_at for one in seen.every if one.finished_at is not None)
    return _rate(ended, seen.span_s)


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
    measured = {Metric.TTFT: request.ttft, Metric.TPOT: tokens.tpot(request), Metric.E2E: request.e2e_latency}
    return not request.empty and all(
        (value := measured.get(metric)) is None or value <= limit for metric, limit in limits.items()
    )
