"""What a search has used, where several experiments run at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.rig import spec
from tuner.domain import Experiment, ExperimentState, Params, Role
from tuner.search.stop_rules import search_end

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def run(number: int, begun_s: float, wall_s: float | None = None, *, gpus: int = 1) -> Experiment:
    """A candidate; without a time it is under way."""
    return Experiment(
        number=number,
        role=Role.CANDIDATE,
        params=Params(),
        state=ExperimentState.RUNNING if wall_s is None else ExperimentState.COMPLETED,
        gpus=gpus,
        started_at=START + timedelta(seconds=begun_s),
        wall_s=wall_s,
    )


def reason(ended: list[Experiment], pending: list[Experiment], **changes: Any) -> str | None:
    return search_end(spec(optimization={"parallel_experiments": 3, "max_iterations": 50}, **changes), ended, pending)


@pytest.mark.parametrize("limit", [3, 4])
def test_experiments_under_way_are_counted(limit: int) -> None:
    said = reason([run(0, 0, 100)], [run(1, 0), run(2, 0)], budget={"max_experiments": limit})
    assert said == (None if limit == 4 else "budget.max_experiments is reached: 3 of 3 experiments.")


@pytest.mark.parametrize(
    ("ended", "pending", "used_s"),
    [
        ([run(0, 0, 100), run(1, 0, 100), run(2, 0, 100)], [], 100),
        ([run(0, 0, 100), run(1, 50, 100)], [], 150),
        ([run(0, 0, 100), run(1, 20, 30)], [], 100),
        ([run(0, 0, 100), run(1, 1000, 100)], [], 200),
        ([run(0, 0, 100)], [run(1, 0), run(2, 100)], 100),
        ([run(0, 40, 100)], [run(1, 0)], 140),
        ([], [run(0, 0), run(1, 0)], 0),
    ],
)
def test_time_that_several_share_is_used_once(
    ended: list[Experiment], pending: list[Experiment], used_s: float
) -> None:
    assert reason(ended, pending, budget={"max_time": used_s + 1}) is None
    if used_s:
        said = reason(ended, pending, budget={"max_time": used_s})
        assert said == f"budget.max_time is reached: {used_s:g} of {used_s:g} s."


def test_those_under_way_will_use_as_many_gpu_hours_as_the_others_did() -> None:
    ended, pending = [run(0, 0, 1800), run(1, 0, 5400)], [run(2, 0, gpus=4)]
    assert reason(ended, pending, budget={"max_gpu_hours": 6.1}) is None
    assert reason(ended, pending, budget={"max_gpu_hours": 6}) == ("budget.max_gpu_hours is reached: 6 of 6 GPU hours.")
