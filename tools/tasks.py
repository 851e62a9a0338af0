"""Tasks as they stand: the list, and one of them in full."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, JsonValue

from tools.answers import Row, row, sentence, shown
from tools.arguments import Limit, Offset, Ref
from tools.context import Runtime
from tools.tool import tool
from tuner.analysis.formatting import aim, duration, statistic
from tuner.analysis.result import Result
from tuner.domain import Experiment, ExperimentState, Role, Task, TaskState
from tuner.errors import TunerError
from tuner.report.command import shell
from tuner.runner.plan import PlanSummary
from tuner.service import Tuner
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen, Value

MOST_VALUES, MOST_TEXT = 24, 500
"""Of a task's own words in an answer."""


class TaskLine(Frozen):
    id: str
    name: str
    state: TaskState
    engine: str
    model: str
    created_at: datetime
    completed: int
    failed: int
    """Experiments."""
    gain_percent: float | None = None
    """Of the winner over the baseline."""


class TaskList(Frozen):
    shown: str
    tasks: tuple[TaskLine, ...]


class Current(Frozen):
    """The experiment that runs now."""

    experiment: int
    role: Role
    attempt: int
    parameters: dict[str, Value]
    running: str
    """For how long."""


class TaskProgress(Frozen):
    done: int
    """Experiments that ended."""
    at_most: int | None = None
    """Experiments in all; unknown where the task can no longer be planned."""
    running: Current | None = None
    mean_experiment: str | None = None
    guessed_left: str | None = None
    """The mean so far times the experiments left."""


class TaskAnswer(Frozen):
    id: str
    name: str
    state: TaskState
    engine: str
    model: str
    simulated: bool | None = None
    """The numbers are of the simulated engine and say nothing about real hardware."""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    objectives: tuple[str, ...]
    slos: tuple[str, ...]
    completed: int
    failed: dict[str, int]
    """Experiments by kind of failure."""
    progress: TaskProgress | None = None
    verdict: str | None = None
    """While the task runs: so far."""
    best: Row | None = None
    """The winner; where nothing holds the SLOs, what misses them by least."""
    command: str | None = None
    """Serves the winner, on port 8000."""
    spec: dict[str, JsonValue]
    """The task as it was written, without defaults."""
    note: str | None = None


@tool
async def list_tasks(
    runtime: Runtime,
    state: Annotated[TaskState | None, Field(description="Only tasks in this state.")] = None,
    text: Annotated[str | None, Field(max_length=200, description="A part of the name, the model or the id.")] = None,
    engine: Annotated[str | None, Field(max_length=200, description="Only tasks of this engine.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> TaskList:
    """List tuning tasks, newest first: id, name, state, engine, model, experiments so far, and the gain where one
    is proven.

    Use it to find a task that the user speaks of without its id, or for an overview. Costs nothing.
    """
    page, total = await runtime.context.tuner.tasks(state=state, text=text, engine=engine, limit=limit, offset=offset)
    return TaskList(
        shown=shown(len(page), total, offset),
        tasks=tuple(
            TaskLine(
                **{name: getattr(one, name) for name in TaskLine.model_fields if name != "gain_percent"},
                gain_percent=None if one.gain is None else round(100 * one.gain, 1),
            )
            for one in page
        ),
    )


@tool
async def get_task(runtime: Runtime, task: Ref) -> TaskAnswer:
    """One task: its state, progress and best configuration so far; once it has ended the verdict, the winner's
    parameters, the load level it is judged at, its margin to each SLO, and the command that serves it.

    Use it whenever the user asks how a task is doing or what came out. Costs nothing. For why it came out so, use
    explain_result; for all experiments, list_experiments.
    """
    tuner = runtime.context.tuner
    found = await tuner.task(task)
    result = await tuner.result(found.id)
    spec = found.spec
    ended = [one for one in result.experiments if one.state is not ExperimentState.RUNNING]
    number = result.winner if result.winner is not None else result.nearest
    best = None if number is None else result.experiment(number)
    return TaskAnswer(
        id=found.id,
        name=spec.task_name,
        state=found.state,
        engine=spec.base_runtime,
        model=spec.model.id_or_path,
        simulated=result.simulated or None,
        created_at=found.created_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
        objectives=tuple(map(aim, result.objectives)),
        slos=tuple(
            f"{statistic(slo.metric, slo.statistic)} ≤ {duration(slo.threshold)} ({'hard' if slo.hard else 'soft'})"
            for slo in result.slos
        ),
        completed=sum(one.failure is None for one in ended),
        failed=_failures(ended),
        progress=None if found.state.ended else await _progress(tuner, found, result),
        verdict=sentence(result) if ended else None,
        best=None if best is None else row(result, best, list(best.params.flat)),
        command=shell(result.spec, result.experiment(result.winner)) if result.winner is not None else None,
        spec=_written(spec),
        note=_note(found),
    )


def _written(spec: TaskSpec) -> dict[str, JsonValue]:
    written: dict[str, JsonValue] = spec.model_dump(mode="json", exclude_defaults=True)
    # A range without its type could not be written into another task.
    written |= spec.model_dump(mode="json", exclude_none=True, include={"parameters", "environment"})
    return {name: _short(value) for name, value in written.items() if value not in ({}, [])}


def _short(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {name: _short(inner) for name, inner in value.items()}
        case list() if len(value) > MOST_VALUES:
            return f"{len(value):,} values from {value[0]} to {value[-1]}"
        case list():
            return [_short(inner) for inner in value]
        case str() if len(value) > MOST_TEXT:
            return f"{value[:MOST_TEXT]}…"
        case _:
            return value


def _failures(ended: list[Experiment]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for one in ended:
        if one.failure is not None:
            kinds[one.failure.kind.value] = kinds.get(one.failure.kind.value, 0) + 1
    return kinds


async def _progress(tuner: Tuner, task: Task, result: Result) -> TaskProgress:
    plan = await _plan(tuner, task)
    done = [one for one in result.experiments if one.state is not ExperimentState.RUNNING]
    running = [one for one in result.experiments if one.state is ExperimentState.RUNNING]
    current = running[-1] if running else None  # the one that was started last
    times = [one.wall_s for one in done if one.wall_s is not None]
    mean_s = sum(times) / len(times) if times else None
    since_s = (datetime.now(UTC) - current.started_at).total_seconds() if current else 0.0
    left_s = None
    if mean_s is not None and plan is not None:
        left_s = max(0.0, (plan.expected - len(done)) * mean_s - min(since_s, mean_s)) / max(1, len(running))
    return TaskProgress(
        done=len(done),
        at_most=plan.experiments if plan else None,
        running=None
        if current is None
        else Current(
            experiment=current.number,
            role=current.role,
            attempt=current.attempt,
            parameters=current.params.flat,
            running=duration(since_s),
        ),
        mean_experiment=None if mean_s is None else duration(mean_s),
        guessed_left=None if left_s is None else duration(left_s),
    )


async def _plan(tuner: Tuner, task: Task) -> PlanSummary | None:
    try:
        return (await tuner.plan(task.spec)).summary()  # without the noise of past tasks: it changes no count
    except TunerError:  # its model or its engine has gone since: the rest of the answer stands
        return None


def _note(task: Task) -> str | None:
    match task.state:
        case TaskState.CREATED:
            return "A draft: nothing runs before start_task."
        case TaskState.FAILED:
            return "The task failed; explain_result says why. resume_task goes on with it."
        case TaskState.CANCELLED:
            return "Cancelled: this is the result until then. resume_task goes on with it."
        case _:
            return None


READ = (list_tasks, get_task)
