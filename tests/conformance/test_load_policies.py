"""What every load policy promises, whatever the levels give."""

import random
from collections.abc import Callable, Mapping

import pytest

from tests.fakes.results import point
from tests.fakes.rig import spec
from tuner.domain import Level, LoadPoint
from tuner.errors import FailureKind
from tuner.search.load_policies import LOAD_POLICIES
from tuner.spec.task import TaskSpec

EVERY = pytest.mark.parametrize("name", LOAD_POLICIES)
AT_MOST = 64
"""Levels of one scenario, where fewer are requested."""

Law = Callable[[Level], LoadPoint]


def measured(level: Level, rate: float = 100.0, ttft: float = 0.1) -> LoadPoint:
    made = point(level.concurrency, scenario=level.scenario, rate=rate, ttft=ttft)
    return made.model_copy(update={"rate": level.rate})


def good(level: Level) -> LoadPoint:
    return measured(level, rate=level.load)


def bad(level: Level) -> LoadPoint:
    return level.failed(FailureKind.CRASHED, "It crashed.")


def steep(level: Level) -> LoadPoint:
    """Slower by every request at once; from 5 on the SLO is missed, from 100 on nothing works."""
    return bad(level) if level.load > 100 else measured(level, ttft=0.1 * level.load)


def erratic(level: Level) -> LoadPoint:
    dice = random.Random(f"{level.scenario}/{level.load}")
    ttft, rate = dice.uniform(0.01, 3), dice.uniform(1, 1000)
    one = measured(level, rate, ttft)
    return bad(level) if dice.random() < 0.3 else one


LAWS: Mapping[str, Law] = {"good": good, "bad": bad, "steep": steep, "erratic": erratic}
TASKS: Mapping[str, Mapping[str, object]] = {
    "one level": {"num_concurrency": 1},
    "rates": {"request_rate": [4, 0.5, 16], "num_concurrency": []},
    "a trace": {"trace": "trace.jsonl", "traffic_scenarios": ["trace"], "num_concurrency": []},
    "unordered": {"num_concurrency": [64, 1, 8, 512]},
    "scenarios": {"traffic_scenarios": ["D(64,16)", "N(480,240)/(300,150)", "D(8,8)"], "num_concurrency": [2, 1]},
}


def task(name: str, policy: str) -> TaskSpec:
    return spec(benchmark={**TASKS[name], "load_policy": policy}, slo={"ttft": {"threshold": 0.5, "hard_fail": True}})


def levels(made: TaskSpec, law: Law) -> list[LoadPoint]:
    policy, points = LOAD_POLICIES[made.benchmark.load_policy], list[LoadPoint]()
    most = len(made.benchmark.traffic_scenarios) * max(AT_MOST, len(made.benchmark.num_concurrency))
    while (level := policy.next(made, tuple(points))) is not None:
        points.append(law(level))
        assert len(points) <= most, "it does not end"
    return points


@EVERY
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("made", TASKS)
def test_every_requested_scenario_and_no_other_is_measured_and_no_level_twice(name: str, made: str, law: str) -> None:
    asked = task(made, name)
    points = levels(asked, LAWS[law])
    assert {one.scenario for one in points} == set(asked.benchmark.traffic_scenarios)
    assert len({one.level for one in points}) == len(points)
    assert all(one.level.open is not bool(asked.benchmark.num_concurrency) for one in points)


@EVERY
@pytest.mark.parametrize("law", LAWS)
def test_the_same_points_have_the_same_answer_and_stay_as_they_are(name: str, law: str) -> None:
    made = task("unordered", name)
    points = levels(made, LAWS[law])
    for cut, following in enumerate([*points, None]):
        so_far = points[:cut]
        before = [one.model_copy(deep=True) for one in so_far]
        level = LOAD_POLICIES[name].next(made, so_far)
        assert level == (following and following.level)
        assert so_far == before


def test_the_fixed_policy_measures_what_is_listed_in_rising_concurrency() -> None:
    for law in LAWS.values():
        found = [(one.scenario, one.concurrency) for one in levels(task("scenarios", "fixed"), law)]
        assert found == [(name, c) for name in ("D(64,16)", "N(480,240)/(300,150)", "D(8,8)") for c in (1, 2)]
        assert [one.rate for one in levels(task("rates", "fixed"), law)] == [0.5, 4.0, 16.0]
        assert [one.level for one in levels(task("a trace", "fixed"), law)] == [Level("trace", 0)]
