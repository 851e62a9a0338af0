"""The assistant's tables live beside the tuner's, and its revisions make what its schema says."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

import tuner.storage.migrations
from agent.storage import migrations
from agent.storage.schema import METADATA
from tuner.errors import StorageError
from tuner.storage.database import Database
from tuner.storage.schema import METADATA as TUNER_METADATA
from tuner.storage.store import Store


@pytest.fixture
def connection(store_url: str) -> Iterator[Connection]:
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "agent.storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def test_the_revisions_make_the_tables_of_the_schema(connection: Connection) -> None:
    migrations.upgrade(connection)
    options = {"version_table": migrations.VERSION_TABLE, "compare_type": True}
    assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


async def test_the_tables_of_tuner_and_assistant_share_a_database_without_touching_each_other(store_url: str) -> None:
    assert not set(METADATA.tables) & set(TUNER_METADATA.tables)
    assert migrations.VERSION_TABLE != tuner.storage.migrations.VERSION_TABLE
    for _ in range(2):
        database = Database(store_url, migrations)
        await database.open()
        async with Store(store_url), database.reading() as connection:
            there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        await database.close()
        assert there >= {*METADATA.tables, *TUNER_METADATA.tables}


async def test_a_database_from_a_newer_assistant_is_left_alone(connection: Connection, store_url: str) -> None:
    migrations.upgrade(connection)
    connection.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    connection.commit()
    database = Database(store_url, migrations)
    with pytest.raises(StorageError, match="is of revision 9999, from a newer version"):
        await database.open()
    await database.close()
