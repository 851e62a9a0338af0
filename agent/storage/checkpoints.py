"""The graph's checkpoints, which hold the messages of a thread: the newest of every thread, and no older one.

Each checkpoint holds all messages, so keeping them all would grow with the square of a conversation.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy import URL, make_url

from tuner.errors import StorageError
from tuner.storage import sqlite
from tuner.storage.database import BUSY_S, whole

FILE = "conversations.db"
PRUNE_EVERY = 4
"""Checkpoints of a thread; a turn that ends prunes as well."""


@asynccontextmanager
async def open_saver(database_url: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """In the database itself where that is PostgreSQL; for SQLite in a file of its own beside it.

    Raises:
        StorageError: it cannot be used.
    """
    url = make_url(database_url)
    opened = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    async with opened as saver:
        yield saver


class NewestCheckpointSaver(AsyncSqliteSaver):
    """Deletes older checkpoints of a thread now and then, and all of them in `aprune`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._put: Counter[str] = Counter()

    @whole
    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        put = await super().aput(config, checkpoint, metadata, new_versions)
        thread = str(put["configurable"]["thread_id"])
        self._put[thread] += 1
        if self._put[thread] >= PRUNE_EVERY:
            await self.aprune([thread])
        return put

    @whole
    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        await super().aput_writes(*args, **kwargs)

    @whole
    async def adelete_thread(self, thread_id: str) -> None:
        await super().adelete_thread(thread_id)
        self._put.pop(thread_id, None)

    @whole
    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        async with self.lock:
            for thread in thread_ids:
                self._put.pop(thread, None)
                for table in ("checkpoints", "writes"):
                    older = (
                        f"DELETE FROM {table} WHERE thread_id = ?1 AND checkpoint_id < "  # noqa: S608
                        "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?1)"
                    )
                    await self.conn.execute(older, (thread,))
            await self.conn.commit()


@asynccontextmanager
async def _sqlite(url: URL) -> AsyncIterator[NewestCheckpointSaver]:
    file = Path(url.database or "").with_name(FILE)
    try:
        # Not left to aiosqlite: its thread outlives a failed connection.
        await asyncio.to_thread(lambda: sqlite3.connect(file).close())
        async with sqlite.connect(file, timeout=float(str(url.query.get("timeout", BUSY_S)))) as connection:
            # A power cut may lose the last steps of a turn, never the file; what has run, the ledger knows.
            await connection.execute("PRAGMA synchronous = NORMAL")
            saver = NewestCheckpointSaver(connection)
            await saver.setup()
            yield saver
    except sqlite3.Error as error:
        raise StorageError(
            f"The conversations in {file} cannot be read or written ({error}). End what holds the file, see that it "
            "and its folder are writable, or set another AUTOTUNER_HOME."
        ) from error


@asynccontextmanager
async def _postgresql(url: URL) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    import psycopg
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(plain, min_size=1, max_size=8, kwargs=options, open=False)
    try:
        async with pool:
            saver = AsyncPostgresSaver(pool)
            async with pool.connection() as connection:
                await connection.execute("SELECT pg_advisory_lock(8386112)")
                try:
                    await saver.setup()
                finally:
                    await connection.execute("SELECT pg_advisory_unlock(8386112)")
            yield saver
    except psycopg.Error as error:
        raise StorageError(f"The conversations in the database cannot be read or written ({error}).") from error
