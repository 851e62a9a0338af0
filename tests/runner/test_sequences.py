"""What is measured in which order, one at a time: recorded, so that no change of the loop moves a search unnoticed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.results import point
from tests.fakes.rig import SCENARIO, plan_of, spec
from tuner.analysis import score
from tuner.domain import Experiment, ExperimentState, Failure, LoadPoint
from tuner.errors import FailureKind
from tuner.runner.steps import next_steps
from tuner.search.strategies import STRATEGIES
from tuner.spec.task import TaskSpec
from tuner.spec.values import Value

RECORDED = json.loads(Path(__file__).with_name("sequences.json").read_text())

Law = Callable[[Mapping[str, Value], int], LoadPoint | None]
"""A load level of a configuration at a concurrency; None: the engine does not start."""


def bowl(flags: Mapping[str, Value], concurrency: int) -> LoadPoint:
    speed, batch = float(flags.get("speed", 1)), float(flags.get("batch", 4))
    rate = 1000 / (1 + (speed - 6) ** 2) * min(batch, concurrency) / (1 + (batch - 4) ** 2)
    return point(concurrency, scenario=SCENARIO, rate=rate, ttft=0.01 * batch, e2e=1 / rate)


def corner(flags: Mapping[str, Value], concurrency: int) -> LoadPoint | None:
    """Where both are high there is no memory."""
    too_large = float(flags.get("speed", 1)) * float(flags.get("batch", 4)) > 40
    return None if too_large else bowl(flags, concurrency)


LISTED = {"speed": [1, 2, 3, 4, 5, 6, 7, 8, 9], "batch": [1, 2, 4, 8]}
WIDE = {"speed": {"type": "continuous", "low": 1, "high": 9}, "batch": {"type": "integer", "low": 1, "high": 10**6}}
TASKS: Mapping[str, tuple[Law, Mapping[str, Any]]] = {
    "a grid": (bowl, {"parameters": LISTED}),
    "a small grid": (bowl, {"parameters": {"speed": [5, 6, 7]}}),
    "failures, a hard bound, two objectives": (
        corner,
        {
            "parameters": LISTED,
            "optimization": {"objective": ["maximize_throughput", "minimize_ttft"]},
            "slo": {"ttft": {"threshold": 0.05, "hard_fail": True}},
        },
    ),
    "ranges": (bowl, {"parameters": WIDE}),
    "a budget": (bowl, {"parameters": LISTED, "budget": {"max_experiments": 7, "max_time": 1000}}),
}


def task(name: str, strategy: str) -> TaskSpec:
    changes: dict[str, Any] = {**TASKS[name][1]}
    searching = {"strategy": strategy, "max_iterations": 12, "n_initial_random": 4, "confirm": 2, "seed": 5}
    return spec(**{**changes, "optimization": {**searching, **changes.get("optimization", {})}})


def sequence(made: TaskSpec, law: Law) -> list[str]:
    """The steps of a task whose engine is a law; each takes 100 s."""
    plan = plan_of(made)
    history: list[Experiment] = []
    while steps := next_steps(plan, history, (), 1):
        (step,) = steps
        found = [law(step.params.flags, concurrency) for concurrency in made.benchmark.num_concurrency]
        points = [one for one in found if one is not None]
        failure = None if points else Failure(kind=FailureKind.OUT_OF_MEMORY, message="no memory")
        done = {
            "state": ExperimentState.FAILED if failure else ExperimentState.COMPLETED,
            "points": tuple(points),
            "scores": score.judge(made, plan.objectives, points, 0) if points else (),
            "failure": failure,
            "wall_s": 100.0,
        }
        history.append(step.model_copy(update=done))
    return [_told(one) for one in history]


def _told(one: Experiment) -> str:
    flags = (f"{name}={value:.6g}" for name, value in one.params.flags.items())
    again = [] if one.confirms is None else [f"of {one.confirms}"]
    return " ".join([str(one.number), one.role, *flags, *again])


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_at_a_time_the_sequence_is_what_was_recorded(name: str, strategy: str) -> None:
    assert sequence(task(name, strategy), TASKS[name][0]) == RECORDED[name][strategy]
