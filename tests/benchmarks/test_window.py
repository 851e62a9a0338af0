"""Which requests of a level count, and for what."""

import pytest

from tuner.benchmarks.requests import Ending, Level, Request
from tuner.benchmarks.statistics import summarize
from tuner.benchmarks.window import Window, made, window
from tuner.domain import LoadPoint
from tuner.errors import FailureKind

TOKENS = 10


def sent(at: float, took: float | None = 1.0, *, until: float | None = None) -> Request:
    """A token each tenth of its time, the first after one; without a time it gets one each tenth of a second up to the
    given moment, and never ends."""
    step = (took or 1.0) / TOKENS
    times = [at + step * number for number in range(1, TOKENS + 1)]
    if took is None:
        times = [time for time in times if until is not None and time <= until]
    return Request(
        started_at=at,
        first_token_at=times[0] if times else None,
        finished_at=times[-1] if took is not None else None,
        input_tokens=5,
        output_tokens=TOKENS if took is not None else 0,
        wanted_tokens=TOKENS,
        chunk_at=tuple(times),
    )


def level(ended_at: float, *, unmeasured: int = 1, wanted: int = 4, ending: Ending = "complete") -> Level:
    return Level("hand", ended_at, ending, unmeasured, wanted)


def point(of: Level, *requests: Request, clients: int = 1) -> LoadPoint:
    return summarize("D(5,10)", clients, of, requests, ())


def counts(seen: Window) -> tuple[int, ...]:
    groups = (seen.cold, seen.answered, seen.failed, seen.unanswered, seen.censored, seen.other)
    return tuple(map(len, groups))


def test_the_first_are_cold_the_next_by_order_of_sending_are_measured_whatever_order_they_end_in() -> None:
    slow, quick = sent(1.0, 5.0), sent(1.5, 0.5)
    seen = window(level(6.0, wanted=2), [sent(2.0, 0.5), quick, sent(0.0), slow])
    assert counts(seen) == (1, 2, 0, 0, 0, 1)
    assert list(seen.answered) == [slow, quick]
    assert (seen.began_at, seen.ended_at) == (1.0, 6.0)


def test_every_request_is_counted_once_and_what_came_after_the_end_did_not_come() -> None:
    late = sent(5.0, 4.0)
    requests = [sent(float(at)) for at in range(5)] + [late]
    seen = window(level(6.0, wanted=5), requests)
    assert sum(counts(seen)) == len(requests)
    (open_,) = [one for one in seen.every if one.finished_at is None]
    assert (open_.started_at, open_.pieces, open_.output_tokens) == (5.0, 2, 0)


def test_a_rate_is_what_was_made_within_the_span_answers_under_way_included() -> None:
    requests = [sent(0.0), sent(1.0), sent(2.0), sent(2.5, None, until=3.25)]
    seen = window(level(3.25, wanted=2), requests)
    assert made(seen) == pytest.approx(10 + 10 + 7)  # of the last one what had come by 3.25
    assert point(level(3.25, wanted=2), *requests).output_tokens_per_s == pytest.approx(27 / 2.25)


def test_an_engine_that_hung_is_not_a_fast_one() -> None:
    """One client, which waits for ever after 50 answers: its request failed, and its time counts."""
    requests = [sent(float(at)) for at in range(51)] + [sent(51.0, None)]
    found = point(level(600.0, wanted=100, ending="time"), *requests)
    assert (found.requests, found.failed, found.unanswered) == (51, 1, 1)
    assert found.output_tokens_per_s == pytest.approx(500 / 599)
    assert found.e2e_latency is not None
    assert found.e2e_latency.max == 549
    assert found.ttft is not None
    assert found.ttft.max == 549


def test_an_engine_that_stopped_answering_all_is_refused() -> None:
    requests = [sent(float(at)) for at in range(51)] + [sent(51.0, None)]
    found = point(level(600.0, wanted=100, ending="stalled"), *requests)
    assert found.failure is FailureKind.BENCHMARK_FAILED
    assert "stopped answering: 1 requests were under way" in (found.error or "")


def test_a_level_cut_short_is_measured_as_far_as_all_have_an_outcome() -> None:
    """Those under way are the long ones: measuring up to the end would leave them out."""
    long = sent(2.0, None, until=3.0)
    requests = [sent(0.0), sent(1.0), long, sent(2.1, 0.4), sent(2.6, 0.4)]
    seen = window(level(3.1, wanted=9, ending="time"), requests)
    assert counts(seen) == (1, 1, 0, 0, 0, 3)


def test_one_of_twenty_may_be_under_way_and_counts_as_at_least_so_slow() -> None:
    requests = [sent(at / 10, 0.1) for at in range(20)] + [sent(2.0, None, until=2.2), sent(2.1, 0.1)]
    found = point(level(2.25, wanted=21, ending="tail"), *requests)
    assert (found.requests, found.failed, found.censored) == (21, 0, 1)
    assert found.e2e_latency is not None
    assert found.e2e_latency.max == pytest.approx(0.25)
    assert any("still under way" in note for note in found.notes)


def test_too_few_answers_for_the_clients_are_refused() -> None:
    found = point(level(3.5, wanted=40, unmeasured=2, ending="time"), *map(sent, (0.0, 0.5, 1.0)), clients=2)
    assert found.failure is FailureKind.BENCHMARK_FAILED
    assert "Only 1 of the 40 requests to measure" in (found.error or "")
