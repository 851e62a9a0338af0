"""Runs tasks under a lease: claims them, keeps the heartbeat, recovers what dead or stalled workers left."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tuner import demo_model, result
from tuner.benchmarks import BENCHMARKS, datasets
from tuner.deployers import DEPLOYERS
from tuner.domain import Label, Task, TaskState
from tuner.errors import ConflictError, LeaseLostError, StorageError, TunerError, UnavailableError
from tuner.measure import Rig
from tuner.plan import DEMO, Plan, plan
from tuner.processes import Identity
from tuner.protocols import Deployer, LoadGenerator, Workload
from tuner.run import run
from tuner.settings import Settings
from tuner.store import Held, Lease, Store

log = logging.getLogger(__name__)

IDLE_S = 0.5
"""How often an idle worker looks for a task."""


@dataclass
class Worker:
    """One per process."""

    store: Store
    settings: Settings
    owner: str = field(default_factory=lambda: Identity.current().text)
    _seen: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """Per lease of others: the last heartbeat, and when it was first seen by our own clock."""

    async def serve(self, stop: asyncio.Event) -> None:
        """Runs queued and abandoned tasks, one after the other, until told to stop."""
        await self.reap(None)
        while not stop.is_set():
            if (lease := await self._claim_next()) is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), IDLE_S)
                continue
            running = asyncio.create_task(self.hold(lease))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            running.cancel()  # a task that is cut off here stays `running` under a dead owner: the next worker takes it
            stopping.cancel()
            try:
                with suppress(asyncio.CancelledError):
                    await running
            except (LeaseLostError, StorageError) as error:
                log.error("task %s: %s", lease.task_id, error)
                await asyncio.sleep(IDLE_S)

    async def run(self, task_id: str) -> Task:
        """Runs one task to its end in the foreground.

        Raises:
            ConflictError: another worker has it.
        """
        await self.reap(None)
        while True:
            if (lease := await self.store.claim(task_id, self.owner)) is not None:
                return await self.hold(lease)
            held = next((held for held in await self.store.owned() if held.task_id == task_id), None)
            if held is None:
                task = await self.store.task(task_id)
                if task.state is not TaskState.QUEUED:
                    raise ConflictError(f"Task {task_id} is {task.state}; only a queued task can be run.")
            elif self.abandoned(held):
                if (lease := await self.store.claim(task_id, self.owner, replacing=held.token)) is not None:
                    return await self.hold(lease)
            elif Identity.parse(held.owner).alive():
                raise ConflictError(f"Task {task_id} is running in process {Identity.parse(held.owner).pid}.")
            await asyncio.sleep(IDLE_S)

    async def hold(self, lease: Lease) -> Task:
        """Runs a claimed task; whatever ends it, its state says so."""
        task = await self.store.task(lease.task_id)
        log.info("task %s: running", task.id)
        work = asyncio.create_task(self._work(task, lease))
        pulse = asyncio.create_task(self._beat(lease))
        try:
            await asyncio.wait([work, pulse], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
                if pulse.result():
                    return await self._finish(lease, TaskState.CANCELLED)
            gain = work.result()
        except (LeaseLostError, asyncio.CancelledError):
            raise
        except TunerError as error:
            return await self._finish(lease, TaskState.FAILED, error=str(error))
        except Exception as problem:  # the task's edge: a bug must not leave it running for ever
            log.exception("task %s failed", task.id)
            return await self._finish(lease, TaskState.FAILED, error=repr(problem))
        else:
            return await self._finish(lease, TaskState.COMPLETED, gain=gain)
        finally:
            for part in (work, pulse):
                part.cancel()
            await asyncio.gather(work, pulse, return_exceptions=True)

    async def _work(self, task: Task, lease: Lease) -> float | None:
        """The whole task; its gain over the baseline, where there is one."""
        planned = await plan(task.spec, self.settings)
        if planned.missing:
            raise UnavailableError("\n".join(planned.missing))
        await self.reap(task.id)
        async with self._rig(task, lease, planned) as rig:
            await run(rig, lease, self.store)
        gains = result.result(task, await self.store.experiments(task.id)).verdict.gains
        return gains[0].gain if gains else None

    @asynccontextmanager
    async def _rig(self, task: Task, lease: Lease, planned: Plan) -> AsyncIterator[Rig]:
        folder = self.settings.runs(task.id)
        if planned.model == str(self.settings.models / DEMO):
            await asyncio.to_thread(demo_model.make, self.settings.models / DEMO)
        async with self._load(task, planned) as load:
            yield Rig(
                task_id=task.id,
                owner=self.owner,
                plan=planned,
                deployer=self._deployer(task),
                load=load,
                folder=folder,
                tell=lambda kind, payload: self._tell(lease, kind, payload),
            )

    @asynccontextmanager
    async def _load(self, task: Task, planned: Plan) -> AsyncIterator[LoadGenerator]:
        benchmark = task.spec.benchmark
        dataset = None
        if benchmark.dataset_url and "dataset" in benchmark.traffic_scenarios:
            dataset = await datasets.fetch(
                benchmark.dataset_url,
                self.settings.datasets,
                deduplicate=benchmark.dataset_deduplicate,
                prompt_column=benchmark.dataset_prompt_column,
            )
        workload = Workload(
            task_id=task.id,
            scenarios=benchmark.traffic_scenarios,
            concurrencies=benchmark.num_concurrency,
            tokenizer=planned.tokenizer,
            max_time_s=benchmark.max_time_per_iteration * 60,
            max_requests=benchmark.max_requests_per_iteration,
            model_name=benchmark.model_name,
            additional_params=benchmark.additional_params,
            dataset=dataset,
            prefix_len=benchmark.prefix_len,
            prefix_ratio=benchmark.prefix_ratio,
            slos=task.spec.slo.bounds if task.spec.slo else (),
        )
        generator = BENCHMARKS[benchmark.tool](self.settings.home)
        log_path = self.settings.runs(task.id) / "benchmark.log"
        async with generator.open(workload, log_path, Label(task.id, -1, self.owner)) as load:
            yield load

    async def _tell(self, lease: Lease, kind: str, payload: object) -> None:
        await self.store.record(lease, events=[(kind, payload)])  # type: ignore[list-item]

    async def _beat(self, lease: Lease) -> bool:
        """Beats until cancelled; returns when the task is to be cancelled.

        Raises:
            LeaseLostError: another worker has the task.
            StorageError: the store has not taken a heartbeat for as long as the lease lasts.
        """
        every_s = min(1.0, self.settings.lease_s / 5)
        last = time.monotonic()
        while True:
            await asyncio.sleep(every_s)
            try:
                if await self.store.beat(lease):
                    return True
                last = time.monotonic()
            except StorageError:
                if time.monotonic() - last > self.settings.lease_s:
                    raise
                log.warning("task %s: no heartbeat could be written; trying on", lease.task_id)

    async def _finish(
        self, lease: Lease, state: TaskState, *, error: str | None = None, gain: float | None = None
    ) -> Task:
        task = await self.store.finish(lease, state, error=error, gain=gain)
        log.info("task %s: %s", task.id, task.state)
        return task

    async def _claim_next(self) -> Lease | None:
        if (queued := await self.store.next_queued()) is not None:
            return await self.store.claim(queued, self.owner)
        for held in await self.store.owned():
            if self.abandoned(held):
                log.warning("task %s: taking over from %s", held.task_id, held.owner)
                return await self.store.claim(held.task_id, self.owner, replacing=held.token)
        return None

    def abandoned(self, held: Held) -> bool:
        """Its owner is dead, or its heartbeat has stood still for a whole lease by our own clock."""
        if held.owner == self.owner:
            return False
        if Identity.parse(held.owner).alive() is False:
            return True
        now, key = time.monotonic(), (held.task_id, held.token)
        beat, since = self._seen.get(key, (-1, now))
        if beat != held.beat:
            self._seen[key] = (held.beat, now)
            return False
        return now - since > self.settings.lease_s

    async def reap(self, task_id: str | None) -> None:
        for make in DEPLOYERS.values():
            for what in await make(self.settings).reap(task_id):
                log.warning("stopped what a dead worker left: %s", what)

    def _deployer(self, task: Task) -> Deployer:
        return DEPLOYERS[task.spec.deployment_mode](self.settings)
