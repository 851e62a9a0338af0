"""What a task measures next: a function of what has ended, what is under way and what is free. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tuner.analysis import result
from tuner.domain import Experiment, ExperimentState, Params, Role
from tuner.protocols import Search
from tuner.runner.plan import Plan
from tuner.search.stop_rules import search_end


def next_steps(plan: Plan, history: Sequence[Experiment], pending: Sequence[Experiment], free: int) -> list[Experiment]:
    """The experiments to start now, `free` at most: interrupted ones, the baseline, candidates, confirmations.

    Empty with something pending: wait until one of them has ended. Empty with nothing pending: the task is done. The
    race of the best and the baseline begins after the last candidate has ended, and its next round when the one before
    is whole. As nothing else decides, a resumed task goes on as if it had never stopped.

    Args:
        history: what has ended, by number, and what is `running` though nobody runs it any more: the interrupted ones.
        pending: what is under way.
    """
    ended = [one for one in history if one.state is not ExperimentState.RUNNING]
    interrupted = [one for one in history if one.state is ExperimentState.RUNNING]
    steps = [one.model_copy(update={"started_at": _now(), "attempt": one.attempt + 1}) for one in interrupted[:free]]
    while len(steps) < free and (step := _new(plan, ended, [*pending, *steps])) is not None:
        steps.append(step)
    return steps


def _new(plan: Plan, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> Experiment | None:
    """None: there is nothing to start before something pending has ended, or ever."""
    optimization = plan.spec.optimization
    if optimization.baseline and not ended and not pending:
        return _step(plan, 0, Role.BASELINE, plan.space.fixed)
    number = len(ended) + len(pending)
    if not _over(plan, ended, pending):
        search = Search(
            space=plan.space,
            objectives=plan.objectives,
            seed=optimization.seed,
            n_initial_random=optimization.n_initial_random,
            budget=optimization.max_iterations,
        )
        if (params := plan.strategy.ask(search, ended, pending)) is not None:
            return _step(plan, number, Role.CANDIDATE, params)
    if any(one.role is not Role.CONFIRMATION for one in pending):
        return None
    running = [one.confirms for one in pending]
    for confirms, params in result.to_confirm(plan.spec, ended):
        if confirms not in running:
            return _step(plan, number, Role.CONFIRMATION, params, confirms)
        running.remove(confirms)
    return None


def _step(plan: Plan, number: int, role: Role, params: Params, confirms: int | None = None) -> Experiment:
    gpus = plan.launch(params).gpus
    return Experiment(number=number, role=role, params=params, confirms=confirms, gpus=gpus, started_at=_now())


def _now() -> datetime:
    return datetime.now(UTC)


def _over(plan: Plan, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> bool:
    """There is nothing to search, the race of the best has begun, or a rule says stop."""
    confirming = any(one.role is Role.CONFIRMATION for one in (*ended, *pending))
    return not plan.space.varied or confirming or search_end(plan.spec, ended, pending) is not None
