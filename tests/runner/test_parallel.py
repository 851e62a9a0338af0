"""Several experiments at once: the same ones as one at a time, and nothing shared, lost or left running."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import nvml, rig
from tests.fakes.engine import installed_engine
from tests.fakes.nvml import FakeGPU
from tests.fakes.rig import Bench, Death, FakeLoad, Flags, Silence, bench, spec, throughput
from tests.fakes.stores import begun, taken_over
from tuner.domain import Experiment, ExperimentState, LoadPoint, Role
from tuner.errors import LeaseLostError, UnavailableError
from tuner.runner import loop as run_module
from tuner.runner.loop import run
from tuner.runner.steps import next_steps
from tuner.search.stop_rules import STOP_RULES
from tuner.spec.task import TaskSpec
from tuner.storage.store import Lease, Store

RUNNING = ExperimentState.RUNNING


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    rig.hurry(monkeypatch)
    monkeypatch.setattr(run_module, "RETRY_S", 0.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:///{tmp_path / 'autotuner.db'}") as store:
        yield store


def three(**changes: Any) -> TaskSpec:
    """Three at once, of ten in all."""
    searching = {"parallel_experiments": 3, **changes.pop("optimization", {})}
    return spec(optimization=searching, **changes)


@dataclass
class Meeting(FakeLoad):
    """Sends its first level when all generators are about to send theirs: so many experiments are under way then."""

    all: asyncio.Barrier | None = None
    met: bool = False

    async def measure(
        self,
        url: str,
        model: str,
        scenario: str,
        concurrency: int,
        folder: Path,
        *,
        rate: float | None = None,
        held_out: bool = False,
    ) -> LoadPoint:
        if self.all is not None and not self.met:
            self.met = True
            async with asyncio.timeout(60):
                await self.all.wait()
        return await super().measure(url, model, scenario, concurrency, folder, held_out=held_out)


async def ran(store: Store, folder: Path, made: TaskSpec, **parts: Any) -> tuple[list[Experiment], Bench]:
    """A whole task; the first experiments of its slots meet."""
    lease, made_bench = await begun(store, made), bench(folder, made, **parts)
    slots = made.optimization.parallel_experiments if made_bench.rig.gpus == 0 else made_bench.rig.gpus
    barrier = asyncio.Barrier(slots)
    meeting = replace(
        made_bench.rig, open=lambda slot: nullcontext(Meeting(made_bench.deployer, throughput, all=barrier))
    )
    await run(meeting, lease, store)
    assert made_bench.deployer.up == []
    return await store.experiments(lease.task_id), made_bench


def peak(parts: Bench) -> int:
    """The most servers that ran at once."""
    running = most = 0
    for what in parts.deployer.journal:
        running += (what == "start") - (what == "stop")
        most = max(most, running)
    return most


def keys(experiments: Sequence[Experiment]) -> list[str]:
    return sorted(one.params.key for one in experiments)


def silent_from(number: int, parts: Bench) -> Bench:
    """The servers from this one on never answer."""

    def law(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Silence:
        silent = [one.flags for one in parts.deployer.started[number:]]
        return Silence() if flags in silent else throughput(flags, scenario, concurrency)

    parts.rig = replace(parts.rig, open=lambda slot: nullcontext(FakeLoad(parts.deployer, law)))
    return parts


async def until_running(store: Store, lease: Lease, parts: Bench, ended: int) -> list[Experiment]:
    async with asyncio.timeout(60):
        while True:
            experiments = await store.experiments(lease.task_id)
            if [one.state is RUNNING for one in experiments] == [False] * ended + [True] * 3 and (
                len(parts.deployer.up) == 3
            ):
                return experiments
            await asyncio.sleep(0.005)


# The same search


async def test_three_at_once_measure_what_one_at_a_time_measures_and_number_it_without_holes(
    store: Store, tmp_path: Path
) -> None:
    one, alone = await ran(store, tmp_path / "1", spec())
    many, together = await ran(store, tmp_path / "3", three())
    assert (peak(alone), peak(together)) == (1, 3)
    assert keys(many) == keys(one)
    assert [e.number for e in many] == list(range(10))
    assert [e.params for e in many] == [e.params for e in one], "a grid starts in its order"
    assert {e.attempt for e in many} == {1}
    assert sorted(e.scores[0].value for e in many) == sorted(e.scores[0].value for e in one)


@pytest.mark.parametrize("strategy", ["random", "bayesian", "nsga2", "auto"])
async def test_no_configuration_is_measured_twice_whoever_chooses(store: Store, tmp_path: Path, strategy: str) -> None:
    searching = {"strategy": strategy, "n_initial_random": 2, "max_iterations": 9}
    experiments, parts = await ran(store, tmp_path, three(optimization=searching))
    assert len(set(keys(experiments))) == len(experiments) == 10
    assert peak(parts) == 3


@pytest.mark.parametrize(
    ("changes", "measured"),
    [({"budget": {"max_experiments": 5}}, 5), ({"optimization": {"max_iterations": 4}}, 5)],
)
async def test_what_is_under_way_counts_in_the_budget(
    store: Store, tmp_path: Path, changes: dict[str, Any], measured: int
) -> None:
    experiments, _ = await ran(store, tmp_path, three(**changes))
    assert len(experiments) == measured


async def test_confirmations_begin_when_the_last_candidate_has_ended_and_take_turns(
    store: Store, tmp_path: Path
) -> None:
    made = three(parameters={"speed": [1, 5, 6]}, optimization={"confirm": 2})
    lease, parts = await begun(store, made), bench(tmp_path, made)
    await run(parts.rig, lease, store)
    experiments = await store.experiments(lease.task_id)
    assert [one.confirms for one in experiments] == [None] * 4 + [3, 2, 0, 0, 2, 3]
    events = [
        (event.kind, event.payload.get("number"))
        for event in await store.events(lease.task_id)
        if event.kind in ("experiment_started", "experiment_finished", "search_stopped")
    ]
    first = events.index(("experiment_started", 4))
    assert {number for kind, number in events[:first] if kind == "experiment_finished"} == {0, 1, 2, 3}


# Nothing is shared


async def test_each_has_its_own_load_generator_which_the_next_one_takes_over(store: Store, tmp_path: Path) -> None:
    made = three()
    lease, parts = await begun(store, made), bench(tmp_path, made)
    slots: list[int] = []

    def opened(slot: int) -> nullcontext[FakeLoad]:
        slots.append(slot)
        return nullcontext(FakeLoad(parts.deployer, throughput))  # it refuses two at once

    await run(replace(parts.rig, open=opened), lease, store)
    assert slots == [0, 1, 2]
    assert len(parts.deployer.started) == 10


async def test_experiments_wait_for_gpus_that_others_of_the_task_use(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml.install(monkeypatch, FakeGPU(), FakeGPU())
    made = three(parameters={"speed": [5, 6]}, parallel_config={"tp": [1, 2]})
    engine = installed_engine("fake-gpu")
    experiments, parts = await ran(store, tmp_path, made, engine=engine, gpus=2)
    assert [one.gpus for one in experiments] == [1, 1, 1, 2, 2]
    assert {(one.state.value, one.attempt) for one in experiments} == {("completed", 1)}
    assert peak(parts) == 2


# Whatever ends one


async def test_what_the_machine_fails_every_time_ends_the_others_too_and_all_run_again(
    store: Store, tmp_path: Path
) -> None:
    made = three()
    lease = await begun(store, made)
    parts = silent_from(1, bench(tmp_path, made, starts=[Death(-9), None, None, Death(-9), Death(-9)]))
    with pytest.raises(UnavailableError, match=r"Experiment 0 was tried 3 times"):
        await run(parts.rig, lease, store)
    assert parts.deployer.up == []
    assert [(one.state.value, one.attempt) for one in await store.experiments(lease.task_id)] == [
        ("running", 3),
        ("running", 1),
        ("running", 1),
    ]
    await run(bench(tmp_path, made).rig, await taken_over(store, lease), store)
    experiments = await store.experiments(lease.task_id)
    assert [one.attempt for one in experiments] == [4, 2, 2] + [1] * 7
    assert len(set(keys(experiments))) == 10


@pytest.mark.parametrize("ended", [0, 4])
async def test_a_run_that_is_cut_off_measures_what_was_under_way_again_and_nothing_twice(
    store: Store, tmp_path: Path, ended: int
) -> None:
    made = three()
    lease, parts = await begun(store, made), silent_from(ended, bench(tmp_path, made))
    running = asyncio.create_task(run(parts.rig, lease, store))
    before = await until_running(store, lease, parts, ended)
    assert {one.holder for one in before if one.state is RUNNING} == {lease.holder}
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert parts.deployer.up == []
    heir = await taken_over(store, lease)
    await run(bench(tmp_path, made).rig, heir, store)
    experiments = await store.experiments(lease.task_id)
    assert experiments[:ended] == before[:ended]
    assert [one.attempt for one in experiments] == [1] * ended + [2] * 3 + [1] * (7 - ended)
    assert [one.number for one in experiments] == list(range(10))
    assert len(set(keys(experiments))) == 10
    assert {one.holder for one in experiments} == {None}


async def test_a_lost_lease_ends_all_of_them(store: Store, tmp_path: Path) -> None:
    made = three()
    lease, parts = await begun(store, made), silent_from(4, bench(tmp_path, made))

    async def tell(kind: str, payload: object) -> None:
        await store.record(lease, events=[(kind, {})])

    running = asyncio.create_task(run(replace(parts.rig, tell=tell), lease, store))
    await until_running(store, lease, parts, 4)
    await taken_over(store, lease)
    parts.deployer.up[0].die(Death(1))  # whoever writes next learns of it
    with pytest.raises(LeaseLostError, match="the worker that had it must stop"):
        await running
    assert parts.deployer.up == []


# What comes next


def rows(made: TaskSpec, states: Sequence[ExperimentState]) -> list[Experiment]:
    """The first steps of a task, as far as they have come."""
    plan = rig.plan_of(made)
    pending: list[Experiment] = []
    for _ in states:
        pending += next_steps(plan, (), pending, 1)
    done = {"points": (), "scores": ()}
    return [one.model_copy(update={"state": state, **done}) for one, state in zip(pending, states, strict=True)]


def test_as_many_are_given_as_are_free_and_the_same_question_has_the_same_answer() -> None:
    plan = rig.plan_of(three())
    for free in range(12):
        steps = next_steps(plan, (), (), free)
        assert [one.number for one in steps] == list(range(min(free, 10)))
        assert [one.role for one in steps[:1]] == [Role.BASELINE][:free]
        assert keys(next_steps(plan, (), (), free)) == keys(steps)
    begun = next_steps(plan, (), (), 10)
    assert next_steps(plan, (), begun, 3) == [], "wait"


def test_an_interrupted_one_comes_first_and_one_that_is_held_does_not_come_again() -> None:
    made = three()
    left, held, ended = rows(made, [RUNNING, RUNNING, ExperimentState.FAILED])
    steps = next_steps(rig.plan_of(made), [left, ended], [held], 2)
    assert [(one.number, one.attempt) for one in steps] == [(0, 2), (3, 1)]


async def test_a_rule_sees_what_the_others_gave(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind:
        """Nothing is measured further that is worse at its first level than the best so far was there."""

        def ends_search(self, task: TaskSpec, history: Sequence[Experiment], pending: Sequence[Experiment]) -> None:
            return None

        def ends_experiment(self, task: TaskSpec, history: Sequence[Experiment], experiment: Experiment) -> str | None:
            assert all(one.state is not RUNNING for one in history)
            best = max((one.points[0].output_tokens_per_s for one in history), default=0.0)
            return "It cannot win." if experiment.points[0].output_tokens_per_s < best else None

    monkeypatch.setitem(STOP_RULES, "behind", Behind())
    experiments, _ = await ran(store, tmp_path, spec(parameters={"speed": [6, 5, 9]}))
    assert [[one.error for one in e.points] for e in experiments] == [
        [None, None],
        [None, None],
        [None, "Not run: It cannot win."],
        [None, "Not run: It cannot win."],
    ]
