"""A database that cannot be used says so in a sentence, and loses nothing."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import Pool

import tuner.storage.database
from tuner.domain import Experiment, ExperimentState, Params, Role, TaskState
from tuner.errors import StorageError
from tuner.spec.task import TaskSpec
from tuner.storage.statements import now
from tuner.storage.store import Store

SPEC = TaskSpec.model_validate({"task_name": "tiny", "base_runtime": "simulated", "model": "tiny"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data folder" / "autotuner.db"


@pytest.fixture
async def made(file: Path) -> str:
    """The id of a task in a database that nobody has open."""
    async with Store(f"sqlite:///{file}") as store:
        task = await store.add(SPEC)
    return task.id


@contextmanager
def sqlite_holding(file: Path, statement: str) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute(statement)
        yield


async def test_a_locked_database_is_named_and_usable_again_afterwards(file: Path, made: str) -> None:
    async with Store(f"sqlite:///{file}?timeout=0.05") as store:
        with sqlite_holding(file, "BEGIN IMMEDIATE"):
            with pytest.raises(
                StorageError, match=f"The database {file} stays locked by another process; .*database is locked"
            ):
                await store.queue(made)
            assert (await store.task(made)).state is TaskState.CREATED, "reading waits for no writer"
        assert (await store.queue(made)).state is TaskState.QUEUED


async def test_a_new_database_that_is_locked_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner.storage.database, "BUSY_S", 0.05)
    file.parent.mkdir()
    with sqlite_holding(file, "BEGIN EXCLUSIVE"), pytest.raises(StorageError, match="stays locked"):
        await Store(f"sqlite:///{file}").open()


@pytest.mark.postgres
async def test_a_locked_postgresql_is_named(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner.storage.database, "BUSY_S", 0.05)
    async with Store(postgres_url) as store:
        task = await store.add(SPEC)
        with psycopg.connect(postgres_url) as holder:
            holder.execute("SELECT * FROM task FOR UPDATE")
            with pytest.raises(StorageError, match="stays locked by another session"):
                await store.queue(task.id)
        assert (await store.queue(task.id)).state is TaskState.QUEUED


@contextmanager
def limited_to(pages: int) -> Iterator[None]:
    """SQLite finds its disk full when a file would grow past this."""

    def limit(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        cursor.close()

    event.listen(Pool, "connect", limit)
    yield
    event.remove(Pool, "connect", limit)


async def test_on_a_full_disk_the_task_stays_and_goes_on_when_there_is_space(file: Path, made: str) -> None:
    experiment = Experiment(number=0, role=Role.BASELINE, params=Params(), started_at=now())
    large = experiment.model_copy(update={"state": ExperimentState.COMPLETED, "command": ("x" * 100_000,)})
    with limited_to(pages=30):
        async with Store(f"sqlite:///{file}") as store:
            await store.queue(made)
            lease = await store.claim(made, "worker")
            assert lease is not None
            await store.record(lease, experiment=experiment)
            with pytest.raises(StorageError, match=f"{file} has no space left on its disk; free some.*is full"):
                await store.record(lease, experiment=large, events=[("experiment_finished", {})])
            assert await store.beat(lease) is False
    async with Store(f"sqlite:///{file}") as store:
        assert await store.experiments(made) == [experiment]
        await store.record(lease, experiment=large)
        assert await store.experiments(made) == [large]


async def test_a_read_only_database_can_be_read_and_says_so_when_written(file: Path, made: str) -> None:
    async with Store(f"sqlite:///file:{file}?mode=ro&uri=true") as store:
        assert (await store.task(made)).id == made
        with pytest.raises(StorageError, match="is read-only; make the file and its folder writable"):
            await store.queue(made)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"The data folder .*/file/data cannot be made: Not a directory\. Choose"):
        await Store(f"sqlite:///{tmp_path / 'file' / 'data' / 'autotuner.db'}").open()


async def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened; check that its folder is there"):
        await Store(f"sqlite:///{tmp_path}").open()


async def test_a_file_that_is_no_database_is_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StorageError, match="is not a SQLite database; move the file away"):
        await Store(f"sqlite:///{file}").open()
    assert file.read_bytes().startswith(b"not a database")


async def test_a_damaged_database_is_named(file: Path, made: str) -> None:
    data = file.read_bytes()
    page = int.from_bytes(data[16:18], "big")
    file.write_bytes(data[:page] + b"\xff" * (len(data) - page))
    with pytest.raises(StorageError, match="is damaged; put a backup in its place"):
        async with Store(f"sqlite:///{file}") as store:
            await store.task(made)


@pytest.mark.parametrize(
    "url", ["", "autotuner.db", "mysql://user:secret@host/db", "postgresql://user:secret@host:x/db"]
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StorageError, match=r"write sqlite:////path/to/autotuner\.db or postgresql://") as refused:
        Store(url)
    assert "secret" not in str(refused.value)


async def test_an_unreachable_postgresql_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"postgresql://user:\*\*\*@/db cannot be connected to; start it") as refused:
        await Store(f"postgresql://user:secret@/db?host={tmp_path}").open()
    assert "secret" not in str(refused.value)


@pytest.mark.postgres
async def test_a_missing_postgresql_database_is_named(postgres: str) -> None:
    with pytest.raises(
        StorageError, match=r'postgresql://tuner@/nowhere cannot be connected to.*"nowhere" does not exist'
    ):
        await Store(postgres.format(database="nowhere")).open()


@pytest.mark.postgres
async def test_postgresql_that_was_restarted_is_used_again(postgres_url: str) -> None:
    async with Store(postgres_url) as store:
        task = await store.add(SPEC)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await store.task(task.id) == task


async def test_a_cancelled_write_is_undone_and_the_store_goes_on(store: Store) -> None:
    task = await store.add(SPEC)
    for delay in range(20):
        writing = asyncio.create_task(store.append(task.id, "line", {"delay": delay}))
        for _ in range(delay):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    last = await store.append(task.id, "last", {})
    assert [event.sequence for event in await store.events(task.id)] == list(range(1, last.sequence + 1))


async def test_whoever_is_cancelled_in_the_middle_leaves_no_connection_behind(store: Store) -> None:
    task = await store.add(SPEC)
    for turn in range(60):
        writing = asyncio.create_task(store.append(task.id, "turn", {"turn": turn}))
        reading = asyncio.create_task(store.events(task.id))
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        writing.cancel()
        reading.cancel()
        await asyncio.gather(writing, reading, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    events = await store.events(task.id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
