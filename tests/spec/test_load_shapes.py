"""What a task can say of its load's shape."""

from typing import Any

import pytest
from pydantic import ValidationError

from tuner.domain import Level, LoadPoint, levels
from tuner.spec.task import BenchmarkConfig


def load(**given: Any) -> BenchmarkConfig:
    return BenchmarkConfig.model_validate(given)


def test_a_load_is_closed_unless_it_says_otherwise() -> None:
    assert load().num_concurrency == (1, 4, 8)
    assert (load().request_rate, load().trace, load().turns) == ((), None, 1)


@pytest.mark.parametrize("given", [{"request_rate": [2, 0.5]}, {"request_rate": 4}, {"trace": "t.jsonl"}])
def test_an_open_load_has_no_closed_loops_and_is_the_same_when_it_is_read_again(given: dict[str, Any]) -> None:
    read = load(**given)
    assert read.num_concurrency == ()
    assert BenchmarkConfig.model_validate(read.model_dump()) == read
    assert BenchmarkConfig.model_validate_json(read.model_dump_json()) == read


def test_a_trace_is_a_scenario_of_its_own() -> None:
    assert load(trace="t.jsonl").traffic_scenarios == ("trace",)
    assert load(trace="t.jsonl", num_concurrency=[2]).traffic_scenarios == ("trace",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_concurrency": [2], "request_rate": [2]}, "exclude each other; leave one out, or make two tasks"),
        ({"num_concurrency": []}, "D(100,100) needs a num_concurrency or a request_rate"),
        ({"traffic_scenarios": ["trace"]}, "give the path of the file as trace"),
        ({"trace": "t.jsonl", "traffic_scenarios": ["D(9,9)"]}, "a trace and the scenario 'trace' need each other"),
        ({"trace": "t.jsonl", "traffic_scenarios": ["trace", "D(9,9)"]}, "D(9,9) needs a num_concurrency"),
        ({"trace": "t.jsonl", "turns": 3}, "a trace has its own conversations (session_id); leave turns out"),
        ({"think_time": 2}, "think_time lies between the turns of a conversation; give turns too"),
        ({"request_rate": [2, 2]}, "request_rate names a value twice"),
        ({"request_rate": 0}, "greater than 0"),
        ({"request_rate": True}, "must be a number"),
        ({"arrival": "bursty"}, "'poisson' or 'constant'"),
        ({"trace": "t.jsonl", "prefix_len": 5}, "the prompts of a trace stay as they are"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_way_out(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load(**given)
    assert message in str(caught.value)


def test_levels_rise() -> None:
    assert levels("D(9,9)", (8, 1)) == [Level("D(9,9)", 1), Level("D(9,9)", 8)]
    assert levels("D(9,9)", (), (4.0, 0.5)) == [Level("D(9,9)", 0, 0.5), Level("D(9,9)", 0, 4.0)]
    assert levels("trace", ()) == [Level("trace", 0)]
    assert [level.load for level in levels("D(9,9)", (), (4.0, 0.5))] == [0.5, 4.0]


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (Level("D(9,9)", 8), "D(9,9) × 8"),
        (Level("D(9,9)", 0, 4.0), "D(9,9) @ 4/s"),
        (Level("D(9,9)", 0, 0.25), "D(9,9) @ 0.25/s"),
        (Level("trace", 0), "trace"),
        (Level("trace", 0, 2.0), "trace @ 2/s"),
        (Level("trace", 4), "trace × 4"),
    ],
)
def test_a_level_says_whether_it_is_a_rate_or_a_concurrency(level: Level, name: str) -> None:
    assert level.name == name
    point = LoadPoint(scenario=level.scenario, concurrency=level.concurrency, rate=level.rate)
    assert (point.name, point.level) == (name, level)


def test_a_point_of_an_older_version_is_a_closed_loop() -> None:
    point = LoadPoint.model_validate({"scenario": "D(9,9)", "concurrency": 8})
    assert (point.level, point.level.open) == (Level("D(9,9)", 8), False)
