"""The pages of the store's lists, each on the connection of its transaction."""

from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tuner.domain import Experiment, ExperimentState, Role, Task, TaskState, TaskSummary
from tuner.storage.schema import EXPERIMENT, TASK, experiment_of, printable, task_of

LONGEST = 4097
"""Characters of a text to search for: more than any name or model has, less than SQLite refuses."""


class TaskQuery(TypedDict, total=False):
    """Which tasks, and which page of them."""

    state: TaskState | None
    text: str | None
    """A part of the name, the model or the id, in any case."""
    engine: str | None
    limit: int
    offset: int


class ExperimentQuery(TypedDict, total=False):
    """Which experiments, and which page of them."""

    state: ExperimentState | None
    role: Role | None
    limit: int
    offset: int


async def tasks(
    connection: AsyncConnection,
    state: TaskState | None = None,
    text: str | None = None,
    engine: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[TaskSummary], int]:
    where: list[ColumnElement[bool]] = []
    if state is not None:
        where.append(TASK.c.state == state.value)
    if engine is not None:
        where.append(TASK.c.engine == engine)
    if text:
        # One comparison instead of three, and once for the count and the page alike: it is what takes the time.
        searched = TASK.c.name + "\n" + TASK.c.model + "\n" + TASK.c.id
        where.append(searched.icontains(printable(text)[:LONGEST], autoescape=True))
    # Counted and skipped by what the index holds: nothing of the other rows' specs is read.
    found = select(TASK.c.serial).where(*where).order_by(TASK.c.serial.desc())
    if text:
        serials = (await connection.execute(found)).scalars().all()
        total, shown = len(serials), serials[offset : offset + limit]
    else:
        total = await connection.scalar(select(func.count()).select_from(TASK).where(*where)) or 0
        some = found.limit(limit).offset(offset)
        shown = (await connection.execute(some)).scalars().all() if total > offset else []
    fields = select(*(TASK.c[name] for name in TaskSummary.model_fields if name in TASK.c))
    page = fields.where(TASK.c.serial.in_(shown)).order_by(TASK.c.serial.desc())
    rows = (await connection.execute(page)).all()
    count = await _counts(connection, [row.id for row in rows])
    return [
        TaskSummary(
            **row._asdict(),
            completed=count.get((row.id, ExperimentState.COMPLETED), 0),
            failed=count.get((row.id, ExperimentState.FAILED), 0),
        )
        for row in rows
    ], total


async def _counts(connection: AsyncConnection, task_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many experiments the tasks have, by (task id, state)."""
    by_state = (
        select(EXPERIMENT.c.task_id, EXPERIMENT.c.state, func.count())
        .where(EXPERIMENT.c.task_id.in_(task_ids))
        .group_by(EXPERIMENT.c.task_id, EXPERIMENT.c.state)
    )
    return {(task_id, state): count for task_id, state, count in await connection.execute(by_state)}


async def experiments(
    connection: AsyncConnection,
    task_id: str | None,
    state: ExperimentState | None = None,
    role: Role | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[tuple[str, Experiment]], int]:
    """With their tasks' ids; those of the newest task first."""
    given = {"task_id": task_id, "state": state, "role": role}
    where = [EXPERIMENT.c[name] == str(value) for name, value in given.items() if value is not None]
    # Sorted by what the indexes hold, so that nothing of the skipped rows' data is read.
    keys = (
        select(EXPERIMENT.c.task_id, EXPERIMENT.c.number, TASK.c.serial)
        .join(TASK, TASK.c.id == EXPERIMENT.c.task_id)
        .where(*where)
        .order_by(TASK.c.serial.desc(), EXPERIMENT.c.number)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    page = (
        select(EXPERIMENT)
        .join(keys, (keys.c.task_id == EXPERIMENT.c.task_id) & (keys.c.number == EXPERIMENT.c.number))
        .order_by(keys.c.serial.desc(), keys.c.number)
    )
    total = await connection.scalar(select(func.count()).select_from(EXPERIMENT).where(*where)) or 0
    rows = (await connection.execute(page)).all() if total > offset else []
    return [(row.task_id, experiment_of(row)) for row in rows], total


async def repeated(
    connection: AsyncConnection, engine: str, mode: str, model: str, limit: int
) -> list[tuple[Task, list[Experiment]]]:
    """The newest completed tasks with this engine, deployment mode and model, each with what was measured again in it:
    its baseline, its confirmations, and the candidates that those confirm."""
    like = (TASK.c.state == TaskState.COMPLETED.value, TASK.c.engine == engine, TASK.c.mode == mode)
    newest = select(TASK).where(*like, TASK.c.model == printable(model)).order_by(TASK.c.serial.desc()).limit(limit)
    found = []
    for task in map(task_of, (await connection.execute(newest)).all()):
        of_task = select(EXPERIMENT).where(EXPERIMENT.c.task_id == task.id).order_by(EXPERIMENT.c.number)
        others = (await connection.execute(of_task.where(EXPERIMENT.c.role != Role.CANDIDATE.value))).all()
        ran = [experiment_of(row) for row in others]
        confirmed = {one.confirms for one in ran if one.confirms is not None} - {one.number for one in ran}
        candidates = (await connection.execute(of_task.where(EXPERIMENT.c.number.in_(confirmed)))).all()
        found.append((task, sorted([*ran, *map(experiment_of, candidates)], key=lambda one: one.number)))
    return found
