"""What a caller can ask of the tuner: the one door for the command line, the agent's tools and the HTTP API."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, Unpack

from pydantic import JsonValue

from tuner.analysis import noise, result
from tuner.deploy import DEPLOYERS
from tuner.domain import Event, Experiment, Task, TaskState, TaskSummary
from tuner.engines import presets
from tuner.errors import ConflictError, NotFoundError, StorageError
from tuner.installs import environments, installations
from tuner.installs.installations import EngineInfo
from tuner.installs.packages import OnLine
from tuner.launch import Installation
from tuner.logs import searching
from tuner.logs.following import LogChunk
from tuner.logs.tail import LogExcerpt
from tuner.machine import hardware
from tuner.machine.hardware import Hardware
from tuner.machine.processes import Identity
from tuner.protocols import Deployer, Flag, Running
from tuner.runner import heartbeats, recompute
from tuner.runner import logs as task_logs
from tuner.runner.heartbeats import WorkerInfo
from tuner.runner.plan import Plan, PlanSummary
from tuner.runner.plans import Plans
from tuner.runner.recompute import Recomputed
from tuner.runner.worker import Worker
from tuner.settings import Settings
from tuner.spec.presets import Preset
from tuner.spec.task import TaskSpec
from tuner.storage.queries import ExperimentQuery, TaskQuery
from tuner.storage.store import Store

FOLLOW_S, FOLLOW_AT_MOST_S = 0.2, 1.0
"""How often a follower looks for news: often where there just were some, less so while an engine starts."""
FOLLOW_HERE_S = 5.0
"""How often where the run is in the same process, whose own writes wake the follower."""


@dataclass(frozen=True)
class Tuner:
    settings: Settings
    _store: Store
    _plans: Plans = field(default_factory=Plans)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, plans: Plans | None = None) -> AsyncIterator[Self]:
        """Opens the store, made or upgraded where needed.

        Args:
            plans: what the caller has planned already.

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
            yield cls(settings, store, plans or Plans())
        finally:
            await store.close()

    async def plan(self, spec: TaskSpec) -> Plan:
        """What the task would do here. Raises InvalidSpecError with every problem."""
        return await self._plans.find(spec, self.settings)

    async def summary(self, spec: TaskSpec) -> PlanSummary:
        """The plan of a task for people and programs, with the noise that past tasks had here."""
        planned = await self.plan(spec)
        return planned.summary(await self.noise(planned))

    async def noise(self, plan: Plan) -> float | None:
        """Of measurements from run to run, as past tasks with the same engine and model had it here, in the plan's
        objectives: 0.1 is about 10 %. None: too little was measured again."""
        spec = plan.spec
        past = await self._store.repeated(spec.base_runtime, spec.deployment_mode, spec.model.id_or_path)
        told = [(task.spec, ran) for task, ran in past]
        return await asyncio.to_thread(noise.of_past, plan.objectives, told)

    async def create(self, spec: TaskSpec, *, key: str | None = None) -> Task:
        """Writes a task down, checked completely; nothing runs. The same key and spec again give the same task.

        Raises:
            ConflictError: the key stands for another spec.
        """
        if key is not None and (made := await self._store.added(spec, key)) is not None:
            return made
        await self.plan(spec)
        return await self._store.add(spec, key=key)

    async def update(self, ref: str, spec: TaskSpec) -> Task:
        """Replaces a task that has not been started."""
        task = await self.task(ref)
        await self.plan(spec)
        return await self._store.replace_spec(task.id, spec)

    async def start(self, ref: str, *, key: str | None = None) -> Task:
        """Queues a task for the next free worker. A failed or cancelled one goes on where it stopped.

        The same key again gives the task as it is, and starts nothing.
        """
        return await self._store.queue((await self.task(ref)).id, key=key)

    async def restart(self, ref: str) -> Task:
        """Queues a fresh copy of a task, which measures everything anew; the old one stays."""
        return await self.start((await self.create((await self.task(ref)).spec)).id)

    async def run(self, ref: str) -> Task:
        """Runs a queued or abandoned task to its end in this process."""
        return await Worker(self._store, self.settings).run((await self.task(ref)).id)

    async def work(self, stop: asyncio.Event) -> None:
        """Runs queued and abandoned tasks in this process, one after the other, until told to stop."""
        await Worker(self._store, self.settings).serve(stop)

    async def resume(self, ref: str) -> Task:
        """Queues a task that stopped before its end; one whose worker died is taken up as it stands."""
        task = await self.task(ref)
        if task.state is not TaskState.RUNNING:
            return await self.start(task.id)
        held = await self._store.held(task.id)
        if held is not None and (owner := Identity.parse(held.owner)).alive():
            raise ConflictError(f"Task {task.id} is running in process {owner.pid}; there is nothing to resume.")
        await self._store.withdraw_cancel(task.id)
        return task

    async def request_cancel(self, ref: str) -> Task:
        """Cancels a task that waits; the worker of one that runs learns of it within seconds."""
        return await self._store.request_cancel((await self.task(ref)).id)

    async def cancel(self, ref: str) -> Task:
        """Asks for the end of a task and waits until it is over, its engine included.

        A task whose worker is dead or stalled is cancelled here, and what the worker left is stopped.
        """
        task = await self.request_cancel(ref)
        worker = Worker(self._store, self.settings)
        while not task.state.ended:
            held = await self._store.held(task.id)
            if (
                held is not None
                and worker.abandoned(held)
                and (lease := await self._store.claim(task.id, worker.owner, replacing=held.token)) is not None
            ):
                await worker.reap(task.id)
                return await self._store.finish(lease, TaskState.CANCELLED)
            await asyncio.sleep(FOLLOW_S)
            task = await self.task(task.id)
        return task

    async def delete(self, ref: str) -> None:
        """Removes a task, its experiments, events and files. A running one must be cancelled first."""
        task = await self.task(ref)
        await self._store.delete(task.id)
        await asyncio.to_thread(shutil.rmtree, self.settings.runs(task.id), ignore_errors=True)

    async def task(self, ref: str) -> Task:
        """By id, the start of an id, or name (the newest of that name). Raises NotFoundError."""
        return await self._store.task(ref)

    async def tasks(self, **wanted: Unpack[TaskQuery]) -> tuple[list[TaskSummary], int]:
        """A page of tasks, newest first, and how many there are in all."""
        return await self._store.tasks(**wanted)

    async def experiments(self, ref: str) -> list[Experiment]:
        return await self._store.experiments((await self.task(ref)).id)

    async def experiment(self, ref: str, number: int) -> Experiment:
        return await self._store.experiment((await self.task(ref)).id, number)

    async def newest_experiment(self, task_id: str) -> int | None:
        """The number of a task's last experiment; None: it has none yet."""
        return await self._store.newest(task_id)

    async def experiments_page(
        self, task: str | None = None, **wanted: Unpack[ExperimentQuery]
    ) -> tuple[list[tuple[str, Experiment]], int]:
        """A page of experiments with their tasks' ids, those of the newest task first, and how many there are."""
        return await self._store.experiments_page(None if task is None else (await self.task(task)).id, **wanted)

    async def counts(self) -> dict[str, int]:
        """How many tasks there are, by state; 0 included."""
        return await self._store.counts()

    async def result(self, ref: str) -> result.Result:
        task = await self.task(ref)
        experiments = await self._store.experiments(task.id)
        return await asyncio.to_thread(result.result, task, experiments)

    async def recompute(self, ref: str) -> Recomputed:
        """Every figure of a task's report again, from the requests that its experiments recorded."""
        task = await self.task(ref)
        experiments = await self._store.experiments(task.id)
        return await asyncio.to_thread(recompute.recompute, task, experiments, self.settings.runs(task.id))

    async def events(self, task_id: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """Those with a sequence above `after`, in order."""
        return await self._store.events(task_id, after, limit)

    async def news(self, task_id: str, after: int = 0) -> tuple[TaskState, list[Event]]:
        """A task's state, and its events above `after` as of then: an ended task gets no more of them."""
        return await self._store.news(task_id, after)

    async def follow(self, ref: str, after: int = 0, *, here: bool = False) -> AsyncIterator[Event]:
        """A task's events from a sequence number on, as they come, from whatever process, until the task ends.

        Args:
            here: this process runs the task, and what it writes is seen at once: others are looked at seldom.
        """
        task_id = (await self.task(ref)).id
        least_s, most_s = (FOLLOW_HERE_S, FOLLOW_HERE_S) if here else (FOLLOW_S, FOLLOW_AT_MOST_S)
        pause_s = least_s
        while True:
            written = self._store.written
            state, events = await self._store.news(task_id, after=after)
            for event in events:
                yield event
                after = event.sequence
            if not events:
                if state.ended:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(written.wait(), pause_s)
            pause_s = least_s if events else min(1.2 * pause_s, most_s)

    # Logs

    async def log_file(self, ref: str, experiment: int | None = None, *, benchmark: bool = False) -> Path:
        """The engine's log of an experiment (the newest by default), or the load generator's log of the task.

        Raises:
            NotFoundError: there is none yet.
        """
        task = await self.task(ref)
        return await task_logs.find(self._store, task, self.settings.runs(task.id), experiment, benchmark=benchmark)

    async def logs(
        self,
        ref: str,
        experiment: int | None = None,
        *,
        benchmark: bool = False,
        lines: int = 200,
        search: str | None = None,
    ) -> LogExcerpt:
        """The end of a log, or the last of its lines that match: text in any case, /regex/, or /regex/i.

        Raises:
            NotFoundError: there is none yet.
            InvalidSpecError: the search cannot be done as asked.
            UnavailableError: the search took too long.
        """
        path = await self.log_file(ref, experiment, benchmark=benchmark)
        return await searching.excerpt(path, lines=lines, search=search)

    async def follow_log(
        self,
        ref: str,
        experiment: int | None = None,
        *,
        benchmark: bool = False,
        position: int = 0,
        since: int | None = None,
        lines: int | None = None,
    ) -> AsyncIterator[LogChunk]:
        """A log from a byte on, as it grows, until the experiment that was named, or the task, ends.

        Without a number it goes on from one experiment to the next.

        Args:
            since: the experiment that `position` is in, where none is named; by default the newest.
            lines: instead of `position`: so many of the last lines first.
        """
        task_id = (await self.task(ref)).id
        runs = self.settings.runs(task_id)
        chunks = task_logs.follow(
            self._store, task_id, runs, experiment, benchmark=benchmark, position=position, since=since, lines=lines
        )
        async for chunk in chunks:
            yield chunk

    # Presets

    async def presets(self) -> list[Preset]:
        """The built-in ones, then those that were saved, by name."""
        return [*presets.BUILT_IN.values(), *await self._store.presets.all()]

    async def preset(self, name: str) -> Preset:
        """Raises NotFoundError."""
        return await self._store.presets.get(name)

    async def save_preset(self, preset: Preset, *, replace: bool = False) -> Preset:
        """Keeps a preset, checked as far as a part of a task can be.

        Raises:
            InvalidSpecError: with every problem.
            ConflictError: there is one of that name that is not to be replaced, or is built in.
        """
        presets.check_own(preset.name)
        presets.check(preset)
        return await self._store.presets.save(preset, replace=replace)

    async def delete_preset(self, name: str) -> None:
        """Raises NotFoundError, and ConflictError for one that is built in."""
        presets.check_own(name)
        await self._store.presets.delete(name)

    async def merged(self, names: Sequence[str], task: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """A task file: the presets in order, then the task's own keys on top. Not checked: `plan` or `create` do."""
        return presets.merge([await self.preset(name) for name in names], task)

    # This machine

    async def engines(self) -> list[EngineInfo]:
        return await asyncio.to_thread(installations.engines, self.settings)

    async def engine_flags(self, engine: str, search: str = "") -> list[Flag]:
        """The flags a task may set. Raises NotFoundError, and UnavailableError where the engine is not installed."""
        return await installations.engine_flags(self.settings, engine, search)

    async def install_engine(
        self, environment: str, *, torch_index: str | None = None, on_line: OnLine = environments.log.info
    ) -> Installation:
        """Makes an environment, in minutes; `on_line` hears of each step. Cancelled, nothing of it goes on."""
        return await installations.install(self.settings, environment, torch_index=torch_index, on_line=on_line)

    async def hardware(self) -> Hardware:
        return await asyncio.to_thread(hardware.survey)

    async def deployments(self) -> list[Running]:
        """The engines and load generators of this data folder that run now, wherever they do."""
        running = [one for deployer in self._deployers for one in await deployer.running()]
        names = await self._store.names([one.task_id for one in running])
        return [one.model_copy(update={"task_name": names.get(one.task_id, "")}) for one in running]

    async def deployment(self, deployment_id: str) -> Running:
        """Raises NotFoundError: nothing runs under that id."""
        running = {one.id: one for one in await self.deployments()}
        if deployment_id not in running:
            known = ", ".join(running) or "nothing running"
            raise NotFoundError(f"Nothing runs as {deployment_id!r:.80}; there is {known}.")
        return running[deployment_id]

    async def stop_deployment(self, deployment_id: str) -> None:
        """Kills an engine or load generator. Its task goes on: it starts the experiment again, up to three times."""
        for deployer in self._deployers:
            if await deployer.stop(deployment_id):
                return
        await self.deployment(deployment_id)

    @property
    def _deployers(self) -> list[Deployer]:
        return [make(self.settings) for make in DEPLOYERS.values()]

    async def workers(self) -> list[WorkerInfo]:
        """The processes that run tasks, those that died lately included, and whoever else holds one."""
        return await heartbeats.workers(self._store)
