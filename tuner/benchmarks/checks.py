"""Whether the requests of a level can be trusted, and what to know of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean, median, pvariance

from tuner.benchmarks import open_loop
from tuner.benchmarks.requests import ANSWERED_SHARE, Level, Request
from tuner.benchmarks.tokens import UNSEEN_SHARE, hidden
from tuner.benchmarks.window import STEADY_PER_CLIENT, Window
from tuner.errors import FailureKind

FAILED_SHARE = 0.05
"""A level with more failed requests than this does not count."""
BUSY, LAG_SHARE, LAG_S = 0.9, 0.05, 0.02
"""A generator busier than this, or later than this share of the median latency and this many seconds, was the
bottleneck itself."""
DRIFT_SHARE, DRIFT_ERRORS, DRIFT_REQUESTS = 0.05, 4.0, 20
"""A level changes where its halves, of so many requests at least, differ by more than this part and this many standard
errors."""


def failure(concurrency: int, level: Level, seen: Window) -> tuple[FailureKind | None, str | None]:
    """Why these requests cannot be trusted, the worst reason first."""
    if why := _unanswered(concurrency, level, seen):
        growing = open_loop.growing(level, seen)
        return (FailureKind.OVERLOADED, f"{growing} {why}") if growing else (FailureKind.BENCHMARK_FAILED, why)
    if why := _unhealthy(seen.answered):
        return FailureKind.UNHEALTHY_OUTPUT, why
    if why := _saturated(level, seen) or open_loop.behind(level, seen):
        return FailureKind.BENCHMARK_FAILED, why
    if why := open_loop.growing(level, seen):
        return FailureKind.OVERLOADED, why
    return None, None


def _unanswered(concurrency: int, level: Level, seen: Window) -> str | None:
    if level.ending == "stalled":
        under_way = [one for one in seen.every if one.finished_at is None]
        return f"The engine stopped answering: {len(under_way)} requests were under way and none made progress."
    failed = [one.error or "no answer" for one in (*seen.failed, *seen.unanswered)]
    if seen.measured and len(failed) > FAILED_SHARE * seen.measured:
        commonest, times = Counter(failed).most_common(1)[0]
        return (
            f"{len(failed)} of {seen.measured} requests failed, at most {FAILED_SHARE:.0%} may; "
            f"{times} times: {commonest}"
        )
    if seen.measured < min(concurrency, level.wanted) or not seen.answered:
        return (
            f"Only {seen.measured} of the {level.wanted} requests to measure were answered in the time of the level, "
            f"after {len(seen.cold)} that bring it to its steady state; allow more "
            "(benchmark.max_time_per_iteration), or ask for shorter answers."
        )
    return None


def _unhealthy(answered: Sequence[Request]) -> str | None:
    empty = sum(one.empty for one in answered)
    if any(one.output_tokens < 1 for one in answered) or empty > UNSEEN_SHARE * len(answered):
        return f"{empty} of {len(answered)} answers were empty."
    if short := [one for one in answered if one.short]:
        worst = min(short, key=lambda one: one.output_tokens / (one.wanted_tokens or 1))
        return (
            f"{len(short)} of {len(answered)} answers were shorter than {ANSWERED_SHARE:.0%} of what was asked for; "
            f"the shortest had {worst.output_tokens} of {worst.wanted_tokens} tokens."
        )
    if long := [one for one in answered if one.wanted_tokens is not None and one.output_tokens > one.wanted_tokens]:
        worst = max(long, key=lambda one: one.output_tokens)
        return (
            f"{len(long)} of {len(answered)} answers were longer than what was asked for; the longest had "
            f"{worst.output_tokens} of {worst.wanted_tokens} tokens."
        )
    if odd := [one for one in answered if (one.pieces or 0) > one.output_tokens + 1]:
        return (
            f"{len(odd)} of {len(answered)} answers came in more pieces than they had tokens by the server's count; "
            f"one had {odd[0].pieces} pieces of text and {odd[0].output_tokens} tokens."
        )
    return None


def _saturated(level: Level, seen: Window) -> str | None:
    typical = median(one.e2e_latency or 0.0 for one in seen.answered)
    late = level.lag_s > max(LAG_S, LAG_SHARE * typical)
    if level.busy < BUSY and not late:
        return None
    return (
        f"The load generator was the bottleneck itself: its busiest process used a processor {level.busy:.0%} of the "
        f"time and was {level.lag_s * 1000:.0f} ms late (90th percentile). Give it more processors, or less load."
    )


def drift(seen: Window) -> float | None:
    """By what part requests took longer in the second half of the measured ones than in the first; None: no difference
    beyond what chance makes. Clients can fall into step slowly, and engines heat up."""
    times = [one.e2e_latency or 0.0 for one in seen.answered]
    half = len(times) // 2
    first, second = times[:half], times[half:]
    if half < DRIFT_REQUESTS or (mean := fmean(first)) <= 0:
        return None
    error = ((pvariance(first) + pvariance(second)) / half) ** 0.5
    change = fmean(second) - mean
    return change / mean if abs(change) > max(DRIFT_SHARE * mean, DRIFT_ERRORS * error) else None


def steady(concurrency: int, seen: Window) -> bool:
    return seen.measured >= STEADY_PER_CLIENT * concurrency and drift(seen) is None


def notes(concurrency: int, level: Level, seen: Window) -> Iterator[str]:
    if seen.measured < STEADY_PER_CLIENT * concurrency:
        yield (
            f"Not surely the steady state: {seen.measured} requests were measured at concurrency {concurrency}, it "
            f"takes {STEADY_PER_CLIENT * concurrency}."
        )
    if (change := drift(seen)) is not None:
        yield (
            f"Not the steady state: the level was still changing, the second half of its requests took "
            f"{abs(change):.0%} {'longer' if change > 0 else 'less'} than the first."
        )
    if seen.censored:
        yield f"{len(seen.censored)} requests were still under way at the end; they count as at least as slow as that."
    if estimated := sum(one.estimated for one in seen.answered):
        yield f"The server counted no tokens in {estimated} of {len(seen.answered)} answers, so they are estimated."
    if quiet := sum(map(hidden, seen.answered)):
        yield f"{quiet} of {sum(one.output_tokens for one in seen.answered)} output tokens came without any text."
