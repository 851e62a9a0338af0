"""A search ends with what its task allows it to use. Confirmations of the winner come on top."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuner.domain import Experiment, Role
from tuner.spec.task import TaskSpec


@dataclass(frozen=True)
class Budget:
    """A key of the task that limits something. What experiments under way will use counts as used."""

    key: str
    unit: str
    limit: Callable[[TaskSpec], float | None]
    """None: the task sets none."""
    used: Callable[[TaskSpec, Sequence[Experiment], Sequence[Experiment]], float]
    """By the baseline and the candidates that have ended, and by those under way."""

    def ends_search(self, task: TaskSpec, history: Sequence[Experiment], pending: Sequence[Experiment]) -> str | None:
        limit = self.limit(task)
        if limit is None or (used := self.used(task, _searched(history), _searched(pending))) < limit:
            return None
        return f"{self.key} is reached: {round(used, 3):,.10g} of {limit:,.10g} {self.unit}."

    def ends_experiment(self, task: TaskSpec, history: Sequence[Experiment], experiment: Experiment) -> None:
        return None


def candidates(task: TaskSpec, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> float:
    return sum(one.role is Role.CANDIDATE for one in (*ended, *pending))


def experiments(task: TaskSpec, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> float:
    return len(ended) + len(pending)


def elapsed_s(task: TaskSpec, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> float:
    """Time in which the search measured, until the last thing known of it; what ran at once counts once."""
    if task.optimization.parallel_experiments == 1:
        return sum(one.wall_s or 0 for one in ended)  # not by times of day: no jump of the clock ends a search
    spans = [(begun := one.started_at.timestamp(), begun + (one.wall_s or 0)) for one in ended]
    begun_last = [one.started_at.timestamp() for one in pending]
    known = max([*begun_last, *(end for _, end in spans)], default=0.0)
    total, reached = 0.0, 0.0
    for begun, end in sorted([*spans, *((begun, known) for begun in begun_last)]):
        total += max(0.0, end - max(begun, reached))
        reached = max(reached, end)
    return total


def gpu_hours(task: TaskSpec, ended: Sequence[Experiment], pending: Sequence[Experiment]) -> float:
    """Those under way are taken to last as long as the others did on average."""
    walls = [one.wall_s or 0 for one in ended]
    mean_s = sum(walls) / max(1, len(walls))
    used = sum((one.wall_s or 0) * one.gpus for one in ended)
    return (used + sum(mean_s * one.gpus for one in pending)) / 3600


def _searched(some: Sequence[Experiment]) -> list[Experiment]:
    return [one for one in some if one.role is not Role.CONFIRMATION]
