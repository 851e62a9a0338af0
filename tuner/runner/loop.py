"""The loop of one task: what to measure next, until budget or space are spent and the winner is confirmed."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from tuner.analysis import result
from tuner.domain import Experiment, ExperimentState, Role
from tuner.errors import FailureKind, UnavailableError
from tuner.protocols import Search
from tuner.runner.measure import Rig, measure
from tuner.runner.plan import Plan
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
        step = await asyncio.to_thread(next_step, rig.plan, history)
        if step is None:
            return
        finished = await _attempt(rig, lease, store, step)
        experiments[finished.number] = finished


def next_step(plan: Plan, history: Sequence[Experiment]) -> Experiment | None:
    """The experiment to run now: the interrupted one, the baseline, the next candidate, or a confirmation.

    A function of the history alone, so that a resumed task goes on as if it had never stopped.
    """
    number, now = len(history), datetime.now(UTC)
    for experiment in history:
        if experiment.state is ExperimentState.RUNNING:
            return experiment.model_copy(update={"started_at": now, "attempt": experiment.attempt + 1})
    if plan.spec.optimization.baseline and not history:
        return Experiment(number=0, role=Role.BASELINE, params=plan.space.fixed, started_at=now)
    if not _spent(plan, history) and (params := plan.strategy.ask(_search(plan), history)) is not None:
        return Experiment(number=number, role=Role.CANDIDATE, params=params, started_at=now)
    for confirms, params in result.to_confirm(plan.spec, history):
        return Experiment(number=number, role=Role.CONFIRMATION, params=params, confirms=confirms, started_at=now)
    return None


def _search(plan: Plan) -> Search:
    optimization = plan.spec.optimization
    return Search(
        space=plan.space,
        objectives=plan.objectives,
        seed=optimization.seed,
        n_initial_random=optimization.n_initial_random,
        budget=optimization.max_iterations,
    )


def _spent(plan: Plan, history: Sequence[Experiment]) -> bool:
    """Nothing is left of the budget, or the winner is being confirmed already."""
    searched = [e for e in history if e.role is not Role.CONFIRMATION]
    if len(searched) < len(history) or not plan.space.varied:
        return True
    budget = plan.spec.budget
    candidates = sum(e.role is Role.CANDIDATE for e in searched)
    wall_s = sum(e.wall_s or 0 for e in searched)
    gpu_hours = sum((e.wall_s or 0) * e.gpus for e in searched) / 3600
    return (
        candidates >= plan.spec.optimization.max_iterations
        or (budget.max_experiments is not None and len(searched) >= budget.max_experiments)
        or (budget.max_time is not None and wall_s >= budget.max_time)
        or (budget.max_gpu_hours is not None and gpu_hours >= budget.max_gpu_hours)
    )


async def _attempt(rig: Rig, lease: Lease, store: Store, step: Experiment) -> Experiment:
    """Measures an experiment and records it, before and after; again where infrastructure failed."""
    began, reason = time.monotonic(), ""
    for attempt in range(ATTEMPTS):
        if attempt:
            retried: dict[str, JsonValue] = {"number": step.number, "reason": reason}
            await store.record(lease, events=[("experiment_retried", retried)])
            await asyncio.sleep(RETRY_S * 2 ** (attempt - 1))
        running = step.model_copy(update={"attempt": step.attempt + attempt})
        await store.record(lease, experiment=running, events=[("experiment_started", _begun(running))])
        outcome = await measure(rig, running)
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
