"""Access to the database, SQLite or PostgreSQL: transactions, upgrades, and its failures as sentences."""

import asyncio
import functools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from sqlalchemy import URL, Connection, NullPool, Pool, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tuner.errors import StorageError
from tuner.storage import migrations, sqlite

BUSY_S = 10
"""How long to wait for a lock that another process holds. For SQLite, `?timeout=` in the URL overrules it."""

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}

MIGRATION_LOCK = 0x617574746F
"""Advisory lock of PostgreSQL; any number that others do not use."""

P = ParamSpec("P")
T = TypeVar("T")


def whole(method: Callable[P, Coroutine[object, object, T]]) -> Callable[P, Coroutine[object, object, T]]:
    """Lets what uses a connection end before a cancellation goes on: a driver that is cut off in the middle leaves
    its connection half closed, and its process then hangs where it should exit. It takes moments, or the lock's wait.
    """

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        work = asyncio.ensure_future(method(*args, **kwargs))
        cancelled: asyncio.CancelledError | None = None
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled from (None if work.cancelled() else work.exception())
        return work.result()

    return call


class Revisions(Protocol):
    """The revisions of some tables: a module like `tuner.migrations`."""

    HEAD: str
    VERSION_TABLE: str

    def upgrade(self, connection: Connection) -> None: ...


class Database:
    """An upgraded database. Nothing is opened before `open`, nothing stays open after `close`."""

    def __init__(self, url: str, history: Revisions = migrations) -> None:
        self._url, self._history = _with_driver(url), history
        self._engine = _engine(self._url, "PRAGMA foreign_keys = ON")
        self._writer = self._engine.execution_options(writing=True)
        # SQLite lets one write at a time, and who waits for its lock sleeps and looks again: within a process a queue
        # is quicker (50 writers at once: 1.9 s instead of 3.4 s).
        sqlite = self._url.get_backend_name() == "sqlite"
        self._queue: AbstractAsyncContextManager[object] = asyncio.Lock() if sqlite else nullcontext()
        self.written = asyncio.Event()
        """Set once this process has written, and replaced: take it before reading what is to be waited for."""

    async def open(self) -> None:
        """Creates or upgrades the database where it is not up to date.

        Raises:
            StorageError: it cannot be used, or a newer version of the tuner wrote it.
        """
        with self._explained():
            try:
                await self._upgrade()
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes nothing, and waits for no writer."""
        with self._explained():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes something: all of it or, when left by an exception, none. Never one in another."""
        with self._explained():
            async with self._queue, self._writer.begin() as connection:
                yield connection
        self.written.set()
        self.written = asyncio.Event()

    async def _upgrade(self) -> None:
        await asyncio.to_thread(self._prepare_file)
        async with self._engine.begin() as connection:
            version = await connection.run_sync(_version, self._history.VERSION_TABLE)
        if version == self._history.HEAD:
            return
        if version is not None and version > self._history.HEAD:
            raise StorageError(
                f"The database {self._place} is of revision {version}, from a newer version of the tuner; this one "
                f"knows revisions up to {self._history.HEAD}. Upgrade the tuner, or choose another database with "
                "AUTOTUNER_HOME or AUTOTUNER_DATABASE_URL."
            )
        # Without foreign keys: a revision that rebuilds a SQLite table drops the old one, and that would cascade.
        engine = _engine(self._url, "PRAGMA journal_mode = WAL", NullPool)
        try:
            await _await_first_connection(engine)
            async with engine.execution_options(writing=True).begin() as connection:
                if engine.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                await connection.run_sync(self._history.upgrade)
        finally:
            await engine.dispose()

    def _prepare_file(self) -> None:
        """Makes SQLite's folder, and sees to it that the file can be opened."""
        file = self._url.database
        if self._url.get_backend_name() != "sqlite" or file is None or "uri" in self._url.query:
            return
        folder = Path(file).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Not left to aiosqlite: its thread outlives a failed connection, and fails aloud in a loop that closes.
            sqlite3.connect(file).close()
        except OSError as error:
            raise StorageError(
                f"The data folder {folder} cannot be made: {error.strerror}. "
                "Choose another with AUTOTUNER_HOME, or mend its permissions."
            ) from error
        except sqlite3.Error as error:
            raise StorageError(_explain(error, self._place)) from error

    @property
    def _place(self) -> str:
        if self._url.get_backend_name() == "sqlite":
            return self._url.database or "in memory"
        return self._url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StorageError(_explain(error.orig, self._place)) from error
        except PoolTimeoutError as error:
            raise StorageError(f"The database {self._place} is too busy: {error}. Try again.") from error


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed = parsed.set(drivername=DRIVERS[parsed.get_backend_name()])
    except (ArgumentError, KeyError, ValueError) as error:
        # Without the URL itself: it may hold a password, and could not be taken apart to hide it.
        raise StorageError(
            "The database URL is none that can be used; write sqlite:////path/to/autotuner.db "
            "or postgresql://user:password@host/database."
        ) from error
    if parsed.get_backend_name() == "sqlite" and "timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"timeout": str(BUSY_S)})
    return parsed


def _engine(url: URL, pragma: str, pool: type[Pool] | None = None) -> AsyncEngine:
    """An engine; for SQLite, every connection begins with `pragma`."""
    if url.get_backend_name() == "postgresql":
        options = {"connect_timeout": BUSY_S, "options": f"-c lock_timeout={BUSY_S * 1000:.0f}"}
        return create_async_engine(url, poolclass=pool, connect_args=options, pool_pre_ping=True)
    engine = create_async_engine(url, poolclass=pool, connect_args={"async_creator_fn": sqlite.connect})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        # The driver begins no transactions by itself, so that `begin` can say which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: not only a killed process but also a power cut loses nothing; a commit costs an fsync.
        for statement in (pragma, "PRAGMA synchronous = FULL"):
            cursor.execute(statement)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once and waits for it. A transaction that reads first and then turns to
        # writing is refused without waiting if somebody else wrote in between.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


async def _await_first_connection(engine: AsyncEngine) -> None:
    """Switching a new SQLite file to WAL fails at once, whatever the busy timeout, where two do it together."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            async with engine.connect():
                return
        except DBAPIError as error:
            if _sqlite_code(error.orig) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.02)


def _version(connection: Connection, table: str) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {table}"))  # noqa: S608
    return version


SQLITE_CAUSES = {
    sqlite3.SQLITE_BUSY: "stays locked by another process; end what holds it (a backup, a database browser)",
    sqlite3.SQLITE_LOCKED: "stays locked by another connection; end what holds it",
    sqlite3.SQLITE_FULL: "has no space left on its disk; free some. Nothing recorded so far is lost",
    sqlite3.SQLITE_READONLY: "is read-only; make the file and its folder writable, or set another AUTOTUNER_HOME",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its folder is there, writable and not full",
    sqlite3.SQLITE_PERM: "may not be used; mend the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk, its space and its mount",
    sqlite3.SQLITE_CORRUPT: "is damaged; put a backup in its place, or move the file away to begin anew",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; move the file away, or choose another with AUTOTUNER_HOME",
}

POSTGRESQL_CAUSES = {
    "08": "cannot be connected to; start it, create it, or correct AUTOTUNER_DATABASE_URL",
    "25006": "is read-only; name the primary server in AUTOTUNER_DATABASE_URL",
    "42501": "forbids this to its user; grant the rights, or name another user in AUTOTUNER_DATABASE_URL",
    "53100": "has no space left on its disk; free some. Nothing recorded so far is lost",
    "53": "is out of resources; close other connections or raise its limits",
    "55P03": "stays locked by another session; end what holds it",
    "57P": "is shutting down or starting up; wait for it",
}
"""By SQLSTATE or its beginning."""


def _explain(error: BaseException | None, place: str) -> str:
    said = str(error).strip().split("\n")[0]
    code = _sqlite_code(error)
    if code is not None:
        cause = SQLITE_CAUSES.get(code, "refused this")
    else:
        # Without a state there is no connection. The driver's words say why.
        state = getattr(error, "sqlstate", None) or "08"
        cause = next((cause for start, cause in POSTGRESQL_CAUSES.items() if state.startswith(start)), "refused this")
    return f"The database {place} {cause} ({said})."


def _sqlite_code(error: BaseException | None) -> int | None:
    """SQLite's primary result code; None for an error that is not SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
