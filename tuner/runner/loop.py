"""The loop of one task: measures what comes next, several at once where asked to, until nothing is left."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from tuner.domain import Experiment, ExperimentState, Role
from tuner.errors import FailureKind, UnavailableError
from tuner.protocols import LoadGenerator
from tuner.runner.measure import Rig, measure
from tuner.runner.steps import next_steps
from tuner.search.stop_rules import experiment_end, search_end
from tuner.storage.store import Lease, Store

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Infrastructure failures say nothing about a configuration: it is tried again, then the task stops, resumable."""
RETRY_S = 1.0
"""Before the second attempt; twice as long before the third."""


async def run(rig: Rig, lease: Lease, store: Store) -> None:
    """Runs a task to its end, taking up where the recorded experiments stop; once for each lease.

    The first experiment that cannot be measured ends the others: like after a cancellation they run again on resume.

    Raises:
        LeaseLostError: another worker has the task now.
        StorageError: nothing can be recorded any more.
        UnavailableError: infrastructure failed again and again; the interrupted experiment runs again on resume.
    """
    recorded = {one.number: one for one in await store.experiments(lease.task_id)}
    assert all(one.holder != lease.holder for one in recorded.values()), "this lease has run the task before"
    try:
        # Generators are closed last: experiments use them until they have ended.
        async with AsyncExitStack() as opened, asyncio.TaskGroup() as group:
            await _Loop(rig, lease, store, recorded, opened, group).run()
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


@dataclass
class _Loop:
    rig: Rig
    lease: Lease
    store: Store
    experiments: dict[int, Experiment]
    """As recorded, by number; without holes."""
    opened: AsyncExitStack
    group: asyncio.TaskGroup
    slots: int = 0
    """Load generators opened so far: one for each experiment that can be under way."""
    idle: list[LoadGenerator] = field(default_factory=list)
    """Those that no experiment uses now."""

    async def run(self) -> None:
        most = self.rig.plan.spec.optimization.parallel_experiments
        under_way: set[asyncio.Task[None]] = set()
        while True:
            history, pending = self._split()
            steps = await asyncio.to_thread(next_steps, self.rig.plan, history, pending, most - len(pending))
            await self._tell_of_end(history, pending, steps)
            for step in self._fitting(steps, pending):
                load = self.idle.pop() if self.idle else await self._open()
                running = await self._begin(step)  # before the next one: numbers have no holes
                under_way.add(self.group.create_task(self._measure(running, load)))
            if not under_way:
                return
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    def _split(self) -> tuple[list[Experiment], list[Experiment]]:
        """What has ended or was left running by a worker before this one, and what runs under this lease."""
        history: list[Experiment] = []
        pending: list[Experiment] = []
        for _, one in sorted(self.experiments.items()):
            running = one.state is ExperimentState.RUNNING and one.holder == self.lease.holder
            (pending if running else history).append(one)
        return history, pending

    async def _tell_of_end(
        self, history: Sequence[Experiment], pending: Sequence[Experiment], steps: Sequence[Experiment]
    ) -> None:
        """Once, when the last candidate has ended and before the winner is confirmed: which rule ended the search."""
        confirming = any(one.role is Role.CONFIRMATION for one in history)
        if pending or confirming or any(step.role is not Role.CONFIRMATION for step in steps):
            return
        if (reason := search_end(self.rig.plan.spec, history, ())) is not None:
            await self.store.record(self.lease, events=[("search_stopped", {"reason": reason})])

    def _fitting(self, steps: Sequence[Experiment], pending: Sequence[Experiment]) -> list[Experiment]:
        """Those that the machine has GPUs for now, in order; one that needs GPUs while none is in use always."""
        fitting: list[Experiment] = []
        for step in steps:
            used = sum(one.gpus for one in (*pending, *fitting))
            if used and used + step.gpus > self.rig.gpus:
                break
            fitting.append(step)
        return fitting

    async def _open(self) -> LoadGenerator:
        self.slots += 1
        return await self.opened.enter_async_context(self.rig.open(self.slots - 1))

    async def _begin(self, step: Experiment) -> Experiment:
        running = step.model_copy(update={"holder": self.lease.holder})
        await self.store.record(self.lease, experiment=running, events=[("experiment_started", _begun(running))])
        self.experiments[running.number] = running
        return running

    async def _measure(self, running: Experiment, load: LoadGenerator) -> None:
        """Measures an experiment and records what came of it; again where infrastructure failed."""
        began, reason = time.monotonic(), ""
        for attempt in range(ATTEMPTS):
            if attempt:
                retried: dict[str, JsonValue] = {"number": running.number, "reason": reason}
                await self.store.record(self.lease, events=[("experiment_retried", retried)])
                await asyncio.sleep(RETRY_S * 2 ** (attempt - 1))
                running = await self._begin(running.model_copy(update={"attempt": running.attempt + 1}))
            outcome = await measure(self.rig, load, running, self._stop_reason)
            wall_s = round(time.monotonic() - began, 3)
            outcome = outcome.model_copy(update={"finished_at": datetime.now(UTC), "wall_s": wall_s, "holder": None})
            if outcome.failure is None or outcome.failure.kind is not FailureKind.INFRASTRUCTURE:
                told = ("experiment_finished", _ended(outcome))
                await self.store.record(self.lease, experiment=outcome, events=[told])
                self.experiments[outcome.number] = outcome
                self.idle.append(load)
                return
            reason = outcome.failure.message
            log.warning("experiment %d, attempt %d: %s", running.number, running.attempt, reason)
        raise UnavailableError(
            f"Experiment {running.number} was tried {ATTEMPTS} times and this machine failed it each time: {reason} "
            f"Mend that, then run: autotuner resume {self.lease.task_id}"
        )

    def _stop_reason(self, so_far: Experiment) -> str | None:
        ended = [one for _, one in sorted(self.experiments.items()) if one.state is not ExperimentState.RUNNING]
        return experiment_end(self.rig.plan.spec, ended, so_far)


def _begun(experiment: Experiment) -> dict[str, JsonValue]:
    return {
        "number": experiment.number,
        "role": experiment.role,
        "params": dict(experiment.params.flat),
        "attempt": experiment.attempt,
    }


def _ended(experiment: Experiment) -> dict[str, JsonValue]:
    return {
        "number": experiment.number,
        "role": experiment.role,
        "state": experiment.state,
        "values": [one.value for one in experiment.scores],
        "feasible": experiment.feasible,
        "failure": experiment.failure.kind if experiment.failure else None,
        "message": experiment.failure.message if experiment.failure else None,
    }
