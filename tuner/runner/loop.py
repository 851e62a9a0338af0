"""The loop of one task: what to measure next, until budget or space are spent and the winner is confirmed."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import partial

from pydantic import JsonValue

from tuner.domain import Experiment, Role
from tuner.errors import FailureKind, UnavailableError
from tuner.runner.measure import Rig, StopReason, measure
from tuner.runner.steps import next_steps
from tuner.search.stop_rules import experiment_end, search_end
from tuner.storage.store import Lease, Store

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Infrastructure failures say nothing about a configuration: it is tried again, then the task stops, resumable."""
RETRY_S = 1.0
"""Before the second attempt; twice as long before the third."""


async def run(rig: Rig, lease: Lease, store: Store) -> None:
    """Runs a task to its end, taking up where the recorded experiments stop.

    Raises:
        LeaseLostError: another worker has the task now.
        StorageError: nothing can be recorded any more.
        UnavailableError: infrastructure failed again and again; the interrupted experiment runs again on resume.
    """
    experiments = {e.number: e for e in await store.experiments(lease.task_id)}
    while True:
        history = [experiments[number] for number in sorted(experiments)]
        steps = await asyncio.to_thread(next_steps, rig.plan, history, (), 1)
        searching = all(one.role is not Role.CONFIRMATION for one in history)
        over = all(step.role is Role.CONFIRMATION for step in steps)
        if searching and over and (reason := search_end(rig.plan.spec, history, ())) is not None:
            await store.record(lease, events=[("search_stopped", {"reason": reason})])
        if not steps:
            return
        stop_reason = partial(experiment_end, rig.plan.spec, history)
        finished = await _attempt(rig, lease, store, steps[0], stop_reason)
        experiments[finished.number] = finished


async def _attempt(rig: Rig, lease: Lease, store: Store, step: Experiment, stop_reason: StopReason) -> Experiment:
    """Measures an experiment and records it, before and after; again where infrastructure failed."""
    began, reason = time.monotonic(), ""
    for attempt in range(ATTEMPTS):
        if attempt:
            retried: dict[str, JsonValue] = {"number": step.number, "reason": reason}
            await store.record(lease, events=[("experiment_retried", retried)])
            await asyncio.sleep(RETRY_S * 2 ** (attempt - 1))
        running = step.model_copy(update={"attempt": step.attempt + attempt})
        await store.record(lease, experiment=running, events=[("experiment_started", _begun(running))])
        outcome = await measure(rig, running, stop_reason)
        outcome = outcome.model_copy(
            update={"finished_at": datetime.now(UTC), "wall_s": round(time.monotonic() - began, 3)}
        )
        if outcome.failure is None or outcome.failure.kind is not FailureKind.INFRASTRUCTURE:
            await store.record(lease, experiment=outcome, events=[("experiment_finished", _ended(outcome))])
            return outcome
        reason = outcome.failure.message
        log.warning("experiment %d, attempt %d: %s", step.number, running.attempt, reason)
    raise UnavailableError(
        f"Experiment {step.number} was tried {ATTEMPTS} times and this machine failed it each time: {reason} "
        f"Mend that, then run: autotuner resume {lease.task_id}"
    )


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
