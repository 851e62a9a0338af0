"""What is sent and when, before anything is sent."""

import itertools
import json
import math
import random
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from tuner.benchmarks import schedule
from tuner.benchmarks.traces import TraceRequest
from tuner.domain import Level
from tuner.protocols import Workload

MANY = 20_000


def workload(**changes: object) -> Workload:
    given = {"task_id": "task", "scenarios": (), "concurrencies": (), "tokenizer": "t", "max_time_s": 60.0}
    return Workload(**{**given, **changes})  # type: ignore[arg-type]


def gaps(kind: str, rate: float, count: int = MANY) -> list[float]:
    times = [0.0, *itertools.islice(schedule.arrivals(kind, rate, random.Random(7)), count)]
    return [after - before for before, after in itertools.pairwise(times)]


def test_constant_arrivals_have_equal_gaps() -> None:
    assert gaps("constant", 8.0, 100) == pytest.approx([0.125] * 100)


def test_poisson_arrivals_have_exponential_gaps_that_are_independent() -> None:
    found = gaps("poisson", 5.0)
    assert fmean(found) == pytest.approx(0.2, rel=0.02)
    assert pstdev(found) == pytest.approx(0.2, rel=0.03)
    apart = max(
        abs((number + 1) / MANY - (1 - math.exp(-5.0 * gap))) for number, gap in enumerate(sorted(found))
    )  # Kolmogorov's distance
    assert apart < 1.63 / math.sqrt(MANY)
    mean = fmean(found)
    together = fmean((a - mean) * (b - mean) for a, b in itertools.pairwise(found))
    assert abs(together) < 0.03 * pstdev(found) ** 2


def test_poisson_arrivals_make_the_queue_that_queueing_theory_says() -> None:
    """M/D/1: at load rho a request waits rho / (2 (1 - rho)) service times on average."""
    service_s, load = 0.05, 0.7
    waits, wait = [], 0.0
    for gap in gaps("poisson", load / service_s, 200_000):
        wait = max(0.0, wait + service_s - gap)
        waits.append(wait)
    assert fmean(waits) == pytest.approx(service_s * load / (2 * (1 - load)), rel=0.03)


def test_the_same_seed_gives_the_same_requests_at_the_same_times() -> None:
    level, given = Level("U(10,50)/(5,9)", 0, 4.0), workload()
    assert schedule.conversations(level, given, 1, 100) == schedule.conversations(level, given, 1, 100)
    assert schedule.conversations(level, given, 1, 100) != schedule.conversations(level, given, 2, 100)


@pytest.mark.parametrize(
    ("scenario", "means"), [("D(40,8)", (40, 8)), ("N(200,20)/(50,5)", (200, 50)), ("U(10,30)/(4,8)", (20, 6))]
)
def test_lengths_are_those_of_the_scenario(scenario: str, means: tuple[float, float]) -> None:
    drawn = list(itertools.islice(schedule.lengths(scenario, random.Random(3)), 4000))
    for index, mean in enumerate(means):
        values = [size[index] for size in drawn]
        assert all(value is not None and value >= 1 for value in values)
        assert fmean(value for value in values if value is not None) == pytest.approx(mean, rel=0.03)


def test_a_dataset_says_nothing_of_lengths() -> None:
    assert next(schedule.lengths("dataset", random.Random(1))) == (None, None)


def test_an_open_loop_is_planned_for_all_of_its_time() -> None:
    planned = schedule.conversations(Level("D(9,9)", 0, 5.0), workload(arrival="constant", max_time_s=20.0), 1, 10)
    assert planned[-1].turns[0].due_s == pytest.approx(20.2)


def test_a_rate_is_one_of_requests_not_of_conversations() -> None:
    given = workload(arrival="constant", turns=4, think_s=1.5)
    planned = schedule.conversations(Level("D(9,9)", 0, 8.0), given, 1, 100)
    assert [one.turns[0].due_s for one in planned[:3]] == pytest.approx([0.5, 1.0, 1.5])
    assert {len(one.turns) for one in planned} == {4}
    assert {one.think_s for one in planned} == {1.5}


def test_a_closed_loop_has_no_times() -> None:
    planned = schedule.conversations(Level("D(9,9)", 8), workload(), 1, 100)
    assert {turn.due_s for one in planned for turn in one.turns} == {None}
    assert len(planned) > 108


TRACE = tuple(
    TraceRequest(timestamp=1000.0 + 250 * number, input_length=100 + number, output_length=5 + number)
    for number in range(9)
)


def test_a_trace_is_replayed_at_its_own_times_with_its_own_lengths() -> None:
    planned = schedule.conversations(Level("trace", 0), workload(), 1, 1, TRACE)
    assert [one.turns[0].due_s for one in planned] == [0.25 * number for number in range(9)]
    assert [one.turns[0].input_tokens for one in planned] == [100 + number for number in range(9)]
    assert [one.turns[0].output_tokens for one in planned] == [5 + number for number in range(9)]


def test_a_trace_is_stretched_to_a_mean_rate_and_cut_to_the_requests_that_are_asked_for() -> None:
    planned = schedule.conversations(Level("trace", 0, 8.0), workload(max_requests=5), 1, 1, TRACE)
    assert [one.turns[0].due_s for one in planned] == pytest.approx([0.0, 0.125, 0.25, 0.375, 0.5])


def test_a_trace_in_a_closed_loop_is_its_lengths_again_and_again() -> None:
    planned = schedule.conversations(Level("trace", 2), workload(), 1, 20, TRACE)
    assert len(planned) > 22
    assert planned[9] == planned[0]
    assert planned[0].turns[0].due_s is None


def test_requests_of_one_session_are_turns_of_a_conversation() -> None:
    trace = [TRACE[0], *(one.model_copy(update={"session_id": "a"}) for one in TRACE[1:4]), TRACE[4]]
    planned = schedule.conversations(Level("trace", 0), workload(), 1, 1, trace)
    assert [len(one.turns) for one in planned] == [1, 3, 1]
    assert [turn.due_s for turn in planned[1].turns] == [0.25, 0.5, 0.75]


def test_a_conversation_is_one_line_for_the_driver(tmp_path: Path) -> None:
    turns = (schedule.Turn(5, 6, 0.5, (1, 2)), schedule.Turn(7, None))
    line = json.loads(schedule.Conversation(turns, think_s=2.0).line)
    assert line == {"turns": [[5, 6, 0.5, [1, 2]], [7, None, None, []]], "think_s": 2.0}
