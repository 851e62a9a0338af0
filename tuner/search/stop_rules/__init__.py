"""When to measure no more, by name. A new rule is one file and one line here."""

from collections.abc import Sequence

from tuner.domain import Experiment
from tuner.protocols import StopRule
from tuner.search.stop_rules.budget import Budget, candidates, elapsed_s, experiments, gpu_hours
from tuner.spec.task import TaskSpec

STOP_RULES: dict[str, StopRule] = {
    "max_iterations": Budget(
        "optimization.max_iterations", "candidates", lambda task: task.optimization.max_iterations, candidates
    ),
    "max_experiments": Budget(
        "budget.max_experiments", "experiments", lambda task: task.budget.max_experiments, experiments
    ),
    "max_time": Budget("budget.max_time", "s", lambda task: task.budget.max_time, elapsed_s),
    "max_gpu_hours": Budget("budget.max_gpu_hours", "GPU hours", lambda task: task.budget.max_gpu_hours, gpu_hours),
}


def search_end(task: TaskSpec, history: Sequence[Experiment], pending: Sequence[Experiment]) -> str | None:
    """Why no further candidate is started: what the first rule says that has something against it."""
    said = (rule.ends_search(task, history, pending) for rule in STOP_RULES.values())
    return next((reason for reason in said if reason is not None), None)


def experiment_end(task: TaskSpec, history: Sequence[Experiment], experiment: Experiment) -> str | None:
    """Why the levels that are left of an experiment are not measured."""
    said = (rule.ends_experiment(task, history, experiment) for rule in STOP_RULES.values())
    return next((reason for reason in said if reason is not None), None)
