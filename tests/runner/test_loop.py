"""The loop of a task: what comes next, where it ends, and how it goes on after anything."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes import nvml, rig
from tests.fakes.engine import installed_engine
from tests.fakes.nvml import FakeGPU
from tests.fakes.rig import Bench, Death, Flags, Law, Silence, bench, spec, throughput
from tests.fakes.stores import begun, taken_over
from tuner.domain import Experiment, ExperimentState, LoadPoint, Params, Role, TaskState
from tuner.errors import FailureKind, UnavailableError
from tuner.protocols import Search
from tuner.runner import loop as run_module
from tuner.runner.loop import run
from tuner.runner.steps import next_steps
from tuner.search.strategies.random import Random
from tuner.storage.store import Lease, Store

KILLED = Death(-9)
TWO_FLAGS = {"speed": [1, 2, 3, 4, 5, 6, 7, 8, 9], "batch": [1, 2, 4, 8]}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    rig.hurry(monkeypatch)
    monkeypatch.setattr(run_module, "RETRY_S", 0.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:///{tmp_path / 'autotuner.db'}") as store:
        yield store


async def finished(store: Store, folder: Path, law: Law = throughput, **changes: Any) -> list[Experiment]:
    """All experiments of a task that ran undisturbed."""
    made = spec(**changes)
    lease = await begun(store, made)
    await run(bench(folder, made, law).rig, lease, store)
    return await store.experiments(lease.task_id)


def speeds(experiments: list[Experiment]) -> list[object]:
    return [one.params.flags.get("speed") for one in experiments]


def steps(experiments: list[Experiment]) -> list[tuple[int, Role, str, int | None]]:
    return [(one.number, one.role, one.params.key, one.confirms) for one in experiments]


# Sequence


async def test_the_baseline_comes_first_and_has_what_is_fixed_and_nothing_else(store: Store, tmp_path: Path) -> None:
    experiments = await finished(store, tmp_path, parameters={"speed": [1, 6], "batch": 2})
    assert [one.role for one in experiments] == [Role.BASELINE, Role.CANDIDATE, Role.CANDIDATE]
    assert experiments[0].params.flags == {"batch": 2}
    assert speeds(experiments) == [None, 1, 6]


async def test_without_a_baseline_candidates_come_at_once(store: Store, tmp_path: Path) -> None:
    experiments = await finished(store, tmp_path, optimization={"baseline": False, "max_iterations": 2})
    assert [(one.number, one.role) for one in experiments] == [(0, Role.CANDIDATE), (1, Role.CANDIDATE)]


async def test_where_nothing_is_varied_only_the_baseline_is_measured(store: Store, tmp_path: Path) -> None:
    experiments = await finished(store, tmp_path, parameters={"speed": 3}, optimization={"confirm": 2})
    assert [one.role for one in experiments] == [Role.BASELINE]


async def test_the_best_and_the_baseline_are_confirmed_there_and_back(store: Store, tmp_path: Path) -> None:
    experiments = await finished(store, tmp_path, parameters={"speed": [1, 6, 9]}, optimization={"confirm": 2})
    again = experiments[4:]
    assert [one.role for one in again] == [Role.CONFIRMATION] * 6
    assert [one.confirms for one in again] == [2, 3, 0, 0, 3, 2]
    assert [one.params.flags for one in again[:3]] == [{"speed": 6}, {"speed": 9}, {}]


async def test_a_baseline_that_wins_is_not_confirmed(store: Store, tmp_path: Path) -> None:
    def steady(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        return throughput({"speed": "1"} if flags else {"speed": "6"}, scenario, concurrency)

    experiments = await finished(store, tmp_path, steady, optimization={"confirm": 2, "max_iterations": 3})
    assert Role.CONFIRMATION not in [one.role for one in experiments]


async def test_confirmations_never_enter_the_search(store: Store, tmp_path: Path) -> None:
    """Measured again the winner is the worst of all, and still nothing else is searched or confirmed."""
    measured: list[str] = []

    def lucky_once(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        measured.append(flags.get("speed", "-"))
        factor = "1" if measured.count("6") > 2 and flags.get("speed") == "6" else flags.get("speed", "1")
        return throughput({"speed": factor}, scenario, concurrency)

    experiments = await finished(
        store, tmp_path, lucky_once, parameters={"speed": [1, 5, 6]}, optimization={"confirm": 2}
    )
    assert speeds(experiments) == [None, 1, 5, 6, 6, 5, None, None, 5, 6]


async def test_once_the_winner_is_being_confirmed_the_search_is_over_whatever_the_strategy_says(
    store: Store, tmp_path: Path
) -> None:
    class Endless(Random):
        def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params:
            return Params(flags={"speed": 100 + len(history)})

    made = spec(parameters={"speed": [1, 6]}, optimization={"confirm": 1})
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    history = await store.experiments(lease.task_id)
    endless = replace(parts.rig.plan, strategy=Endless())
    roles = [step.role for cut in (3, 4) for step in next_steps(endless, history[:cut], (), 1)]
    assert roles == [Role.CANDIDATE, Role.CONFIRMATION]


async def test_what_is_recorded_is_what_was_launched(store: Store, tmp_path: Path) -> None:
    searching = {"strategy": "random", "max_iterations": 6}
    made = spec(parameters=TWO_FLAGS, environment={"MODE": ["x", "y"]}, optimization=searching)
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    experiments = await store.experiments(lease.task_id)
    assert len(experiments) == 7
    for one, deployment in zip(experiments, parts.deployer.started, strict=True):
        assert one.command == deployment.argv
        assert deployment.flags == {name: str(value) for name, value in one.params.flags.items()}
        assert deployment.env == one.env == one.params.env


async def test_events_tell_the_story_in_order(store: Store, tmp_path: Path) -> None:
    made = spec(parameters={"speed": [1, 6]})
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    events = [event for event in await store.events(lease.task_id) if event.kind.startswith("experiment")]
    assert [(event.kind, event.payload["number"]) for event in events] == [
        (kind, number) for number in range(3) for kind in ("experiment_started", "experiment_finished")
    ]
    assert events[-2].payload["params"] == {"speed": 6}
    assert events[-1].payload["feasible"] is True


# Budget


@pytest.mark.parametrize(
    ("changes", "measured", "reason"),
    [
        ({"budget": {"max_experiments": 3}}, 3, "budget.max_experiments is reached: 3 of 3 experiments."),
        (
            {"budget": {"max_experiments": 3}, "optimization": {"baseline": False}},
            3,
            "budget.max_experiments is reached: 3 of 3 experiments.",
        ),
        ({"optimization": {"max_iterations": 4}}, 5, "optimization.max_iterations is reached: 4 of 4 candidates."),
        ({"budget": {"max_time": 250}}, 3, "budget.max_time is reached: 300 of 250 s."),
        ({"budget": {"max_time": 50}}, 1, "budget.max_time is reached: 100 of 50 s."),
        ({"budget": {"max_gpu_hours": 0.2}}, 4, "budget.max_gpu_hours is reached: 0.222 of 0.2 GPU hours."),
        ({}, 10, None),
    ],
)
async def test_the_search_ends_with_its_budget(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    measured: int,
    reason: str | None,
) -> None:
    """Every experiment takes 100 s and two GPUs."""
    clock = count(0, 100)
    monkeypatch.setattr(run_module, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    nvml.install(monkeypatch, FakeGPU(), FakeGPU())
    made = spec(parallel_config={"tp": 2}, **changes)
    lease = await begun(store, made)
    await run(bench(tmp_path, made, engine=installed_engine("fake-gpu")).rig, lease, store)
    experiments = await store.experiments(lease.task_id)
    assert [one.wall_s for one in experiments] == [100.0] * measured
    assert {one.gpus for one in experiments} == {2}
    events = [event.payload for event in await store.events(lease.task_id) if event.kind == "search_stopped"]
    assert [event["reason"] for event in events] == ([reason] if reason else [])


async def test_confirmations_come_on_top_of_the_budget(store: Store, tmp_path: Path) -> None:
    experiments = await finished(
        store, tmp_path, parameters={"speed": [5, 6]}, budget={"max_experiments": 2}, optimization={"confirm": 1}
    )
    assert [one.role.value for one in experiments] == ["baseline", "candidate", "confirmation", "confirmation"]


# Failures


@pytest.mark.parametrize("strategy", ["grid_search", "random", "bayesian"])
async def test_a_failed_configuration_is_a_result_and_is_not_asked_again(
    store: Store, tmp_path: Path, strategy: str
) -> None:
    def some_fail(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Death:
        if int(flags.get("speed", 1)) > 4:
            return Death(1, "fake: no memory\n")
        return throughput(flags, scenario, concurrency)

    experiments = await finished(
        store, tmp_path, some_fail, parameters={"speed": [1, 3, 5, 7, 9]}, optimization={"strategy": strategy}
    )
    assert len({one.params.key for one in experiments}) == len(experiments) == 6
    failed = [one for one in experiments if one.state is ExperimentState.FAILED]
    assert sorted(map(str, speeds(failed))) == ["5", "7", "9"]
    assert {one.failure.kind for one in failed if one.failure} == {FailureKind.OUT_OF_MEMORY}
    assert {one.attempt for one in experiments} == {1}


async def test_what_the_machine_failed_is_tried_again_and_not_counted(store: Store, tmp_path: Path) -> None:
    made = spec(parameters={"speed": [5, 6]})
    lease, parts = await begun(store, made), bench(tmp_path, made, starts=[None, KILLED, KILLED])
    await run(parts.rig, lease, store)
    experiments = await store.experiments(lease.task_id)
    assert [(one.state.value, one.attempt) for one in experiments] == [
        ("completed", 1),
        ("completed", 3),
        ("completed", 1),
    ]
    retried = [event.payload for event in await store.events(lease.task_id) if event.kind == "experiment_retried"]
    assert retried == [{"number": 1, "reason": "The engine was killed from outside (SIGKILL)."}] * 2


async def test_what_the_machine_fails_every_time_stops_the_task_and_runs_again_on_resume(
    store: Store, tmp_path: Path
) -> None:
    searching = {"strategy": "random", "max_iterations": 4}
    undisturbed = await finished(store, tmp_path, optimization=searching)
    made = spec(optimization=searching)
    lease = await begun(store, made)
    with pytest.raises(UnavailableError, match=f"tried 3 times.*SIGKILL.*autotuner resume {lease.task_id}"):
        await run(bench(tmp_path, made, starts=[None, None, *[KILLED] * 3]).rig, lease, store)
    left = await store.experiments(lease.task_id)
    assert [(one.state.value, one.attempt) for one in left] == [("completed", 1), ("completed", 1), ("running", 3)]
    await run(bench(tmp_path, made).rig, await taken_over(store, lease), store)
    experiments = await store.experiments(lease.task_id)
    assert steps(experiments) == steps(undisturbed)
    assert experiments[:2] == left[:2]
    assert experiments[2].attempt == 4


# Resume is replay


@pytest.mark.parametrize("strategy", ["bayesian", "random", "grid_search", "nsga2"])
async def test_every_step_follows_from_the_history_before_it(store: Store, tmp_path: Path, strategy: str) -> None:
    objective = ["maximize_throughput", "minimize_ttft"] if strategy == "nsga2" else "maximize_throughput"
    made = spec(
        parameters=TWO_FLAGS,
        optimization={
            "strategy": strategy,
            "max_iterations": 8,
            "n_initial_random": 3,
            "confirm": 2,
            "objective": objective,
        },
    )
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    history = await store.experiments(lease.task_id)
    assert len(history) == (13 if strategy == "grid_search" else 17)  # its first eight beat the baseline once
    for cut, wanted in enumerate(history):
        assert steps(next_steps(parts.rig.plan, history[:cut], (), 1)) == steps([wanted])
        interrupted = wanted.model_copy(update={"state": ExperimentState.RUNNING, "points": (), "scores": ()})
        (again,) = next_steps(parts.rig.plan, [*history[:cut], interrupted], (), 1)
        assert steps([again]) == steps([wanted])
        assert again.attempt == wanted.attempt + 1
    assert next_steps(parts.rig.plan, history, (), 1) == []


async def test_a_run_cut_anywhere_goes_on_to_the_same_end(store: Store, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "parameters": {"speed": [1, 5, 6], "batch": [2, 4]},
        "optimization": {"strategy": "bayesian", "n_initial_random": 2, "confirm": 1},
    }
    undisturbed = await finished(store, tmp_path, **changes)
    made = spec(**changes)
    lease = await begun(store, made)
    for _ in undisturbed:  # each time one experiment more ends, and the next is cut off
        await cut_off_after(1, bench(tmp_path, made), lease, store)
        lease = await taken_over(store, lease)
    await run(bench(tmp_path, made).rig, lease, store)
    experiments = await store.experiments(lease.task_id)
    assert steps(experiments) == steps(undisturbed)
    assert [one.scores for one in experiments] == [one.scores for one in undisturbed]
    assert max(one.attempt for one in experiments) == 2


async def cut_off_after(experiments: int, parts: Bench, lease: Lease, store: Store) -> None:
    def silent_then(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Silence:
        if len(parts.deployer.started) > experiments:
            return Silence()
        return throughput(flags, scenario, concurrency)

    silent = replace(parts.rig, open=lambda slot: nullcontext(rig.FakeLoad(parts.deployer, silent_then)))
    running = asyncio.create_task(run(silent, lease, store))
    while len(parts.deployer.started) <= experiments and not running.done():
        await asyncio.sleep(0.002)
    running.cancel()
    await asyncio.wait([running])
    assert parts.deployer.up == []


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
async def test_a_seed_repeats_the_sequence_and_another_gives_another(
    store: Store, tmp_path: Path, strategy: str
) -> None:
    def searching(seed: int) -> dict[str, Any]:
        return {"strategy": strategy, "seed": seed, "max_iterations": 6, "n_initial_random": 3}

    one, same, other = [
        steps(await finished(store, tmp_path, parameters=TWO_FLAGS, optimization=searching(seed))) for seed in (1, 1, 2)
    ]
    assert one == same
    assert one != other


async def test_a_finished_task_has_no_next_step(store: Store, tmp_path: Path) -> None:
    made = spec(parameters={"speed": [5, 6]})
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    await run(parts.rig, lease, store)
    assert len(parts.deployer.started) == 3
    assert (await store.task(lease.task_id)).state is TaskState.RUNNING
