"""Who works, as others see it: workers that live, died, are elsewhere, or only hold a task."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from tests.fakes.rig import Flags, Silence, install, spec, throughput
from tests.fakes.stores import REMOTE, BadDisk, dead_owner, live_owner
from tuner.domain import LoadPoint
from tuner.errors import StorageError
from tuner.machine.processes import Identity
from tuner.runner import heartbeats
from tuner.runner import worker as worker_module
from tuner.runner.heartbeats import WorkerInfo, registered, workers
from tuner.runner.worker import Worker
from tuner.settings import Settings
from tuner.storage.schema import WORKER
from tuner.storage.store import Store
from tuner.storage.workers import Workers

ME = Identity.current()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[BadDisk]:
    async with BadDisk(settings.store_url) as store:
        yield store


async def test_a_worker_is_seen_from_its_start_to_its_end_with_what_it_runs(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "IDLE_S", 0.01)
    install(monkeypatch).benchmark.law = lambda *asked: Silence()
    stop = asyncio.Event()
    assert await workers(store) == []
    serving = asyncio.create_task(Worker(store, settings).serve(stop))
    while not (seen := await workers(store)):
        await asyncio.sleep(0.005)
    [worker] = seen
    assert (worker.host, worker.pid, worker.alive, worker.task_id) == (ME.host, ME.pid, True, None)
    task = await store.queue((await store.add(spec())).id)
    while (await workers(store))[0].task_id is None:
        await asyncio.sleep(0.005)
    assert (await workers(store))[0].task_id == task.id
    stop.set()
    await serving
    # The task that was cut off is this process's until another worker takes it.
    assert [(one.task_id, one.seen_at) for one in await workers(store)] == [(task.id, None)]


async def test_a_worker_that_runs_one_task_in_the_foreground_is_seen_too(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = install(monkeypatch)
    seen: list[asyncio.Future[list[WorkerInfo]]] = []

    def looked_at(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
        seen.append(asyncio.ensure_future(workers(store)))
        return throughput(flags, scenario, concurrency)

    tables.benchmark.law = looked_at
    task = await store.queue((await store.add(spec(parameters={"speed": [1, 2]}))).id)
    await Worker(store, settings).run(task.id)
    [worker] = await seen[0]
    assert (worker.pid, worker.task_id, worker.seen_at is not None) == (ME.pid, task.id, True)
    await asyncio.gather(*seen)
    assert await workers(store) == []


async def test_a_worker_that_died_is_told_as_dead_until_the_next_one_comes(store: Store) -> None:
    await store.workers.seen(dead_owner())
    [dead] = await workers(store)
    assert dead.alive is False
    async with registered(store, ME.text):
        assert [worker.alive for worker in await workers(store)] == [True]


async def test_of_a_worker_elsewhere_only_when_it_was_seen_is_known(store: Store, settings: Settings) -> None:
    await store.workers.seen(REMOTE)
    async with registered(store, ME.text):
        elsewhere, here = await workers(store)
        assert (elsewhere.host, elsewhere.alive, here.alive) == ("elsewhere", None, True)
    engine = create_engine(settings.store_url.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        assert elsewhere.seen_at is not None
        connection.execute(update(WORKER).values(seen_at=elsewhere.seen_at - timedelta(days=2)))
    engine.dispose()
    async with registered(store, ME.text):
        assert [worker.host for worker in await workers(store)] == [ME.host]


@pytest.mark.parametrize(("owner", "alive"), [(live_owner, True), (dead_owner, False), (lambda: REMOTE, None)])
async def test_who_holds_a_task_counts_without_having_said_so(store: Store, owner: object, alive: bool | None) -> None:
    task = await store.queue((await store.add(spec(base_runtime="simulated"))).id)
    assert callable(owner)
    await store.claim(task.id, owner())
    [holder] = await workers(store)
    assert (holder.alive, holder.task_id, holder.started_at, holder.seen_at) == (alive, task.id, None, None)


async def test_a_worker_says_again_and_again_that_it_lives(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "SEEN_EVERY_S", 0.01)
    async with registered(store, ME.text):
        [before] = await workers(store)
        while (await workers(store))[0].seen_at == before.seen_at:
            await asyncio.sleep(0.005)
        assert (await workers(store))[0].started_at == before.started_at


async def test_a_store_that_fails_keeps_no_worker_from_its_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(workers: Workers, *said: object) -> None:
        raise StorageError("The database has no space left on its disk; free some.")

    monkeypatch.setattr(heartbeats, "SEEN_EVERY_S", 0.001)
    monkeypatch.setattr(Workers, "seen", full)
    monkeypatch.setattr(Workers, "forget", full)
    async with registered(store, ME.text):
        await asyncio.sleep(0.02)
    assert await workers(store) == []
