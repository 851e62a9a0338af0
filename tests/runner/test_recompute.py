"""Figures again from raw files; and what keeps them from agreeing."""

import json
from pathlib import Path

import pytest

from tests.fakes.results import experiment, spec, task_of
from tests.fakes.steady import ENGINES, LENGTHS, Loop
from tuner.benchmarks import requests
from tuner.benchmarks.statistics import summarize
from tuner.domain import Experiment, LoadPoint
from tuner.runner.recompute import Recomputed, recompute
from tuner.spec.task import TaskSpec

LEVELS = (2, 4)


@pytest.fixture
def made() -> TaskSpec:
    load = {"traffic_scenarios": ["D(200,100)"], "num_concurrency": list(LEVELS)}
    return spec(benchmark=load, optimization={"confirm": 0})


def point(folder: Path, made: TaskSpec, number: int, engine: str, clients: int) -> LoadPoint:
    """A level of the simulation, its requests kept as a generator keeps them."""
    level, sent = Loop(ENGINES[engine], LENGTHS["log-normal"], clients, 20, seed=number).run()
    raw = f"{number}/c{clients}/{requests.NAME}"
    (folder / raw).parent.mkdir(parents=True)
    requests.write(folder / raw, level, sent)
    assert made.slo is not None
    return summarize("D(200,100)", clients, level, sent, made.slo.bounds, raw=raw)


@pytest.fixture
def run(tmp_path: Path, made: TaskSpec) -> list[Experiment]:
    return [
        experiment(number, [point(tmp_path, made, number, engine, clients) for clients in LEVELS], task=made)
        for number, engine in enumerate(["balanced", "few slots"])
    ]


def again(made: TaskSpec, run: list[Experiment], folder: Path) -> Recomputed:
    return recompute(task_of(made), run, folder)


def test_every_figure_agrees(made: TaskSpec, run: list[Experiment], tmp_path: Path) -> None:
    came = again(made, run, tmp_path)
    assert came.agrees
    assert (came.levels, came.requests) == (4, sum(one.sent for each in run for one in each.points))
    assert came.figures > 200


def test_a_figure_that_was_changed_is_named_and_so_is_what_follows_from_it(
    made: TaskSpec, run: list[Experiment], tmp_path: Path
) -> None:
    better = run[1].points[1].model_copy(update={"output_tokens_per_s": run[1].points[1].output_tokens_per_s * 1.5})
    changed = run[1].model_copy(update={"points": (run[1].points[0], better)})
    came = again(made, [run[0], changed], tmp_path)
    assert not came.agrees
    found = {(one.where, one.figure) for one in came.differences}
    assert ("experiment 1, D(200,100) × 4", "output_tokens_per_s") in found
    assert any(where == "report" for where, _ in found)


def test_a_request_that_was_changed_is_found(made: TaskSpec, run: list[Experiment], tmp_path: Path) -> None:
    raw = tmp_path / (run[0].points[0].raw or "")
    lines = raw.read_text().splitlines()
    slower = json.loads(lines[5])
    slower["started_at"] -= 0.5
    raw.write_text("\n".join([*lines[:5], json.dumps(slower), *lines[6:]]) + "\n")
    came = again(made, run, tmp_path)
    assert {one.where.partition(",")[0] for one in came.differences} >= {"experiment 0"}
    assert any(one.figure.startswith("ttft.") for one in came.differences)


@pytest.mark.parametrize("harm", ["gone", "damaged", "older"])
def test_a_level_without_its_requests_is_left_out_and_said_so(
    made: TaskSpec, run: list[Experiment], tmp_path: Path, harm: str
) -> None:
    raw = tmp_path / (run[0].points[0].raw or "")
    if harm == "gone":
        raw.unlink()
    elif harm == "damaged":
        raw.write_text(raw.read_text()[:-20])
    else:
        raw.write_text("".join(raw.read_text().splitlines(keepends=True)[1:]))
    came = again(made, run, tmp_path)
    assert not came.agrees
    (said,) = came.left_out
    assert said.startswith("experiment 0, D(200,100) × 2: ")
    assert not came.differences
