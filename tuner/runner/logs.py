"""The logs of a task: where they are, and what is written to them until it ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tuner.domain import ExperimentState, Task
from tuner.errors import NotFoundError
from tuner.logs.following import LogChunk, Reader
from tuner.storage.store import Store

FOLLOW_S, FOLLOW_AT_MOST_S = 0.1, 0.5
"""How often to look for more: often where there just was some."""


async def find(store: Store, task: Task, runs: Path, experiment: int | None, *, benchmark: bool) -> Path:
    """As `Tuner.log_file` says."""
    if experiment is None and not benchmark and (experiment := await store.newest(task.id)) is None:
        raise NotFoundError(f"Task {task.id} is {task.state} and has no experiments, so there is no log yet.")
    path = _path(runs, None if benchmark else experiment)
    if not path.is_file():
        what = "the load generator" if benchmark else f"experiment {experiment}"
        raise NotFoundError(f"Task {task.id} has no log of {what}; autotuner show {task.id} lists what there is.")
    return path


def _path(runs: Path, experiment: int | None) -> Path:
    return runs / ("benchmark.log" if experiment is None else f"{experiment}/engine.log")


async def follow(
    store: Store,
    task_id: str,
    runs: Path,
    experiment: int | None,
    *,
    benchmark: bool,
    position: int = 0,
    since: int | None = None,
    lines: int | None = None,
) -> AsyncIterator[LogChunk]:
    """As `Tuner.follow_log` says."""
    reader, number, pause_s = None, None if benchmark else experiment, FOLLOW_S
    while True:
        # Asked before the log is read: what was written until the end is read after it.
        ended = await _ended(store, task_id, experiment)
        newest = None if benchmark or experiment is not None else await store.newest(task_id)
        if number is None and newest is not None:
            number = newest if since is None else min(since, newest)
        if reader is None and (benchmark or number is not None):
            reader = Reader(_path(runs, number), position, lines)
        followed = number is not None and newest is not None and number < newest
        text = "" if reader is None else await asyncio.to_thread(reader.read, rest=ended or followed)
        if reader is not None and text:
            yield LogChunk(position=reader.position, text=text, experiment=number)
            pause_s = FOLLOW_S
        elif number is not None and followed:
            number += 1
            reader = Reader(_path(runs, number))
        elif ended:
            return
        else:
            lines = lines if reader is not None else None  # what comes is new, all of it
            await asyncio.sleep(pause_s)
            pause_s = min(1.2 * pause_s, FOLLOW_AT_MOST_S)


async def _ended(store: Store, task_id: str, experiment: int | None) -> bool:
    """The task, or the one experiment: a finished one is never run again."""
    if (await store.task(task_id)).state.ended:
        return True
    newest = await store.newest(task_id) if experiment is not None else None
    if experiment is None or newest is None or not 0 <= experiment <= newest:
        return False
    return (await store.experiment(task_id, experiment)).state is not ExperimentState.RUNNING
