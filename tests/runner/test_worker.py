"""Who runs a task, and what becomes of it when its worker, its store or the tuner itself fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes import rig
from tests.fakes.rig import Flags, Silence, Tables, spec, throughput
from tests.fakes.stores import REMOTE, BadDisk, dead_owner, live_owner
from tuner.domain import LoadPoint, Role, Task, TaskState
from tuner.errors import ConflictError, LeaseLostError, StorageError
from tuner.machine.processes import Identity
from tuner.runner import loop as run_module
from tuner.runner import worker as worker_module
from tuner.runner.worker import Worker
from tuner.settings import Settings
from tuner.storage.store import Held, Store


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setattr(worker_module, "IDLE_S", 0.01)
    monkeypatch.setattr(run_module, "RETRY_S", 0.0)
    return rig.install(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path, tables: Tables) -> Settings:
    """Heartbeats every 0.1 s."""
    return Settings(home=tmp_path / "home", lease_s=0.5)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[BadDisk]:
    async with BadDisk(settings.store_url) as store:
        yield store


@pytest.fixture
async def other(store: Store, settings: Settings) -> AsyncIterator[Store]:
    """Another process's view of the same database."""
    async with Store(settings.store_url) as other:
        yield other


@pytest.fixture
def worker(store: BadDisk, settings: Settings) -> Worker:
    return Worker(store, settings)


async def queued(store: Store, **changes: Any) -> Task:
    return await store.queue((await store.add(spec(parameters={"speed": [5, 6]}, **changes))).id)


async def until(what: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(60):
        while not await what():
            await asyncio.sleep(0.005)


async def becomes(what: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.005)


def silent_from(tables: Tables, experiment: int) -> None:
    """The engine of this experiment and all later ones never answers."""

    def law(flags: Flags, scenario: str, concurrency: int) -> LoadPoint | Silence:
        return Silence() if len(tables.deployer.started) > experiment else throughput(flags, scenario, concurrency)

    tables.benchmark.law = law


def under_load(tables: Tables, experiment: int = 0) -> Callable[[], Awaitable[bool]]:
    async def measuring() -> bool:
        return len(tables.deployer.started) > experiment and " × " in tables.deployer.journal[-1]

    return measuring


# A whole task


async def test_a_task_runs_to_its_end_with_its_gain(worker: Worker, store: BadDisk, settings: Settings) -> None:
    task = await queued(store, optimization={"confirm": 2})
    done = await worker.run(task.id)
    assert (done.state, done.error) == (TaskState.COMPLETED, None)
    (listed,), _ = await store.tasks()
    assert listed.completed == 9
    assert listed.gain == pytest.approx(25.0)  # at speed 6 it is 26 times as fast as at 1
    kinds = [event.kind for event in await store.events(task.id)]
    assert kinds[:3] == ["task_created", "task_queued", "task_started"]
    assert kinds[-1] == "task_finished"
    assert (settings.runs(task.id) / "benchmark.log").is_file()


async def test_the_load_generator_gets_the_workload_resolved(
    worker: Worker, store: BadDisk, tables: Tables, tmp_path: Path
) -> None:
    dataset = tmp_path / "prompts.jsonl"
    dataset.write_text('{"prompt": "one"}\n{"prompt": "two"}\n')
    traffic = {"traffic_scenarios": ["dataset"], "dataset_url": str(dataset), "max_time_per_iteration": 2}
    task = await queued(store, benchmark=traffic, slo={"ttft": {"threshold": 1}})
    await worker.run(task.id)
    (workload,) = tables.benchmark.workloads
    assert (workload.task_id, workload.tokenizer, workload.max_time_s) == (task.id, "org/model", 120)
    assert workload.dataset is not None
    assert workload.dataset.is_file()
    assert [slo.name for slo in workload.slos] == ["ttft.mean"]


async def test_the_demo_model_is_made_when_a_task_needs_it(worker: Worker, store: BadDisk, settings: Settings) -> None:
    task = await queued(store, benchmark={"model_tokenizer": "demo"}, budget={"max_experiments": 1})
    assert (await worker.run(task.id)).state is TaskState.COMPLETED
    assert (settings.models / "demo" / "config.json").is_file()


async def test_what_others_left_is_reaped_before_a_task_starts(worker: Worker, store: BadDisk, tables: Tables) -> None:
    task = await queued(store)
    await worker.run(task.id)
    assert tables.deployer.reaped == [None, task.id]


# Ends that are the task's own


async def test_what_is_missing_fails_the_task_with_the_way_to_get_it(
    worker: Worker, store: BadDisk, tables: Tables
) -> None:
    tables.benchmark.lacks = "fake-bench is not installed; run: autotuner engine install fake-bench"
    done = await worker.run((await queued(store)).id)
    assert (done.state, done.error) == (TaskState.FAILED, tables.benchmark.lacks)
    tables.benchmark.lacks = None
    await store.queue(done.id)
    assert (await worker.run(done.id)).state is TaskState.COMPLETED


async def test_a_task_that_has_become_invalid_fails_with_its_problems(worker: Worker, store: BadDisk) -> None:
    done = await worker.run((await queued(store, model="/no/model")).id)
    assert done.state is TaskState.FAILED
    assert done.error is not None
    assert "model.id_or_path: there is no folder '/no/model'" in done.error


@pytest.mark.parametrize(
    ("bug", "says"),
    [
        (ValueError("impossible"), "A bug in the tuner: ValueError('impossible')"),
        (OSError(28, "No space left on device", "/data/x"), "No space left on device: '/data/x'"),
    ],
)
async def test_a_bug_or_a_full_disk_fails_the_task_and_leaves_nothing_running(
    worker: Worker, store: BadDisk, tables: Tables, bug: Exception, says: str
) -> None:
    def breaks(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        raise bug

    tables.benchmark.law = breaks
    done = await worker.run((await queued(store)).id)
    assert done.state is TaskState.FAILED
    assert done.error is not None
    assert says in done.error
    assert tables.deployer.up == []
    tables.benchmark.law = throughput
    await store.queue(done.id)
    assert (await worker.run(done.id)).state is TaskState.COMPLETED


async def test_a_cancelled_task_stops_at_the_next_heartbeat_and_keeps_what_it_has(
    worker: Worker, store: BadDisk, other: Store, tables: Tables
) -> None:
    silent_from(tables, 1)
    task = await queued(store)
    running = asyncio.create_task(worker.run(task.id))
    await until(under_load(tables, 1))
    await other.request_cancel(task.id)
    done = await running
    assert done.state is TaskState.CANCELLED
    assert tables.deployer.up == []
    assert [one.state.value for one in await store.experiments(task.id)] == ["completed", "running"]


async def test_three_at_once_have_generators_that_end_apart_and_are_all_cancelled(
    worker: Worker, store: BadDisk, other: Store, tables: Tables
) -> None:
    silent_from(tables, 0)
    task = await queued(store, optimization={"parallel_experiments": 3})
    running = asyncio.create_task(worker.run(task.id))
    await becomes(lambda: len(tables.deployer.up) == 3)
    assert [(name, label.experiment) for name, label in tables.benchmark.opened] == [
        ("benchmark.log", -1),
        ("benchmark.1.log", -2),
        ("benchmark.2.log", -3),
    ]
    await other.request_cancel(task.id)
    assert (await running).state is TaskState.CANCELLED
    assert tables.deployer.up == []
    left = await store.experiments(task.id)
    assert [one.state.value for one in left] == ["running"] * 3
    (lease,) = {one.holder for one in left}
    assert lease == f"{worker.owner}#1"
    tables.benchmark.law = throughput
    await store.queue(task.id)
    assert (await worker.run(task.id)).state is TaskState.COMPLETED
    assert [one.attempt for one in await store.experiments(task.id)] == [2, 2, 2]


# Who has the task


@pytest.mark.parametrize("state", [TaskState.CREATED, TaskState.COMPLETED])
async def test_only_a_queued_task_is_run(worker: Worker, store: BadDisk, state: TaskState) -> None:
    task = await queued(store)
    if state is TaskState.COMPLETED:
        await worker.run(task.id)
    else:
        task = await store.add(spec())
    with pytest.raises(ConflictError, match=f"is {state}; only a queued task can be run"):
        await worker.run(task.id)


async def test_a_task_in_a_live_process_is_left_to_it(worker: Worker, store: BadDisk) -> None:
    task = await queued(store)
    await store.claim(task.id, live_owner())
    with pytest.raises(ConflictError, match=f"running in process {Identity.parse(live_owner()).pid}"):
        await worker.run(task.id)


async def test_a_dead_owners_task_is_taken_at_once(worker: Worker, store: BadDisk) -> None:
    task = await queued(store)
    await store.claim(task.id, dead_owner())
    assert (await worker.run(task.id)).state is TaskState.COMPLETED


async def test_a_task_of_a_silent_machine_is_waited_for_and_then_taken(
    worker: Worker, store: BadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, looks = SimpleNamespace(now=1000.0), 0
    monkeypatch.setattr(worker_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    owned = store.owned

    async def looked() -> list[Held]:
        nonlocal looks
        found = await owned()
        looks += 1
        return found

    async def two_looks() -> None:
        enough = looks + 2
        await becomes(lambda: looks >= enough)

    monkeypatch.setattr(store, "owned", looked)
    task = await queued(store)
    lease = await store.claim(task.id, REMOTE)
    assert lease is not None
    waiting = asyncio.create_task(worker.run(task.id))
    for _ in range(6):  # it lives for longer than a lease
        await store.beat(lease)
        await two_looks()
        clock.now += 0.4
    assert not waiting.done()
    clock.now += 0.2
    assert (await waiting).state is TaskState.COMPLETED


@pytest.mark.parametrize("owner", [REMOTE, "own", "live"])
def test_a_heartbeat_that_stands_still_for_a_lease_is_a_stalled_owner(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(worker_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    text = {"own": worker.owner, "live": live_owner()}.get(owner, owner)

    def abandoned(after_s: float, beat: int, token: int = 1) -> bool:
        clock.now += after_s
        return worker.abandoned(Held("0123abcd", text, token, beat))

    assert not abandoned(0, beat=7)
    assert not abandoned(0.4, beat=7)
    assert abandoned(0.2, beat=7)
    assert not abandoned(0, beat=8)
    assert not abandoned(0.4, beat=8)
    assert not abandoned(0.4, beat=9)
    assert not abandoned(0.4, beat=9)
    assert not abandoned(10, beat=9, token=2), "another lease is watched from its own beginning"


async def test_a_worker_that_lost_its_lease_stops_and_writes_nothing_more(
    worker: Worker, store: BadDisk, other: Store, tables: Tables
) -> None:
    silent_from(tables, 1)
    task = await queued(store)
    running = asyncio.create_task(worker.run(task.id))
    await until(under_load(tables, 1))
    (held,) = await other.owned()
    heir = await other.claim(task.id, REMOTE, replacing=held.token)
    assert heir is not None
    before = await other.experiments(task.id), await other.events(task.id)
    with pytest.raises(LeaseLostError, match="the worker that had it must stop"):
        await running
    assert tables.deployer.up == []
    assert (await other.experiments(task.id), await other.events(task.id)) == before
    assert (await other.task(task.id)).state is TaskState.RUNNING


# A store that fails


async def test_a_store_that_fails_once_fails_the_task_with_its_words_and_it_can_be_resumed(
    worker: Worker, store: BadDisk, tables: Tables
) -> None:
    store.fails = lambda method, before: method == "record" and before == 4
    done = await worker.run((await queued(store)).id)
    assert (done.state, done.error) == (
        TaskState.FAILED,
        "The database has no space left on its disk; free some.",
    )
    assert tables.deployer.up == []
    await store.queue(done.id)
    assert (await worker.run(done.id)).state is TaskState.COMPLETED


async def test_a_store_that_fails_at_any_write_and_stays_so_loses_nothing(
    store: BadDisk, settings: Settings, tables: Tables
) -> None:
    """The process ends with the store's words, its task still `running`; the next worker goes on from there."""
    small: dict[str, Any] = {"benchmark": {"num_concurrency": 1}, "budget": {"max_experiments": 2}}
    undisturbed = await queued(store, **small)
    await Worker(store, settings).run(undisturbed.id)
    writes, wanted = store.tried, await store.experiments(undisturbed.id)
    assert writes > 10
    for full_from in range(writes):
        task = await queued(store, **small)
        store.tried, store.fails = 0, partial(_tried, full_from)
        with pytest.raises(StorageError, match="no space left"):
            await Worker(store, settings, owner=dead_owner()).run(task.id)
        assert tables.deployer.up == []
        store.fails = BadDisk.fails
        assert (await store.task(task.id)).state is TaskState.RUNNING
        kept = [one for one in await store.experiments(task.id) if one.finished_at]
        assert (await Worker(store, settings).run(task.id)).state is TaskState.COMPLETED
        experiments = await store.experiments(task.id)
        assert experiments[: len(kept)] == kept
        assert [one.params for one in experiments] == [one.params for one in wanted]


def _tried(enough: int, method: str, before: int) -> bool:
    return before >= enough


async def test_heartbeats_may_fail_for_less_than_a_lease(
    store: BadDisk, settings: Settings, tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    silent_from(tables, 0)
    task = await queued(store)
    running = asyncio.create_task(Worker(store, settings.model_copy(update={"lease_s": 5})).run(task.id))
    await until(under_load(tables))
    store.fails = lambda method, before: method == "beat"
    await becomes(lambda: "no heartbeat could be written" in caplog.text)
    store.fails = BadDisk.fails
    await store.request_cancel(task.id)
    assert (await running).state is TaskState.CANCELLED


async def test_without_a_heartbeat_for_a_lease_the_worker_gives_the_task_up(
    worker: Worker, store: BadDisk, tables: Tables
) -> None:
    silent_from(tables, 0)
    task = await queued(store)
    running = asyncio.create_task(worker.run(task.id))
    await until(under_load(tables))
    store.fails = lambda method, before: method == "beat"
    done = await running
    assert tables.deployer.up == []
    assert (done.state, done.error) == (TaskState.FAILED, "The database has no space left on its disk; free some.")


# A worker that serves


async def serving(worker: Worker, until_: Callable[[], Awaitable[object]]) -> None:
    stop = asyncio.Event()
    serve = asyncio.create_task(worker.serve(stop))
    try:
        await until(until_)
    finally:
        stop.set()
        await serve


def all_ended(store: Store) -> Callable[[], Awaitable[bool]]:
    async def ended() -> bool:
        return all(task.state.ended for task in (await store.tasks())[0])

    return ended


async def test_serving_goes_on_after_a_task_that_failed(worker: Worker, store: BadDisk, tables: Tables) -> None:
    def breaks_once(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        tables.benchmark.law = throughput
        raise ValueError("impossible")

    tables.benchmark.law = breaks_once
    first, second = await queued(store), await queued(store)
    await serving(worker, all_ended(store))
    assert (await store.task(first.id)).state is TaskState.FAILED
    assert (await store.task(second.id)).state is TaskState.COMPLETED


async def test_serving_survives_a_store_that_fails_and_takes_up_what_it_dropped(
    worker: Worker, store: BadDisk, tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    task = await queued(store)
    failures = iter([True] * 2)
    store.fails = lambda method, before: method != "beat" and before >= 5 and next(failures, False)
    await serving(worker, all_ended(store))
    assert (await store.task(task.id)).state is TaskState.COMPLETED
    assert "no space left" in caplog.text
    assert f"taking over from {worker.owner}" in caplog.text


async def test_serving_survives_a_store_that_cannot_be_read(
    worker: Worker, store: BadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await queued(store)
    locked = iter([True] * 3)
    next_queued = store.next_queued

    async def sometimes() -> str | None:
        if next(locked, False):
            raise StorageError("The database stays locked by another process.")
        return await next_queued()

    monkeypatch.setattr(store, "next_queued", sometimes)
    await serving(worker, all_ended(store))
    assert (await store.task(task.id)).state is TaskState.COMPLETED


async def test_serving_takes_what_dead_owners_left_and_leaves_what_lives(worker: Worker, store: BadDisk) -> None:
    left, lives = await queued(store), await queued(store)
    await store.claim(left.id, dead_owner())
    lease = await store.claim(lives.id, live_owner())
    assert lease is not None

    async def taken() -> bool:
        await store.beat(lease)
        return (await store.task(left.id)).state is TaskState.COMPLETED

    await serving(worker, taken)
    assert (await store.task(lives.id)).state is TaskState.RUNNING


async def test_a_worker_told_to_stop_leaves_its_task_to_the_next_one(
    store: BadDisk, settings: Settings, tables: Tables
) -> None:
    silent_from(tables, 1)
    task = await queued(store)
    await serving(Worker(store, settings, owner=dead_owner()), under_load(tables, 1))
    assert tables.deployer.up == []
    assert (await store.task(task.id)).state is TaskState.RUNNING
    tables.benchmark.law = throughput
    await serving(Worker(store, settings), all_ended(store))
    experiments = await store.experiments(task.id)
    assert [(one.state.value, one.attempt) for one in experiments] == [
        ("completed", 1),
        ("completed", 2),
        ("completed", 1),
    ]


async def test_a_serving_worker_that_is_cancelled_leaves_nothing_running(
    worker: Worker, store: BadDisk, tables: Tables
) -> None:
    silent_from(tables, 0)
    await queued(store)
    serve = asyncio.create_task(worker.serve(asyncio.Event()))
    await until(under_load(tables))
    serve.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serve
    assert tables.deployer.up == []


async def test_a_second_cancellation_does_not_cut_the_farewell_to_the_engine_short(
    worker: Worker, store: BadDisk, tables: Tables
) -> None:
    silent_from(tables, 0)
    tables.deployer.farewell_s = 0.3
    task = await queued(store)
    running = asyncio.create_task(worker.run(task.id))
    await until(under_load(tables))
    await store.request_cancel(task.id)
    await becomes(lambda: tables.deployer.leaving)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tables.deployer.up == []


# Prompts


async def test_confirmations_alone_send_the_prompts_that_were_set_aside(
    worker: Worker, store: BadDisk, tables: Tables, tmp_path: Path
) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(f'{{"prompt": "prompt {number}"}}\n' for number in range(40)))
    benchmark = {"traffic_scenarios": ["dataset"], "dataset_url": str(path), "dataset_holdout": 0.25}
    task = await queued(store, benchmark=benchmark, optimization={"confirm": 1})
    assert (await worker.run(task.id)).state is TaskState.COMPLETED
    (workload,), (load,) = tables.benchmark.workloads, tables.benchmark.loads
    assert workload.dataset is not None
    assert workload.held_out is not None
    tuned, aside = (set(json.loads(part.read_text())) for part in (workload.dataset, workload.held_out))
    assert (len(tuned), len(aside), tuned & aside) == (30, 10, set())
    roles = [one.role for one in await store.experiments(task.id)]
    assert Role.CONFIRMATION in roles
    assert load.held_out == [role is Role.CONFIRMATION for role in roles for _ in (1, 8)]
