"""SQLite in a thread of each connection, with one trip there for a statement and none for the end of what only reads.

The driver takes four for a statement, to make a cursor, execute, fetch and close; while the event loop has other work,
each of them waits for the interpreter's lock twice. A transaction with one query takes a third of the driver's time
where nothing else runs.
"""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite
from aiosqlite.context import Result

Rows = list[Any]
T = TypeVar("T")


class Connection(aiosqlite.Connection):
    reading = False
    """In a transaction that takes no lock, and so has nothing to write when it ends."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    def execute(self, sql: str, parameters: Any = None) -> Result[Any]:
        return Result(self.cursor().execute(sql, parameters))

    async def commit(self) -> None:
        if self.reading:
            self._conn.commit()
        else:
            await super().commit()

    async def rollback(self) -> None:
        # Asked for whenever a connection goes back to its pool.
        if self.in_transaction:
            await super().rollback()


class Cursor(aiosqlite.Cursor):
    """Has all rows at once."""

    _conn: Connection

    def __init__(self, connection: Connection) -> None:
        self._conn = connection
        self._rows: Rows = []
        self.iter_chunk_size = 0

    async def execute(self, sql: str, parameters: Any = None) -> Self:
        if sql.startswith("BEGIN"):
            self._conn.reading = sql == "BEGIN"
        if sql == "BEGIN":  # takes no lock yet, so it cannot wait
            self._cursor, self._rows = self._run(sql, ())
        else:
            self._cursor, self._rows = await self._away(self._run, sql, parameters or ())
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        self._cursor = await self._away(self._conn._conn.executemany, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    async def fetchmany(self, size: int | None = None) -> Rows:
        taken = self._rows[: size or 1]
        del self._rows[: len(taken)]
        return taken

    async def fetchall(self) -> Rows:
        taken, self._rows = self._rows, []
        return taken

    async def close(self) -> None:
        self._rows = []

    async def _away(self, function: Callable[..., T], *args: Any) -> T:
        """In the connection's thread."""
        done: T = await self._conn._execute(function, *args)  # type: ignore[no-untyped-call]
        return done

    def _run(self, sql: str, parameters: Any) -> tuple[sqlite3.Cursor, Rows]:
        cursor = self._conn._conn.execute(sql, parameters)
        return cursor, cursor.fetchall() if cursor.description else []


def connect(database: str | Path, **options: Any) -> Connection:
    """To be awaited, or entered; `options` are sqlite3's."""
    options["check_same_thread"] = False
    connection = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # a connection that was lost does not keep its process alive
    return connection
