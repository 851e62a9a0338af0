"""Runs tasks under a lease: claims them, keeps the heartbeat, recovers what dead or stalled workers left."""

import asyncio
import logging
import time
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field

from tuner.analysis import result
from tuner.benchmarks import BENCHMARKS, datasets
from tuner.deploy import DEPLOYERS
from tuner.domain import Label, Task, TaskState
from tuner.engines.models import demo_model, model_paths
from tuner.engines.models.model_paths import DEMO
from tuner.errors import ConflictError, LeaseLostError, StorageError, TunerError, UnavailableError
from tuner.machine.processes import Identity
from tuner.protocols import LoadGenerator, Workload
from tuner.runner import traffic
from tuner.runner.heartbeats import registered
from tuner.runner.loop import run
from tuner.runner.measure import Rig
from tuner.runner.plan import Plan, plan
from tuner.settings import Settings
from tuner.storage.store import Held, Lease, Store

log = logging.getLogger(__name__)

CANCEL_EVERY_S = 1.0
IDLE_S = 0.5
"""How often an idle worker looks for a task."""


@dataclass
class Worker:
    """Claims tasks and runs them, one at a time; one worker per process."""

    store: Store
    settings: Settings
    owner: str = field(default_factory=lambda: Identity.current().text)
    _seen: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """Per lease: the last heartbeat, and when it was first seen by our own clock."""

    async def serve(self, stop: asyncio.Event) -> None:
        """Runs queued and abandoned tasks, one after the other, until told to stop.

        What is cut off then stays `running` under a dead owner: the next worker takes it.
        """
        await self.reap(None)
        async with registered(self.store, self.owner):
            while not stop.is_set():
                try:
                    if (lease := await self._claim_next()) is not None:
                        await self._hold_until(stop, lease)
                        continue
                except (LeaseLostError, StorageError) as error:
                    log.error("%s", error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), IDLE_S)

    async def _hold_until(self, stop: asyncio.Event, lease: Lease) -> None:
        running = asyncio.create_task(self.hold(lease))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in (running, stopping):
                part.cancel()
            await asyncio.wait([running, stopping])
        if not running.cancelled():
            running.result()

    async def run(self, task_id: str) -> Task:
        """Runs one task to its end in the foreground.

        Raises:
            ConflictError: another worker has it.
        """
        await self.reap(None)
        async with registered(self.store, self.owner):
            return await self._run(task_id)

    async def _run(self, task_id: str) -> Task:
        while True:
            if (lease := await self.store.claim(task_id, self.owner)) is not None:
                return await self.hold(lease)
            held = await self.store.held(task_id)
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
        """Runs a claimed task; whatever ends it, its state says so.

        Raises:
            LeaseLostError: another worker has the task now.
            StorageError: the end cannot be written down. The heartbeat stops, so another worker will take the task.
        """
        log.info("task %s: running", lease.task_id)
        work = asyncio.create_task(self._work(lease))
        pulse = asyncio.create_task(self._beat(lease))
        try:
            await asyncio.wait([work, pulse], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                gain = work.result()
            else:
                work.cancel()
                await asyncio.wait([work])
                pulse.result()
                return await self._finish(lease, TaskState.CANCELLED)
        except LeaseLostError:
            raise
        except TunerError as error:
            return await self._finish(lease, TaskState.FAILED, error=str(error))
        except OSError as error:
            message = (
                f"The data folder {self.settings.home} or this machine failed the task: {error}. "
                f"Mend that, then run: autotuner resume {lease.task_id}"
            )
            return await self._finish(lease, TaskState.FAILED, error=message)
        except Exception as problem:  # the task's edge: a bug must not leave it running for ever
            log.exception("task %s failed", lease.task_id)
            return await self._finish(lease, TaskState.FAILED, error=f"A bug in the tuner: {problem!r}")
        else:
            return await self._finish(lease, TaskState.COMPLETED, gain=gain)
        finally:
            for part in (work, pulse):
                if not part.cancelling():  # a second cancellation would cut the farewell to the engine short
                    part.cancel()
            await asyncio.gather(work, pulse, return_exceptions=True)

    async def _work(self, lease: Lease) -> float | None:
        """The whole task; its gain over the baseline, where one is proven."""
        task = await self.store.task(lease.task_id)
        planned = await plan(task.spec, self.settings)
        if planned.missing:
            raise UnavailableError("\n".join(planned.missing))
        await self.reap(task.id)
        await run(await self._rig(task, lease, planned), lease, self.store)
        verdict = result.result(task, await self.store.experiments(task.id)).verdict
        return verdict.gains[0].gain if verdict.proven else None

    async def _rig(self, task: Task, lease: Lease, planned: Plan) -> Rig:
        if DEMO in (task.spec.model.id_or_path, task.spec.benchmark.model_tokenizer):
            await asyncio.to_thread(demo_model.make, self.settings.models / DEMO)
        workload, folder = await self._workload(task, planned), self.settings.runs(task.id)
        benchmark = BENCHMARKS[task.spec.benchmark.tool](self.settings.home)

        def opened(slot: int) -> AbstractAsyncContextManager[LoadGenerator]:
            log_path = folder / (f"benchmark.{slot}.log" if slot else "benchmark.log")
            # Whoever ends a load generator ends all that carries its label.
            return benchmark.open(workload, log_path, Label(task.id, -1 - slot, self.owner))

        return Rig(
            task_id=task.id,
            owner=self.owner,
            plan=planned,
            deployer=DEPLOYERS[task.spec.deployment_mode](self.settings),
            open=opened,
            gpus=planned.resolved.gpus or 0,
            folder=folder,
            tell=lambda kind, payload: self.store.record(lease, events=[(kind, payload)]),
        )

    async def _workload(self, task: Task, planned: Plan) -> Workload:
        benchmark = task.spec.benchmark
        dataset = None
        if benchmark.dataset_url and "dataset" in benchmark.traffic_scenarios:
            dataset = await datasets.fetch(
                benchmark.dataset_url, self.settings.datasets, traffic.dataset_choices(task.spec)
            )
            for note in dataset.notes:
                log.info("task %s: %s", task.id, note)
        return Workload(
            task_id=task.id,
            scenarios=benchmark.traffic_scenarios,
            concurrencies=benchmark.num_concurrency,
            tokenizer=planned.tokenizer,
            max_time_s=benchmark.max_time_per_iteration * 60,
            max_requests=benchmark.max_requests_per_iteration,
            far=task.spec.far,
            model_name=benchmark.model_name,
            additional_params=benchmark.additional_params,
            dataset=dataset.prompts if dataset else None,
            held_out=dataset.held_out if dataset else None,
            prefix_len=benchmark.prefix_len,
            prefix_ratio=benchmark.prefix_ratio,
            arrival=benchmark.arrival,
            trace=model_paths.existing(benchmark.trace) if benchmark.trace else None,
            turns=benchmark.turns,
            think_s=benchmark.think_time,
            slos=task.spec.slo.bounds if task.spec.slo else (),
        )

    async def _beat(self, lease: Lease) -> None:
        """Beats until cancelled; returns when the task is to be cancelled.

        Raises:
            LeaseLostError: another worker has the task.
            StorageError: the store has not taken a heartbeat for as long as the lease lasts.
        """
        last = time.monotonic()
        while True:
            await asyncio.sleep(min(CANCEL_EVERY_S, self.settings.lease_s / 5))
            try:
                due = time.monotonic() - last >= self.settings.lease_s / 5
                if await (self.store.beat(lease) if due else self.store.cancel_requested(lease)):
                    return
                last = time.monotonic() if due else last
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
