"""The steps that the store's transactions are made of, each on the connection of its transaction."""

import difflib
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tuner.domain import Event, Experiment, ExperimentState, Task, TaskState
from tuner.errors import ConflictError, LeaseLostError, NotFoundError
from tuner.storage.schema import EVENT, EXPERIMENT, REQUEST, TASK, event_of, experiment_values, task_of

NEAR = 2000
"""Among how many of the newest tasks to look for a name like the one that is missing."""


def now() -> datetime:
    return datetime.now(UTC)


async def free_id(connection: AsyncConnection) -> str:
    """8 hex digits that no task has."""
    while True:
        task_id = secrets.token_hex(4)
        if await connection.scalar(select(TASK.c.id).where(TASK.c.id == task_id)) is None:
            return task_id


async def missing(connection: AsyncConnection, ref: str) -> NotFoundError:
    """The error for a task that is not there, with the names and ids that look like it."""
    newest = select(TASK.c.id, TASK.c.name).order_by(TASK.c.serial.desc()).limit(NEAR)
    rows = (await connection.execute(newest)).all()
    if not rows:
        return NotFoundError(f"No task {ref!r}; there are none yet.")
    near = difflib.get_close_matches(ref, {word: None for row in rows for word in (row.name, row.id)}, n=3)
    known = near or list({row.name: None for row in rows})[:3]
    return NotFoundError(f"No task {ref!r}; {'near it' if near else 'the newest'}: {', '.join(known)}.")


async def locked(connection: AsyncConnection, task_id: str) -> Row[Any]:
    """The task's row, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: there is no such task.
    """
    # SQLite knows no FOR UPDATE and needs none: a writing transaction is alone there.
    row = (await connection.execute(select(TASK).where(TASK.c.id == task_id).with_for_update())).one_or_none()
    if row is None:
        raise await missing(connection, task_id)
    return row


async def serialized(connection: AsyncConnection, what: str) -> None:
    """Waits until no other transaction deals with the same, and keeps others waiting until this one ends.

    For what has no row yet that could be locked.
    """
    # SQLite needs nothing: a writing transaction is alone there.
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
        await connection.execute(select(func.pg_advisory_xact_lock(number)))


async def answered(connection: AsyncConnection, action: str, key: str, digest: str) -> Task | None:
    """The task of the request that had this key before, as it is now; None: there was no such request.

    Raises:
        ConflictError: something else was asked for under this key.
    """
    this = (REQUEST.c.action == action, REQUEST.c.key == key)
    row = (await connection.execute(select(REQUEST).where(*this))).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise ConflictError(
            f"The key {key!r:.60} stands for another request to {action} (task {row.task_id}, {row.at:%Y-%m-%d %H:%M} "
            "UTC); choose a new key for a new request."
        )
    return task_of((await connection.execute(select(TASK).where(TASK.c.id == row.task_id))).one())


async def note(connection: AsyncConnection, action: str, key: str, digest: str, task_id: str) -> None:
    """Writes down what a request led to, for when it comes again."""
    values = {"action": action, "key": key, "digest": digest, "task_id": task_id, "at": now()}
    await connection.execute(insert(REQUEST).values(values))


async def fenced(connection: AsyncConnection, task_id: str, token: int) -> Row[Any]:
    """The locked row of a running task, for the worker whose lease has this token.

    Raises:
        LeaseLostError: the lease is over.
    """
    row = (await connection.execute(select(TASK).where(TASK.c.id == task_id).with_for_update())).one_or_none()
    if row is None:
        raise LeaseLostError(f"Task {task_id} was deleted while this worker ran it, so the worker must stop.")
    if row.state != TaskState.RUNNING or row.lease != token:
        now_is = f"is {row.state}" if row.owner is None else f"belongs to {row.owner} (lease {row.lease})"
        raise LeaseLostError(f"Task {task_id} {now_is}; lease {token} is over, so the worker that had it must stop.")
    return row


async def check_exists(connection: AsyncConnection, task_id: str) -> None:
    """Raises:
    NotFoundError: there is no such task.
    """
    if await connection.scalar(select(TASK.c.id).where(TASK.c.id == task_id)) is None:
        raise await missing(connection, task_id)


async def change(connection: AsyncConnection, task_id: str, values: Mapping[str, object]) -> Task:
    changed = update(TASK).where(TASK.c.id == task_id).values(values).returning(TASK)
    return task_of((await connection.execute(changed)).one())


async def end(
    connection: AsyncConnection, task_id: str, state: TaskState, error: str | None, gain: float | None
) -> Task:
    await append(connection, task_id, [("task_finished", {"state": state.value, "error": error})])
    values = {"state": state.value, "error": error, "gain": gain, "finished_at": now(), "owner": None}
    return await change(connection, task_id, values)


async def append(
    connection: AsyncConnection, task_id: str, events: Sequence[tuple[str, Mapping[str, JsonValue]]]
) -> list[Event]:
    """Writes events down under the next sequences. The task's row is locked, so nobody takes the same ones."""
    if not events:
        return []
    last = await connection.scalar(select(func.max(EVENT.c.sequence)).where(EVENT.c.task_id == task_id)) or 0
    at = now()
    values = [
        {"task_id": task_id, "sequence": last + place, "kind": kind, "payload": dict(payload), "at": at}
        for place, (kind, payload) in enumerate(events, start=1)
    ]
    added = insert(EVENT).returning(EVENT, sort_by_parameter_order=True)
    return [event_of(row) for row in (await connection.execute(added, values)).all()]


async def put(connection: AsyncConnection, task_id: str, experiment: Experiment) -> None:
    """Writes an experiment down, new or in the place of what was known of it while it ran.

    Raises:
        ConflictError: it is finished already.
    """
    here = (EXPERIMENT.c.task_id == task_id, EXPERIMENT.c.number == experiment.number)
    state = await connection.scalar(select(EXPERIMENT.c.state).where(*here))
    values = experiment_values(experiment)
    if state is None:
        await connection.execute(insert(EXPERIMENT).values(task_id=task_id, number=experiment.number, **values))
    elif state == ExperimentState.RUNNING:
        await connection.execute(update(EXPERIMENT).where(*here).values(values))
    else:
        raise ConflictError(
            f"Experiment {experiment.number} of task {task_id} is {state} already; a finished one is never changed."
        )
