"""Databases of every age become databases of today, with what they hold."""

import asyncio
import json
import sys
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from tuner.domain import ExperimentState, Role, TaskState
from tuner.errors import StorageError
from tuner.spec.presets import Preset
from tuner.storage import migrations
from tuner.storage.schema import METADATA
from tuner.storage.store import Store


def revisions() -> list[str]:
    """Oldest first."""
    config = Config()
    config.set_main_option("script_location", "tuner.storage:migrations")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.fixture
def connection(store_url: str) -> Iterator[Connection]:
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


AT = "2026-11-21 09:30:00.000000"
SPEC = {"task_name": "old", "model": {"id_or_path": "tiny"}, "a_key_that_is_gone": 1}
EXPERIMENT = {
    "number": 0,
    "role": "baseline",
    "params": {"flags": {"max-num-seqs": 8}, "a_part_that_is_gone": {}},
    "state": "completed",
    "started_at": "2026-11-21T09:30:00Z",
}
CUT_OFF = {**EXPERIMENT, "number": 1, "role": "candidate", "state": "running"}


def insert_rows_of_0001(connection: Connection) -> None:
    """What a tuner of the first revision left behind."""
    connection.execute(
        text(
            "INSERT INTO task (id, name, state, engine, mode, model, spec, created_at, lease, beat, cancel_requested) "
            "VALUES ('0badcafe', 'old', 'failed', 'vllm', 'local', 'tiny', :spec, :at, 3, 7, false)"
        ),
        {"spec": json.dumps(SPEC), "at": AT},
    )
    connection.execute(
        text(
            "INSERT INTO experiment (task_id, number, role, state, key, feasible, data) VALUES "
            "('0badcafe', 0, 'baseline', 'completed', '{}', true, :done), "
            "('0badcafe', 1, 'candidate', 'running', '{}', false, :cut_off)"
        ),
        {"done": json.dumps(EXPERIMENT), "cut_off": json.dumps(CUT_OFF)},
    )
    connection.execute(
        text("INSERT INTO event VALUES ('0badcafe', 1, 'task_created', :payload, :at)"),
        {"payload": json.dumps({"name": "old"}), "at": AT},
    )


def test_the_head_is_the_newest_revision_and_their_names_sort_by_age() -> None:
    assert revisions()[-1] == migrations.HEAD
    assert revisions() == sorted(revisions())


def test_the_revisions_make_the_tables_of_the_schema(connection: Connection) -> None:
    migrations.upgrade(connection)
    sqlite = connection.dialect.name == "sqlite"
    options = {
        "version_table": migrations.VERSION_TABLE,
        "compare_type": True,
        "include_object": lambda _, name, *__: sqlite or name != "task_in_list",
    }
    assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


@pytest.mark.parametrize("revision", revisions())
async def test_a_database_of_any_revision_is_upgraded_with_what_it_holds(
    connection: Connection, store_url: str, revision: str
) -> None:
    migrations.upgrade(connection, "0001")
    insert_rows_of_0001(connection)
    migrations.upgrade(connection, revision)
    connection.commit()
    async with Store(store_url) as store:
        task = await store.task("old")
        assert (task.id, task.state, task.spec.base_runtime) == ("0badcafe", TaskState.FAILED, "vllm")
        experiment, cut_off = await store.experiments(task.id)
        assert (experiment.role, experiment.state) == (Role.BASELINE, ExperimentState.COMPLETED)
        assert experiment.params.flags == {"max-num-seqs": 8}
        assert [event.payload for event in await store.events(task.id)] == [{"name": "old"}]
        await store.queue(task.id)
        lease = await store.claim(task.id, "worker")
        assert lease is not None
        assert lease.token == 4
        assert (cut_off.state, cut_off.holder) == (ExperimentState.RUNNING, None)
        held = cut_off.model_copy(update={"holder": lease.holder})
        await store.record(lease, experiment=held)
        assert await store.experiment(task.id, 1) == held
        assert connection.scalar(text("SELECT holder FROM experiment WHERE number = 1")) == lease.holder
        saved = await store.presets.save(Preset(name="mine", task={"model": "tiny"}), replace=False)
        assert await store.presets.all() == [saved]
        made = await store.add(task.spec, key="k")
        assert await store.add(task.spec, key="k") == made
        await store.workers.seen("a/b/1/2")
        assert [one.owner for one in await store.workers.all()] == ["a/b/1/2"]


async def test_a_row_that_cannot_be_read_is_named(connection: Connection, store_url: str) -> None:
    migrations.upgrade(connection)
    insert_rows_of_0001(connection)
    connection.execute(text("UPDATE experiment SET data = '{}'"))
    connection.commit()
    async with Store(store_url) as store:
        with pytest.raises(StorageError, match="Experiment 0 of task 0badcafe was written by another version"):
            await store.experiments("0badcafe")


async def test_a_database_from_a_newer_version_is_left_alone(connection: Connection, store_url: str) -> None:
    migrations.upgrade(connection)
    connection.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    connection.commit()
    with pytest.raises(
        StorageError, match=r"is of revision 9999, from a newer version .* Upgrade the tuner, or choose"
    ):
        await Store(store_url).open()
    assert connection.scalar(text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")) == "9999"


OPENER = """
import asyncio, sys
from tuner.storage.store import Store

async def main():
    store = Store(sys.argv[1])
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await store.open()
    await store.close()
    print("alembic" in sys.modules)

asyncio.run(main())
"""


async def open_together(url: str, processes: int) -> list[bool]:
    """Opens a database in several processes at the same moment; which of them needed Alembic."""
    pipe = asyncio.subprocess.PIPE
    openers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", OPENER, url, stdin=pipe, stdout=pipe)
        for _ in range(processes)
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert await opener.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(opener.communicate(b"\n") for opener in openers))
    assert [opener.returncode for opener in openers] == [0] * processes
    return [output == b"True\n" for output, _ in outputs]


async def test_processes_that_open_a_new_database_at_once_all_succeed_and_later_ones_skip_alembic(
    store_url: str,
) -> None:
    assert any(await open_together(store_url, 3))
    assert await open_together(store_url, 1) == [False]
