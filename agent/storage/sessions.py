"""Sessions, their runs, and the tasks they wait for, in the database. Every method is one transaction."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Run, RunState, Session, Trigger
from agent.storage.schema import EXECUTION, RUN, RUN_EVENT, SESSION, WATCH
from tuner.errors import ConflictError, NotFoundError
from tuner.storage.database import Database, whole
from tuner.storage.schema import printable
from tuner.storage.statements import now

UNTITLED = "New conversation"
RUNNING = RunState.RUNNING.value


@dataclass(frozen=True)
class StartedRun:
    """A run that was written down, and where its events and messages go on."""

    run: Run
    thread: str
    """Of the checkpointer: the messages that the model sees."""
    last: int
    """The last sequence of its session's log."""


@dataclass(frozen=True)
class OwnedRun:
    """A run that goes on, the process that owns it, and its last heartbeat."""

    run: Run
    owner: str
    beat_at: datetime


@dataclass(frozen=True)
class Execution:
    """A privileged call that was begun; without an outcome nobody knows how it ended."""

    outcome: str | None
    content: str | None


class SessionStore:
    """Every method raises StorageError where the database cannot be used, NotFoundError for what is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def add_session(self, title: str | None) -> Session:
        session_id = secrets.token_hex(16)
        async with self._database.writing() as connection:
            await connection.execute(insert(SESSION).values(_new(session_id, title or UNTITLED)))
            return await _session(connection, session_id)

    @whole
    async def ensure_session(self, session_id: str, title: str) -> None:
        """Makes a session under this id where there is none."""
        async with self._database.writing() as connection:
            if await connection.scalar(select(SESSION.c.id).where(SESSION.c.id == session_id)) is None:
                await connection.execute(insert(SESSION).values(_new(session_id, title)))

    @whole
    async def sessions(self, *, text: str | None, limit: int, offset: int) -> tuple[list[Session], int]:
        """A page, the last used first, and how many there are.

        Args:
            text: a part of the title, or of what anybody said, in any case.
        """
        where: list[ColumnElement[bool]] = []
        if text:
            wanted = printable(text)[:1000]
            # Of all events only those that say something have a text; an answer is one row when it is complete.
            said = RUN_EVENT.c.payload["text"].as_string().icontains(wanted, autoescape=True)
            talks = select(RUN_EVENT.c.session_id).where(said)
            where.append(SESSION.c.title.icontains(wanted, autoescape=True) | SESSION.c.id.in_(talks))
        last_used = (SESSION.c.updated_at.desc(), SESSION.c.id)
        async with self._database.reading() as connection:
            # Searched once, for count and page alike: it is what takes the time.
            found = (await connection.scalars(select(SESSION.c.id).where(*where).order_by(*last_used))).all()
            page = _sessions().where(SESSION.c.id.in_(found[offset : offset + limit])).order_by(*last_used)
            rows = (await connection.execute(page)).all()
        return [_session_of(row) for row in rows], len(found)

    @whole
    async def session(self, session_id: str) -> Session:
        async with self._database.reading() as connection:
            return await _session(connection, session_id)

    @whole
    async def thread(self, session_id: str) -> str:
        """The checkpointer's thread with the messages that the model sees."""
        async with self._database.reading() as connection:
            return str((await session_row(connection, session_id)).thread_id)

    @whole
    async def rename(self, session_id: str, title: str) -> Session:
        async with self._database.writing() as connection:
            renamed = update(SESSION).where(SESSION.c.id == session_id).values(title=printable(title))
            await connection.execute(renamed)
            return await _session(connection, session_id)

    @whole
    async def delete(self, session_id: str) -> None:
        """With its runs, events, approvals, grants and watches; the audit log stays."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(SESSION).where(SESSION.c.id == session_id))
            if not gone.rowcount:
                raise _missing(session_id)

    @whole
    async def begin(
        self,
        session_id: str,
        run_id: str,
        trigger: Trigger,
        owner: str,
        *,
        task_id: str | None = None,
        title: str | None = None,
        thread: str | None = None,
    ) -> StartedRun:
        """Writes down that a run goes on, where none does.

        Args:
            task_id: whose end it reports; that is marked as told in the same transaction.
            title: of the session, where nobody has given it one.
            thread: in which the session goes on from now.

        Raises:
            ConflictError: a run goes on in the session, the id is taken, or the end of the task is told already.
        """
        async with self._database.writing() as connection:
            session = await session_row(connection, session_id, lock=True)
            # One statement, and not that of the lock: what is seen must be what it was waited for.
            running = select(RUN.c.id).where(RUN.c.session_id == session_id, RUN.c.state == RUNNING).limit(1)
            same = select(RUN.c.id).where(RUN.c.id == run_id)
            newest = select(func.max(RUN_EVENT.c.sequence)).where(RUN_EVENT.c.session_id == session_id)
            seen = select(*(one.scalar_subquery() for one in (running, same, newest)))
            other, taken, last = (await connection.execute(seen)).one()
            if other is not None:
                raise ConflictError(f"A turn is running in this session (run {other}). Wait for its end, or cancel it.")
            if taken is not None:
                raise ConflictError(f"There is a run {run_id} already. Give every run an id of its own.")
            at = now()
            if task_id is not None:
                due = (WATCH.c.session_id == session_id, WATCH.c.task_id == task_id, WATCH.c.reported_at.is_(None))
                if not (await connection.execute(update(WATCH).where(*due).values(reported_at=at))).rowcount:
                    raise ConflictError(f"The end of task {task_id} is told already.")
            run = Run(id=run_id, session_id=session_id, trigger=trigger, state=RunState.RUNNING, started_at=at)
            row = run.model_dump(exclude={"ended_at"}) | {"state": RUNNING, "owner": owner, "beat_at": at}
            row["cancel_requested"] = False
            await connection.execute(insert(RUN).values(row))
            thread = thread or str(session.thread_id)
            changes = {"updated_at": at, "thread_id": thread}
            if title and session.title == UNTITLED:
                changes["title"] = printable(title)
            await connection.execute(update(SESSION).where(SESSION.c.id == session_id).values(changes))
            return StartedRun(run, thread, last or 0)

    @whole
    async def run(self, run_id: str) -> Run:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(RUN).where(RUN.c.id == printable(run_id)))).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r:.100}.")
        return _run_of(row)

    @whole
    async def running(self) -> list[OwnedRun]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(RUN).where(RUN.c.state == RUNNING))).all()
        return [OwnedRun(_run_of(row), row.owner, row.beat_at) for row in rows]

    @whole
    async def take_over(self, owned: OwnedRun, owner: str) -> int | None:
        """Makes a dead process's run one's own; the last sequence of its session's log.

        Returns:
            None where somebody else was faster.
        """
        async with self._database.writing() as connection:
            same = (RUN.c.id == owned.run.id, RUN.c.owner == owned.owner, RUN.c.beat_at == owned.beat_at)
            taken = update(RUN).where(*same, RUN.c.state == RUNNING).values(owner=owner, beat_at=now())
            if not (await connection.execute(taken)).rowcount:
                return None
            last = select(func.max(RUN_EVENT.c.sequence)).where(RUN_EVENT.c.session_id == owned.run.session_id)
            return await connection.scalar(last) or 0

    @whole
    async def heartbeat(self, run_ids: Sequence[str]) -> list[str]:
        """Shows that these runs live; those of them that somebody wants cancelled."""
        async with self._database.writing() as connection:
            mine = (RUN.c.id.in_(run_ids), RUN.c.state == RUNNING)
            await connection.execute(update(RUN).where(*mine).values(beat_at=now()))
            return list(await connection.scalars(select(RUN.c.id).where(*mine, RUN.c.cancel_requested)))

    @whole
    async def request_cancel(self, session_id: str) -> None:
        async with self._database.writing() as connection:
            going = (RUN.c.session_id == session_id, RUN.c.state == RUNNING)
            await connection.execute(update(RUN).where(*going).values(cancel_requested=True))

    @whole
    async def executions(self, session_id: str, call_ids: Sequence[str]) -> dict[str, Execution]:
        """Of these calls, those that were begun."""
        begun = select(EXECUTION.c.call_id, EXECUTION.c.outcome, EXECUTION.c.content).where(
            EXECUTION.c.session_id == session_id, EXECUTION.c.call_id.in_(call_ids)
        )
        async with self._database.reading() as connection:
            return {row.call_id: Execution(row.outcome, row.content) for row in await connection.execute(begun)}

    @whole
    async def watch(self, session_id: str, task_id: str) -> None:
        """The session is to be told when the task ends; once more, where it was told before."""
        async with self._database.writing() as connection:
            here = (WATCH.c.session_id == session_id, WATCH.c.task_id == task_id)
            again = update(WATCH).where(*here).values(reported_at=None, created_at=now())
            if not (await connection.execute(again)).rowcount:
                values = {"session_id": session_id, "task_id": task_id, "created_at": now()}
                await connection.execute(insert(WATCH).values(values))

    @whole
    async def unwatch(self, task_id: str) -> None:
        """Nobody waits for the task any more: it was deleted."""
        async with self._database.writing() as connection:
            await connection.execute(delete(WATCH).where(WATCH.c.task_id == task_id))

    @whole
    async def watched(self) -> list[tuple[str, str]]:
        """(session, task) of every end that is still to be told, the oldest first."""
        open_ones = select(WATCH.c.session_id, WATCH.c.task_id).where(WATCH.c.reported_at.is_(None))
        async with self._database.reading() as connection:
            return [(row[0], row[1]) for row in await connection.execute(open_ones.order_by(WATCH.c.created_at))]


async def session_row(connection: AsyncConnection, session_id: str, *, lock: bool = False) -> Row[Any]:
    """
    Args:
        lock: nobody else changes the row until the transaction ends: whoever acts for the session waits.

    Raises:
        NotFoundError: there is no such session.
    """
    # SQLite knows no FOR UPDATE and needs none: a writing transaction is alone there.
    wanted = select(SESSION).where(SESSION.c.id == session_id)
    wanted = wanted.with_for_update() if lock else wanted
    row = (await connection.execute(wanted)).one_or_none() if _is_id(session_id) else None
    if row is None:
        raise _missing(session_id)
    return row


def _missing(session_id: str) -> NotFoundError:
    return NotFoundError(f"No session {session_id!r:.100}; it was deleted, or never was.")


def _new(session_id: str, title: str) -> dict[str, object]:
    at = now()
    session = Session(id=session_id, title=printable(title), created_at=at, updated_at=at)
    return session.model_dump(exclude={"running"}) | {"thread_id": secrets.token_hex(16)}


def _sessions() -> Select[Any]:
    going = select(RUN.c.id).where(RUN.c.session_id == SESSION.c.id, RUN.c.state == RUNNING).limit(1)
    return select(SESSION, going.scalar_subquery().label("running"))


async def _session(connection: AsyncConnection, session_id: str) -> Session:
    one = _sessions().where(SESSION.c.id == session_id)
    row = (await connection.execute(one)).one_or_none() if _is_id(session_id) else None
    if row is None:
        raise _missing(session_id)
    return _session_of(row)


def _is_id(session_id: str) -> bool:
    return re.fullmatch("[0-9a-f]{32}", session_id) is not None


def _session_of(row: Row[Any]) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.model_fields})


def _run_of(row: Row[Any]) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.model_fields})
