"""The tasks that a conversation has started: how far they are, in a line."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tuner.analysis.formatting import duration, quantity
from tuner.cli.progress import Progress
from tuner.domain import Task, TaskState
from tuner.errors import TunerError
from tuner.service import Tuner

log = logging.getLogger(__name__)

NEW_FOR = timedelta(seconds=30)
"""A task that a worker took less long ago has just been started here, and its first steps are told too."""


class TaskFollower:
    """Follows tasks until they end."""

    def __init__(self, tuner: Tuner, told: Callable[[str], Awaitable[None]], changed: Callable[[], None]) -> None:
        """
        Args:
            told: given a line for every step of a task.
            changed: called when `line` may give another.
        """
        self._tuner, self._told, self._changed = tuner, told, changed
        self._tasks: dict[str, Progress] = {}
        self._names: dict[str, str] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self.states: dict[str, TaskState] = {}
        """Of those that have ended."""

    @property
    def running(self) -> list[str]:
        return list(self._followers)

    def watch(self, task_id: str) -> None:
        """From now on, until it ends."""
        if task_id not in self._followers:
            self.states.pop(task_id, None)
            follower = asyncio.create_task(self._follow(task_id), name=f"progress of task {task_id}")
            self._followers[task_id] = follower

    def line(self) -> str:
        """How far they are; empty where none runs."""
        lines = [self._line(task_id, progress) for task_id, progress in self._tasks.items()]
        return lines[0] + (f" · and {len(lines) - 1} more" if len(lines) > 1 else "") if lines else ""

    async def close(self) -> None:
        for follower in self._followers.values():
            follower.cancel()
        await asyncio.gather(*self._followers.values(), return_exceptions=True)

    async def _follow(self, task_id: str) -> None:
        try:
            task = await self._tuner.task(task_id)
            older = task.started_at is not None and datetime.now(UTC) - task.started_at > NEW_FOR
            if not task.state.ended:
                progress = self._tasks[task_id] = await self._progress(task)
                async for event in self._tuner.follow(task_id):
                    said = progress.take(event)
                    if older:
                        progress.durations.clear()  # most of them are of events told again, so of no time at all
                    elif said is not None:
                        await self._told(said)
                    self._changed()
            self.states[task_id] = (await self._tuner.task(task_id)).state
        except TunerError as error:  # it was deleted, or the database is locked: the conversation goes on
            log.warning("Task %s cannot be followed: %s", task_id, error)
            self.states[task_id] = TaskState.FAILED
        finally:
            self._tasks.pop(task_id, None)
            self._followers.pop(task_id, None)
            self._changed()

    async def _progress(self, task: Task) -> Progress:
        self._names[task.id] = task.spec.task_name
        try:
            total = (await self._tuner.plan(task.spec)).summary().expected
        except TunerError:  # its model has gone since
            total = 0
        return Progress(total, task.spec.optimization.objective[0])

    def _line(self, task_id: str, progress: Progress) -> str:
        parts = [f"task {task_id} {self._names[task_id]}"]
        if progress.number is None:
            parts.append("waits for a worker")
        else:
            seconds = round(time.monotonic() - progress.began)
            since = duration(seconds) if seconds >= 60 else f"{seconds} s"
            parts.append(f"experiment #{progress.number}, {progress.done + 1} of {progress.total}")
            parts.append(f"{progress.phase} {since}".strip())
        if progress.best is not None:
            parts.append(f"best {quantity(progress.objective.metric, progress.best)} (#{progress.best_number})")
        if progress.left_s is not None:
            parts.append(f"about {max(1, round(progress.left_s / 60))} min left")
        return " · ".join(parts)
