"""Open loops against a queue whose law is known: one server, a fixed service time (M/D/1)."""

import random
from collections.abc import Sequence

import pytest

from tuner.benchmarks import open_loop, schedule
from tuner.benchmarks.requests import Level, Request
from tuner.benchmarks.statistics import summarize
from tuner.benchmarks.window import window
from tuner.errors import FailureKind

SERVICE_S = 0.05


def queue(load: float, wanted: int, seed: int = 1, kind: str = "poisson", late_s: float = 0.0) -> list[Request]:
    """The requests of a level that is kept up until the last measured one is answered."""
    requests: list[Request] = []
    free, ended = 0.0, 0.0
    for number, due in enumerate(schedule.arrivals(kind, load / SERVICE_S, random.Random(seed))):
        began = max(due + late_s, free)
        free = began + SERVICE_S
        if number == wanted:
            ended = requests[-1].finished_at or 0.0
        if number >= wanted and due > ended:
            return requests
        requests.append(
            Request(
                started_at=due + late_s,
                scheduled_at=due,
                first_token_at=began + SERVICE_S / 2,
                finished_at=free,
                input_tokens=10,
                output_tokens=4,
                wanted_tokens=4,
                chunk_at=tuple(began + SERVICE_S * part / 4 for part in (2, 2.5, 3, 4)),
            )
        )
    raise AssertionError


def level(requests: Sequence[Request], unmeasured: int, wanted: int, **changes: object) -> Level:
    ended = requests[unmeasured + wanted - 1].finished_at
    assert ended is not None
    given = {"generator": "g", "ended_at": ended, "ending": "complete", "unmeasured": unmeasured, "wanted": wanted}
    return Level(**{**given, **changes})  # type: ignore[arg-type]


def growing(load: float, wanted: int, seed: int) -> str | None:
    requests = queue(load, wanted + wanted // 10, seed)
    made = level(requests, wanted // 10, wanted)
    return open_loop.growing(made, window(made, requests))


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_a_queue_that_only_swings_is_no_overload(load: float) -> None:
    flagged = sum(growing(load, wanted, seed) is not None for wanted in (100, 300) for seed in range(150))
    assert flagged <= 4  # of 300


@pytest.mark.parametrize(("load", "wanted"), [(1.3, 100), (1.2, 300), (2.0, 100)])
def test_an_engine_that_cannot_keep_up_is_found(load: float, wanted: int) -> None:
    assert sum(growing(load, wanted, seed) is not None for seed in range(100)) >= 90


def test_the_reason_says_by_how_much_it_falls_behind() -> None:
    requests = queue(2.0, 110, kind="constant")
    made = level(requests, 10, 100)
    point = summarize("D(10,4)", 0, made, requests, (), rate=40.0)
    assert point.failure is FailureKind.OVERLOADED
    assert "cannot keep up with this rate" in (point.error or "")
    assert "40 came and 19.9 were answered each second" in (point.error or "")
    assert (point.name, point.rate, point.concurrency) == ("D(10,4) @ 40/s", 40.0, 0)
    assert point.requests == 100, "what was measured is kept"


def test_a_trace_may_end_with_its_rush() -> None:
    requests = queue(2.0, 110, kind="constant")
    made = level(requests, 0, 110, trace=True)
    assert open_loop.growing(made, window(made, requests)) is None


def test_latencies_begin_when_a_request_was_due_whenever_it_left() -> None:
    requests = queue(0.5, 110, kind="constant", late_s=0.015)
    point = summarize("D(10,4)", 0, level(requests, 10, 100), requests, (), rate=10.0)
    assert point.valid, point.error
    assert point.e2e_latency is not None
    assert point.e2e_latency.p50 == pytest.approx(SERVICE_S + 0.015)
    assert point.ttft is not None
    assert point.ttft.p50 == pytest.approx(SERVICE_S / 2 + 0.015)
    assert point.requests_per_s == pytest.approx(10.0, rel=0.02)
    assert point.output_tokens_per_s == pytest.approx(40.0, rel=0.02)


def test_a_generator_that_falls_behind_is_no_measurement() -> None:
    requests = queue(0.5, 110, kind="constant", late_s=0.2)
    point = summarize("D(10,4)", 0, level(requests, 10, 100), requests, (), rate=10.0)
    assert point.failure is FailureKind.BENCHMARK_FAILED
    assert "requests left 200 ms after they were due" in (point.error or "")


def test_requests_that_were_due_and_never_left_are_told() -> None:
    requests = queue(0.5, 110, kind="constant")
    point = summarize("D(10,4)", 0, level(requests, 10, 100, unsent=7), requests, (), rate=10.0)
    assert "7 requests were due and never left" in (point.error or "")


def test_a_closed_loop_is_asked_none_of_this() -> None:
    starts = [number / 100 for number in range(110)]
    requests = [Request(at, at + 0.1, at + 0.2, 10, 4, 4, chunk_at=(at + 0.1,)) for at in starts]
    made = level(requests, 10, 100)
    seen = window(made, requests)
    assert (open_loop.behind(made, seen), open_loop.growing(made, seen)) == (None, None)
