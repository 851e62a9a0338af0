"""Tasks, experiments and events, kept in a database. Every method is one transaction: all of it happens, or none."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, Unpack

from pydantic import JsonValue
from sqlalchemy import delete, func, insert, select, update

from tuner.domain import KEY_LENGTH, LARGEST, Event, Experiment, Task, TaskState, TaskSummary
from tuner.errors import ConflictError, InvalidSpecError, NotFoundError, Problem
from tuner.spec.task import TaskSpec
from tuner.spec.taskfile import digest
from tuner.storage.database import Database, whole
from tuner.storage.presets import Presets
from tuner.storage.queries import ExperimentQuery, TaskQuery, experiments, repeated, tasks
from tuner.storage.schema import EVENT, EXPERIMENT, TASK, event_of, experiment_of, printable, task_of, task_values
from tuner.storage.statements import (
    answered,
    append,
    change,
    check_exists,
    end,
    fenced,
    free_id,
    locked,
    missing,
    note,
    now,
    put,
    serialized,
)
from tuner.storage.workers import Workers


@dataclass(frozen=True)
class Lease:
    """The right to run a task. Its token is invalid once somebody has claimed the task again."""

    task_id: str
    owner: str
    token: int

    @property
    def holder(self) -> str:
        """What an experiment says of it, while it runs."""
        return f"{self.owner}#{self.token}"


@dataclass(frozen=True)
class Held:
    """A running task, as others see it. Its worker lives as long as `beat` grows."""

    task_id: str
    owner: str
    token: int
    beat: int


class Store:
    """The tuner's tables. Use it by `async with`, or call `open` and `close`.

    Every method raises StorageError where the database cannot be used, and NotFoundError for a task that is not there.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.presets = Presets(self._database)
        self.workers = Workers(self._database)

    @property
    def written(self) -> asyncio.Event:
        """Set as soon as this process has written something after this was asked for."""
        return self._database.written

    @whole
    async def open(self) -> None:
        """Creates or upgrades the tables where they are not up to date; any number of processes may do it at once."""
        await self._database.open()

    @whole
    async def close(self) -> None:
        await self._database.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @whole
    async def added(self, spec: TaskSpec, key: str) -> Task | None:
        """The task that `add` made of this spec under this key; None: it has not been asked to.

        Raises:
            ConflictError: another spec was added under this key.
        """
        async with self._database.reading() as connection:
            return await answered(connection, "create", _checked(key), digest(spec))

    @whole
    async def add(self, spec: TaskSpec, *, key: str | None = None) -> Task:
        """Makes a task, once for each key as long as the task is there.

        Raises:
            ConflictError: another spec was added under this key.
        """
        async with self._database.writing() as connection:
            if key is not None:
                await serialized(connection, f"create {_checked(key)}")
                if (made := await answered(connection, "create", key, digest(spec))) is not None:
                    return made
            task_id = await free_id(connection)
            values = {"id": task_id, "state": TaskState.CREATED.value, "created_at": now(), **task_values(spec)}
            row = (await connection.execute(insert(TASK).values(values).returning(TASK))).one()
            await append(connection, task_id, [("task_created", {"name": spec.task_name})])
            if key is not None:
                await note(connection, "create", key, digest(spec), task_id)
        return task_of(row)

    @whole
    async def task(self, ref: str) -> Task:
        """By id, by name (the newest of that name), or by the beginning of an id, 4 characters or more."""
        async with self._database.reading() as connection:
            for called in (TASK.c.id == printable(ref), TASK.c.name == ref):
                newest = select(TASK).where(called).order_by(TASK.c.serial.desc()).limit(1)
                if row := (await connection.execute(newest)).one_or_none():
                    return task_of(row)
            begun = select(TASK).where(TASK.c.id.startswith(printable(ref), autoescape=True)).limit(6)
            rows = (await connection.execute(begun)).all() if 4 <= len(ref) < 8 else []
            if not rows:
                raise await missing(connection, ref)
        if len(rows) > 1:
            raise NotFoundError(f"{ref!r} begins several ids: {', '.join(row.id for row in rows)}. Write one of them.")
        return task_of(rows[0])

    @whole
    async def tasks(self, **wanted: Unpack[TaskQuery]) -> tuple[list[TaskSummary], int]:
        """A page of the tasks, newest first, and how many there are in all."""
        async with self._database.reading() as connection:
            return await tasks(connection, **wanted)

    @whole
    async def counts(self) -> dict[str, int]:
        """How many tasks there are, by state; 0 included."""
        by_state = select(TASK.c.state, func.count()).group_by(TASK.c.state)
        async with self._database.reading() as connection:
            found = {row.state: row[1] for row in await connection.execute(by_state)}
        return {state.value: found.get(state.value, 0) for state in TaskState}

    @whole
    async def names(self, task_ids: Sequence[str]) -> dict[str, str]:
        """Of the tasks that are there, by id."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(TASK.c.id, TASK.c.name).where(TASK.c.id.in_(task_ids)))
            return {row.id: row.name for row in rows}

    @whole
    async def replace_spec(self, task_id: str, spec: TaskSpec) -> Task:
        """Raises:
        ConflictError: the task has been started, so what is known of it belongs to its spec.
        """
        async with self._database.writing() as connection:
            row = await locked(connection, task_id)
            if row.state != TaskState.CREATED:
                raise ConflictError(f"Task {task_id} is {row.state} and cannot be changed; create another task.")
            return await change(connection, task_id, task_values(spec))

    @whole
    async def delete(self, task_id: str) -> None:
        """Removes a task with its experiments and events.

        Raises:
            ConflictError: it is running.
        """
        async with self._database.writing() as connection:
            row = await locked(connection, task_id)
            if row.state == TaskState.RUNNING:
                raise ConflictError(f"Task {task_id} is running and cannot be deleted; cancel it first.")
            await connection.execute(delete(TASK).where(TASK.c.id == task_id))

    @whole
    async def queue(self, task_id: str, *, key: str | None = None) -> Task:
        """Makes a task wait for a worker: a new one, or one that failed or was cancelled. A queued one stays as it is.

        What was queued under this key before is left alone, whatever became of it.

        Raises:
            ConflictError: it is running, or complete; or another task was queued under this key.
        """
        async with self._database.writing() as connection:
            if key is not None:
                await serialized(connection, f"start {_checked(key)}")
                if (queued := await answered(connection, "start", key, task_id)) is not None:
                    return queued
                await locked(connection, task_id)
                await note(connection, "start", key, task_id, task_id)
            row = await locked(connection, task_id)
            if row.state == TaskState.QUEUED:
                return task_of(row)
            if row.state in (TaskState.RUNNING, TaskState.COMPLETED):
                hint = "cancel it first" if row.state == TaskState.RUNNING else "create another task"
                raise ConflictError(f"Task {task_id} is {row.state} and cannot be started; {hint}.")
            await append(connection, task_id, [("task_queued", {})])
            values = {"state": TaskState.QUEUED.value, "error": None, "finished_at": None, "cancel_requested": False}
            return await change(connection, task_id, values)

    @whole
    async def withdraw_cancel(self, task_id: str) -> None:
        """Forgets that a running task was to be cancelled: its worker died first, and now it is to go on."""
        async with self._database.writing() as connection:
            await locked(connection, task_id)
            await change(connection, task_id, {"cancel_requested": False})

    @whole
    async def request_cancel(self, task_id: str) -> Task:
        """Cancels a task that waits; one that runs is cancelled by its worker, which learns of it by `beat`.

        Raises:
            ConflictError: it has ended already.
        """
        async with self._database.writing() as connection:
            row = await locked(connection, task_id)
            state = TaskState(row.state)
            if state.ended:
                raise ConflictError(f"Task {task_id} is {state} already; there is nothing to cancel.")
            if state is not TaskState.RUNNING:
                return await end(connection, task_id, TaskState.CANCELLED, None, row.gain)
            if not row.cancel_requested:
                await append(connection, task_id, [("cancel_requested", {})])
            return await change(connection, task_id, {"cancel_requested": True})

    @whole
    async def experiments(self, task_id: str) -> list[Experiment]:
        """All of a task, by number."""
        of_task = select(EXPERIMENT).where(EXPERIMENT.c.task_id == task_id).order_by(EXPERIMENT.c.number)
        async with self._database.reading() as connection:
            rows = (await connection.execute(of_task)).all()
            if not rows:
                await check_exists(connection, task_id)
        return [experiment_of(row) for row in rows]

    @whole
    async def experiments_page(
        self, task_id: str | None = None, **wanted: Unpack[ExperimentQuery]
    ) -> tuple[list[tuple[str, Experiment]], int]:
        """A page of experiments with their tasks' ids, those of the newest task first, and how many there are."""
        async with self._database.reading() as connection:
            return await experiments(connection, task_id, **wanted)

    @whole
    async def repeated(self, engine: str, mode: str, model: str, limit: int = 8) -> list[tuple[Task, list[Experiment]]]:
        """The newest completed tasks of their kind, each with the experiments that were measured again in it."""
        async with self._database.reading() as connection:
            return await repeated(connection, engine, mode, model, limit)

    @whole
    async def newest(self, task_id: str) -> int | None:
        """The number of a task's last experiment; None: it has none yet."""
        last = select(func.max(EXPERIMENT.c.number)).where(EXPERIMENT.c.task_id == task_id)
        async with self._database.reading() as connection:
            number: int | None = await connection.scalar(last)
        return number

    @whole
    async def experiment(self, task_id: str, number: int) -> Experiment:
        one = select(EXPERIMENT).where(EXPERIMENT.c.task_id == task_id, EXPERIMENT.c.number == min(number, LARGEST))
        async with self._database.reading() as connection:
            if row := (await connection.execute(one)).one_or_none():
                return experiment_of(row)
            await check_exists(connection, task_id)
            last = await connection.scalar(select(func.max(EXPERIMENT.c.number)).where(EXPERIMENT.c.task_id == task_id))
        known = "it has none yet" if last is None else f"it has 0 to {last}"
        raise NotFoundError(f"Task {task_id} has no experiment {number}; {known}.")

    @whole
    async def append(self, task_id: str, kind: str, payload: Mapping[str, JsonValue]) -> Event:
        async with self._database.writing() as connection:
            await locked(connection, task_id)
            [event] = await append(connection, task_id, [(kind, payload)])
        return event

    @whole
    async def events(self, task_id: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """Those with a sequence above `after`, in order."""
        later = (EVENT.c.task_id == task_id, EVENT.c.sequence > min(after, LARGEST))
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(EVENT).where(*later).order_by(EVENT.c.sequence).limit(limit))).all()
            if not rows:
                await check_exists(connection, task_id)
        return [event_of(row) for row in rows]

    @whole
    async def news(self, task_id: str, after: int = 0) -> tuple[TaskState, list[Event]]:
        """A task's state, and its events above `after` as of then: an ended task gets no more of them."""
        later = (EVENT.c.task_id == task_id, EVENT.c.sequence > min(after, LARGEST))
        async with self._database.reading() as connection:
            state = await connection.scalar(select(TASK.c.state).where(TASK.c.id == task_id))
            if state is None:
                raise await missing(connection, task_id)
            rows = (await connection.execute(select(EVENT).where(*later).order_by(EVENT.c.sequence).limit(1000))).all()
        return TaskState(state), [event_of(row) for row in rows]

    @whole
    async def cancel_requested(self, lease: Lease) -> bool:
        asked = select(TASK.c.cancel_requested).where(TASK.c.id == lease.task_id)
        async with self._database.reading() as connection:
            return bool(await connection.scalar(asked))

    @whole
    async def next_queued(self) -> str | None:
        """The oldest task that waits for a worker."""
        oldest = select(TASK.c.id).where(TASK.c.state == TaskState.QUEUED.value).order_by(TASK.c.serial).limit(1)
        async with self._database.reading() as connection:
            task_id: str | None = await connection.scalar(oldest)
        return task_id

    @whole
    async def owned(self) -> list[Held]:
        """The running tasks. Whoever sees a `beat` stand still, by a clock of its own, may `claim` the task."""
        running = select(TASK.c.id, TASK.c.owner, TASK.c.lease, TASK.c.beat).where(
            TASK.c.state == TaskState.RUNNING.value
        )
        async with self._database.reading() as connection:
            return [Held(*row) for row in await connection.execute(running)]

    async def held(self, task_id: str) -> Held | None:
        """The lease of a task as others see it; None: the task is not running."""
        return next((held for held in await self.owned() if held.task_id == task_id), None)

    @whole
    async def claim(self, task_id: str, owner: str, *, replacing: int | None = None) -> Lease | None:
        """Takes a task that is queued or, with the token of its lease in `replacing`, one whose worker is dead.

        Returns:
            None where somebody else was faster: the task is claimed, finished or deleted.
        """
        if replacing is None:
            free = TASK.c.state == TaskState.QUEUED.value
        else:
            free = (TASK.c.state == TaskState.RUNNING.value) & (TASK.c.lease == replacing)
        taken = (
            update(TASK)
            .where(TASK.c.id == task_id, free)
            .values(
                state=TaskState.RUNNING.value,
                owner=owner,
                lease=TASK.c.lease + 1,
                beat=0,
                started_at=func.coalesce(TASK.c.started_at, now()),
            )
            .returning(TASK.c.lease)
        )
        async with self._database.writing() as connection:
            token = await connection.scalar(taken)
            if token is None:
                return None
            await append(connection, task_id, [("task_started", {"owner": owner, "token": token})])
        return Lease(task_id, owner, token)

    @whole
    async def beat(self, lease: Lease) -> bool:
        """Writes a heartbeat; returns whether the task is to be cancelled.

        Raises:
            LeaseLostError: the task is another worker's now, or has ended, or is gone.
        """
        async with self._database.writing() as connection:
            await fenced(connection, lease.task_id, lease.token)
            beaten = update(TASK).where(TASK.c.id == lease.task_id).values(beat=TASK.c.beat + 1)
            return bool(await connection.scalar(beaten.returning(TASK.c.cancel_requested)))

    @whole
    async def record(
        self,
        lease: Lease,
        *,
        experiment: Experiment | None = None,
        events: Sequence[tuple[str, Mapping[str, JsonValue]]] = (),
    ) -> list[Event]:
        """Writes down an experiment, before it is launched and after it is measured, together with its events.

        Raises:
            LeaseLostError: as for `beat`.
            ConflictError: the experiment is finished already.
        """
        async with self._database.writing() as connection:
            await fenced(connection, lease.task_id, lease.token)
            if experiment is not None:
                await put(connection, lease.task_id, experiment)
            return await append(connection, lease.task_id, events)

    @whole
    async def finish(
        self, lease: Lease, state: TaskState, *, error: str | None = None, gain: float | None = None
    ) -> Task:
        """Ends a task: completed, failed or cancelled.

        Raises:
            LeaseLostError: as for `beat`.
        """
        if not state.ended:
            raise ValueError(f"a task cannot finish as {state}")
        async with self._database.writing() as connection:
            await fenced(connection, lease.task_id, lease.token)
            return await end(connection, lease.task_id, state, error, gain)


def _checked(key: str) -> str:
    """The key itself.

    Raises:
        InvalidSpecError: no database keeps it.
    """
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        raise InvalidSpecError(
            [Problem(f"{key!r:.60} ({len(key)} characters) is no key; give 1 to {KEY_LENGTH} printable ones", "key")]
        )
    return key
