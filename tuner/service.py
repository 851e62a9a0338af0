"""What a caller can ask of the tuner: the one door for the command line, the agent's tools and the HTTP API."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tuner import result
from tuner.domain import Event, Experiment, Task, TaskState, TaskSummary
from tuner.errors import ConflictError, NotFoundError, StorageError
from tuner.plan import Plan, plan
from tuner.processes import Identity
from tuner.settings import Settings
from tuner.spec import TaskSpec
from tuner.store import Store
from tuner.worker import Worker

FOLLOW_S, FOLLOW_AT_MOST_S = 0.2, 1.0
"""How often a follower looks for news: often where there just were some, less so while an engine starts."""


@dataclass(frozen=True)
class Tuner:
    settings: Settings
    store: Store

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """Opens the store, made or upgraded where needed.

        Raises:
            StorageError: the data folder or the database cannot be used.
        """
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The data folder {settings.home} cannot be made: {error.strerror}. "
                "Set AUTOTUNER_HOME to a folder that can be written."
            ) from error
        store = Store(settings.store_url)
        await store.open()
        try:
            yield cls(settings, store)
        finally:
            await store.close()

    async def plan(self, spec: TaskSpec) -> Plan:
        """What the task would do here. Raises InvalidSpecError with every problem."""
        return await plan(spec, self.settings)

    async def create(self, spec: TaskSpec) -> Task:
        """Writes a task down, checked completely; nothing runs."""
        await self.plan(spec)
        return await self.store.add(spec)

    async def update(self, ref: str, spec: TaskSpec) -> Task:
        """Replaces a task that has not been started."""
        task = await self.task(ref)
        await self.plan(spec)
        return await self.store.replace_spec(task.id, spec)

    async def start(self, ref: str) -> Task:
        """Queues a task for the next free worker. A failed or cancelled one goes on where it stopped."""
        return await self.store.queue((await self.task(ref)).id)

    async def run(self, ref: str) -> Task:
        """Runs a queued or abandoned task to its end in this process."""
        return await Worker(self.store, self.settings).run((await self.task(ref)).id)

    async def resume(self, ref: str) -> Task:
        """Queues a task that stopped before its end; one whose worker died is taken up as it stands."""
        task = await self.task(ref)
        if task.state is not TaskState.RUNNING:
            return await self.start(task.id)
        owner = next((Identity.parse(held.owner) for held in await self.store.owned() if held.task_id == task.id), None)
        if owner is not None and owner.alive():
            raise ConflictError(f"Task {task.id} is running in process {owner.pid}; there is nothing to resume.")
        await self.store.withdraw_cancel(task.id)
        return task

    async def cancel(self, ref: str) -> Task:
        """Asks for the end of a task and waits until it is over, its engine included.

        A task whose worker is dead or stalled is cancelled here, and what the worker left is stopped.
        """
        task = await self.store.request_cancel((await self.task(ref)).id)
        worker = Worker(self.store, self.settings)
        while not task.state.ended:
            held = next((held for held in await self.store.owned() if held.task_id == task.id), None)
            if (
                held is not None
                and worker.abandoned(held)
                and (lease := await self.store.claim(task.id, worker.owner, replacing=held.token)) is not None
            ):
                await worker.reap(task.id)
                return await self.store.finish(lease, TaskState.CANCELLED)
            await asyncio.sleep(FOLLOW_S)
            task = await self.task(task.id)
        return task

    async def delete(self, ref: str) -> None:
        """Removes a task, its experiments, events and files. A running one must be cancelled first."""
        task = await self.task(ref)
        await self.store.delete(task.id)
        await asyncio.to_thread(shutil.rmtree, self.settings.runs(task.id), ignore_errors=True)

    async def task(self, ref: str) -> Task:
        """By id, the start of an id, or name (the newest of that name). Raises NotFoundError."""
        return await self.store.task(ref)

    async def tasks(
        self,
        *,
        state: TaskState | None = None,
        text: str | None = None,
        engine: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[TaskSummary], int]:
        """A page of tasks, newest first, and how many there are in all."""
        return await self.store.tasks(state=state, text=text, engine=engine, limit=limit, offset=offset)

    async def experiments(self, ref: str) -> list[Experiment]:
        return await self.store.experiments((await self.task(ref)).id)

    async def result(self, ref: str) -> result.Result:
        task = await self.task(ref)
        return result.result(task, await self.store.experiments(task.id))

    async def follow(self, ref: str, after: int = 0) -> AsyncIterator[Event]:
        """A task's events from a sequence number on, as they come, from whatever process, until the task ends."""
        task_id, pause_s = (await self.task(ref)).id, FOLLOW_S
        while True:
            state, events = await self.store.news(task_id, after=after)
            for event in events:
                yield event
                after = event.sequence
            if not events:
                if state.ended:
                    return
                await asyncio.sleep(pause_s)
            pause_s = FOLLOW_S if events else min(1.2 * pause_s, FOLLOW_AT_MOST_S)

    async def log_file(self, ref: str, experiment: int | None = None, *, benchmark: bool = False) -> Path:
        """The engine's log of an experiment (the newest by default), or the load generator's log of the task.

        Raises:
            NotFoundError: there is none yet.
        """
        task = await self.task(ref)
        folder = self.settings.runs(task.id)
        if experiment is None and not benchmark:
            numbers = [one.number for one in await self.store.experiments(task.id)]
            if not numbers:
                raise NotFoundError(f"Task {task.id} is {task.state} and has no experiments, so there is no log yet.")
            experiment = max(numbers)
        path = folder / ("benchmark.log" if benchmark else f"{experiment}/engine.log")
        if not path.is_file():
            what = "the load generator" if benchmark else f"experiment {experiment}"
            raise NotFoundError(f"Task {task.id} has no log of {what}; autotuner show {task.id} lists what there is.")
        return path
