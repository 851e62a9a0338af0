import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.benchmarks.requests import Level, Request, parsed
from tuner.benchmarks.statistics import stats, summarize
from tuner.benchmarks.tokens import tpot
from tuner.domain import LoadPoint
from tuner.errors import FailureKind
from tuner.spec.objectives import SLO, Metric

GENAI_BENCH = json.loads(Path(__file__).with_name("genai_bench_level.json").read_text())


def request(
    start: float = 0.0,
    ttft: float | None = 1.0,
    e2e: float = 3.0,
    tokens: int = 5,
    *,
    wanted: int | None = None,
    error: str | None = None,
    chunk_at: tuple[float, ...] | None = None,
    **more: Any,
) -> Request:
    first = None if ttft is None else start + ttft
    return Request(start, first, start + e2e, 10, tokens, wanted, error, chunk_at, **more)


def point(*requests: Request, slos: tuple[SLO, ...] = (), level: Level | None = None) -> LoadPoint:
    """All of them measured, unless a level says otherwise."""
    level = level or Level.whole("hand", requests)
    return summarize("D(10,5)", 1, level, requests, slos, raw="0/level/requests.jsonl")


def slo(metric: Metric, threshold: float, statistic: str = "mean") -> SLO:
    return SLO.model_validate({"metric": metric, "statistic": statistic, "threshold": threshold})


def test_two_requests_give_the_numbers_worked_out_by_hand() -> None:
    measured = point(request(100, 1, 3, 5, chunk_at=(101, 101.4, 102, 102.5, 103)), request(101, 2, 5, 7))
    assert measured.valid
    assert (measured.requests, measured.failed, measured.success_rate) == (2, 0, 1.0)
    assert measured.duration_s == 6  # from 100 to 106
    assert measured.ttft is not None
    assert measured.ttft.mean == 1.5
    assert measured.ttft.p90 == pytest.approx(1.9)
    assert (measured.ttft.min, measured.ttft.max) == (1, 2)
    assert measured.tpot is not None
    assert measured.tpot.mean == 0.5  # (3 - 1) / 4 and (5 - 2) / 6
    assert measured.e2e_latency is not None
    assert measured.e2e_latency.p50 == 4
    assert measured.itl is not None
    assert measured.itl.mean == 0.5
    assert measured.itl.max == pytest.approx(0.6)
    assert (measured.input_tokens, measured.output_tokens) == (20, 12)
    assert measured.output_tokens_per_s == 2
    assert measured.total_tokens_per_s == pytest.approx(32 / 6)
    assert measured.requests_per_s == pytest.approx(2 / 6)
    assert measured.goodput_per_s is None
    assert (measured.scenario, measured.concurrency, measured.raw) == ("D(10,5)", 1, "0/level/requests.jsonl")


def test_an_answer_of_one_token_has_no_time_per_token() -> None:
    measured = point(request(tokens=1))
    assert measured.tpot is None
    assert measured.ttft is not None
    assert measured.valid


def test_text_that_came_all_at_once_shows_no_time_per_token() -> None:
    measured = point(request(ttft=3.0, e2e=3.00001, tokens=5, chunk_at=(3.0, 3.0, 3.0, 3.0, 3.00001)))
    assert (measured.tpot, measured.itl) == (None, None)
    assert measured.missing["tpot"] == measured.missing["itl"] == "1 of 1 answers came all at once."
    assert measured.ttft is not None
    assert measured.valid


def test_a_failed_request_counts_as_failed_in_no_latency_and_its_time_in_every_rate() -> None:
    answered = [request(start) for start in range(39)]
    measured = point(*answered, request(0, None, 500.0, 0, error="503: busy"))
    assert measured.valid
    assert (measured.requests, measured.failed) == (40, 1)
    assert measured.success_rate == pytest.approx(39 / 40)
    assert measured.e2e_latency is not None
    assert measured.e2e_latency.max == 3
    assert measured.duration_s == 500
    assert measured.requests_per_s == pytest.approx(39 / 500)


def test_goodput_counts_requests_that_meet_every_slo_by_themselves() -> None:
    fast, late, slow = request(0, 0.5, 2.5, 5), request(0, 2.0, 4.0, 5), request(0, 0.5, 10.0, 5)
    limits = (slo(Metric.TTFT, 1.0, "p99"), slo(Metric.TTFT, 9.0), slo(Metric.TPOT, 1.0), slo(Metric.E2E, 8.0))
    assert point(fast, late, slow, slos=limits).goodput_per_s == pytest.approx(1 / 10)
    assert point(fast, late, slow, slos=limits[1:2]).goodput_per_s == pytest.approx(3 / 10)


def test_an_answer_without_time_per_token_can_still_be_good() -> None:
    assert point(request(tokens=1), slos=(slo(Metric.TPOT, 0.1),)).goodput_per_s == pytest.approx(1 / 3)


def test_a_level_without_any_finished_request_says_what_to_change() -> None:
    measured = point()
    assert measured.failure is FailureKind.BENCHMARK_FAILED
    assert "max_time_per_iteration" in (measured.error or "")


def test_a_level_with_too_many_failures_names_the_commonest_and_keeps_what_it_measured() -> None:
    answered = [request() for _ in range(90)]
    failed = [request(ttft=None, tokens=0, error=error) for error in ["500: oops"] * 6 + ["503: busy"] * 4]
    measured = point(*answered, *failed)
    assert measured.failure is FailureKind.BENCHMARK_FAILED
    assert measured.error == "10 of 100 requests failed, at most 5% may; 6 times: 500: oops"
    assert measured.ttft is not None


def test_failures_up_to_the_share_that_is_allowed_leave_a_level_valid() -> None:
    answered = [request() for _ in range(19)]
    assert point(*answered, request(ttft=None, tokens=0, error="500")).valid
    assert not point(*answered[1:], request(ttft=None, tokens=0, error="500")).valid


def test_one_empty_answer_makes_a_level_unhealthy() -> None:
    measured = point(request(), request(ttft=None, tokens=0))
    assert measured.failure is FailureKind.UNHEALTHY_OUTPUT
    assert measured.error == "1 of 2 answers were empty."


def test_an_answer_below_nine_tenths_of_what_was_asked_for_makes_a_level_unhealthy() -> None:
    assert point(request(tokens=9, wanted=10)).valid
    measured = point(request(tokens=10, wanted=10), request(tokens=8, wanted=10))
    assert measured.failure is FailureKind.UNHEALTHY_OUTPUT
    assert "8 of 10 tokens" in (measured.error or "")


def test_an_answer_of_free_length_may_be_short() -> None:
    assert point(request(tokens=1, wanted=None)).valid


def test_requests_in_no_time_have_no_rate() -> None:
    measured = point(request(e2e=0, ttft=0), slos=(slo(Metric.TTFT, 1),))
    assert (measured.output_tokens_per_s, measured.requests_per_s, measured.goodput_per_s) == (0, 0, 0)


def test_the_statistics_are_those_of_genai_bench_where_it_is_right() -> None:
    theirs = GENAI_BENCH["aggregated_metrics"]
    sent = [parsed(json.dumps(line)) for line in GENAI_BENCH["requests"]]
    measured = point(*sent)
    # It leaves out the time per token of answers that came within a millisecond; by the formula they count.
    lasting = [one for one in sent if one.first_token_at and (one.finished_at or 0) - one.first_token_at >= 0.001]
    for name, ours in (
        ("ttft", measured.ttft),
        ("tpot", stats(map(tpot, lasting))),
        ("e2e_latency", measured.e2e_latency),
    ):
        assert ours is not None
        for statistic, value in ours.model_dump().items():
            assert value == pytest.approx(theirs["stats"][name][statistic], rel=1e-6), (name, statistic)
    assert measured.input_tokens == theirs["stats"]["num_input_tokens"]["sum"]
    assert measured.output_tokens == theirs["stats"]["num_output_tokens"]["sum"]
    assert measured.requests == theirs["num_completed_requests"]


def test_the_rates_are_higher_than_genai_bench_says_because_its_own_waiting_is_left_out() -> None:
    theirs = GENAI_BENCH["aggregated_metrics"]
    measured = point(*(parsed(json.dumps(line)) for line in GENAI_BENCH["requests"]))
    assert theirs["run_duration"] - 1.1 < measured.duration_s < theirs["run_duration"]
    assert measured.output_tokens_per_s * measured.duration_s == pytest.approx(
        theirs["mean_output_throughput_tokens_per_s"] * theirs["run_duration"]
    )


Seconds = st.floats(0, 1e6, allow_nan=False)


@given(st.lists(Seconds, min_size=1, max_size=50))
def test_percentiles_are_numpys(values: list[float]) -> None:
    ours = stats(values)
    assert ours is not None
    for name, percent in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)):
        assert getattr(ours, name) == pytest.approx(float(np.percentile(values, percent)), rel=1e-9, abs=1e-9)
    assert ours.min <= ours.p50 <= ours.p90 <= ours.p95 <= ours.p99 <= ours.max
    assert ours.min <= ours.mean <= ours.max


@st.composite
def requests(draw: st.DrawFn) -> Request:
    start, ttft, rest = draw(Seconds), draw(Seconds), draw(Seconds)
    tokens = draw(st.integers(0, 10_000))
    failed = draw(st.booleans())
    return request(
        start,
        None if failed or tokens == 0 else ttft,
        ttft + rest,
        0 if failed else tokens,
        wanted=draw(st.none() | st.integers(0, 10_000)),
        error="500: no" if failed else None,
        chunk_at=draw(st.none() | st.lists(Seconds, max_size=3).map(sorted).map(tuple)),
    )


@given(st.lists(requests(), max_size=30), st.lists(st.sampled_from([Metric.TTFT, Metric.TPOT, Metric.E2E]), max_size=3))
def test_no_number_is_ever_infinite_or_undefined(sent: list[Request], metrics: list[Metric]) -> None:
    measured = point(*sent, slos=tuple(slo(metric, 1.0) for metric in metrics))
    numbers = [value for value in json.loads(measured.model_dump_json()).values() if isinstance(value, float | int)]
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
    assert measured.requests == len(sent)
    assert measured.goodput_per_s is None or measured.goodput_per_s <= measured.requests_per_s
    assert measured.valid or measured.error
