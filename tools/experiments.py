"""Experiments of a task: a table, one in full, several side by side."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tools.answers import Row, row, sentence, shown
from tools.arguments import Limit, Number, Offset, Ref
from tools.context import Runtime
from tools.tool import tool
from tools.untrusted import Quoted, quoted
from tuner.analysis.effects import varied
from tuner.analysis.formatting import aim, duration, number, percent, quantity
from tuner.analysis.notes import of_level
from tuner.analysis.result import Result
from tuner.domain import Experiment, ExperimentState, LoadPoint, Role
from tuner.errors import FailureKind, NotFoundError
from tuner.report import rows
from tuner.report.command import shell
from tuner.spec.objectives import Metric
from tuner.spec.values import Frozen, Value

MOST_LEVELS = 24
"""Load levels of one experiment in an answer."""

MOST_NOTES = 6
"""Of a load level in an answer."""


class Table(Frozen):
    task: str
    objectives: tuple[str, ...]
    shown: str
    experiments: tuple[Row, ...]


class LevelLine(Frozen):
    """One load level as measured."""

    level: str
    output_tokens_per_s: str | None = None
    requests_per_s: str | None = None
    ttft_p90: str | None = None
    tpot_mean: str | None = None
    latency_p90: str | None = None
    requests: int | None = None
    failed: int | None = None
    unanswered: int | None = None
    """Of the failed ones, those that were never answered."""
    failure: FailureKind | None = None
    """The level does not count."""
    steady: bool | None = None
    """False: the numbers need not be those of the level's steady state."""
    cold_ttft_p90: str | None = None
    """Of the first requests, which are not measured."""
    notes: tuple[str, ...] = ()
    """What to know of the numbers; tell it with them."""


class ExperimentAnswer(Frozen):
    task: str
    summary: Row
    confirms: int | None = None
    attempt: int
    parameters: dict[str, Value]
    """All of them; what is not named is the engine's default."""
    gpus: int
    started_at: datetime
    ready_after: str | None = None
    took: str | None = None
    command: str | None = None
    """On port 8000 instead of the one it had."""
    shown: str
    levels: tuple[LevelLine, ...]
    reason: Quoted | None = None
    """Why it failed, in the engine's words."""


class Difference(Frozen):
    """One load level in every experiment that is compared, in the order asked for."""

    level: str
    output_tokens_per_s: tuple[str, ...]
    ttft_p90: tuple[str, ...]
    tpot_mean: tuple[str, ...]
    latency_p90: tuple[str, ...]


class Comparison(Frozen):
    task: str
    objectives: tuple[str, ...]
    parameters: dict[str, tuple[Value, ...]]
    """Those that differ, a value per experiment; `default`: not set there."""
    experiments: tuple[Row, ...]
    against_first: tuple[str, ...]
    """The first objective's value against the first experiment's."""
    shown: str
    levels: tuple[Difference, ...]
    verdict: str


@tool
async def list_experiments(
    runtime: Runtime,
    task: Ref,
    state: Annotated[ExperimentState | None, Field(description="Only experiments in this state.")] = None,
    role: Annotated[Role | None, Field(description="Only baseline, candidates, or confirmations.")] = None,
    order: Annotated[Literal["best", "number"], Field(description="Best first, or as they were run.")] = "best",
    limit: Limit = 20,
    offset: Offset = 0,
) -> Table:
    """The experiments of a task as a table: parameters, objective, gain over the baseline, SLOs, kind of failure.

    Use it to see more than the winner. Costs nothing. get_experiment has one in full, compare_experiments a few.
    """
    result = await runtime.context.tuner.result(task)
    found = [
        one
        for one in _ordered(result, order)
        if (state is None or one.state is state) and (role is None or one.role is role)
    ]
    page, names = found[offset : offset + limit], rows.distinct(result)
    return Table(
        task=result.task_id,
        objectives=tuple(map(aim, result.objectives)),
        shown=shown(len(page), len(found), offset),
        experiments=tuple(row(result, one, names) for one in page),
    )


@tool(untrusted=True)
async def get_experiment(runtime: Runtime, task: Ref, experiment: Number) -> ExperimentAnswer:
    """One experiment in full: every parameter, the command, each load level as measured, and why it failed.

    Use it for the numbers behind a row of list_experiments. Costs nothing. Its log is in get_experiment_logs.
    """
    result = await runtime.context.tuner.result(task)
    one = _experiment(result, experiment)
    levels = tuple(map(_level, one.points[:MOST_LEVELS]))
    return ExperimentAnswer(
        task=result.task_id,
        summary=row(result, one),
        confirms=one.confirms,
        attempt=one.attempt,
        parameters=one.params.flat,
        gpus=one.gpus,
        started_at=one.started_at,
        ready_after=None if one.start_s is None else duration(one.start_s),
        took=None if one.wall_s is None else duration(one.wall_s),
        command=shell(result.spec, one) or None,
        shown=shown(len(levels), len(one.points)),
        levels=levels,
        reason=_reason(result, one),
    )


@tool
async def compare_experiments(
    runtime: Runtime,
    task: Ref,
    experiments: Annotated[
        tuple[Number, ...], Field(min_length=2, max_length=6, description="Numbers of 2 to 6 experiments of the task.")
    ],
) -> Comparison:
    """Experiments of one task side by side: what differs in their parameters, objective and SLOs, and every load level.

    Use it for "why is this one better than that one", most often the winner and 0, the baseline. Costs nothing.
    """
    result = await runtime.context.tuner.result(task)
    chosen = [_experiment(result, number) for number in experiments]
    names = varied(chosen)
    levels = list(dict.fromkeys(point.name for one in chosen for point in one.points))
    return Comparison(
        task=result.task_id,
        objectives=tuple(map(aim, result.objectives)),
        parameters={name: tuple(one.params.flat.get(name, "default") for one in chosen) for name in names},
        experiments=tuple(row(result, one, []) for one in chosen),
        against_first=_against_first(chosen),
        shown=shown(len(levels[:MOST_LEVELS]), len(levels)),
        levels=tuple(_difference(name, chosen) for name in levels[:MOST_LEVELS]),
        verdict=sentence(result),
    )


def _ordered(result: Result, order: str) -> list[Experiment]:
    if order == "number":
        return list(result.experiments)
    numbered = {one.number: one for one in result.experiments}
    judged = [numbered[standing.number] for standing in result.standings]
    return [*(one for one in result.experiments if one.state is ExperimentState.RUNNING), *judged]


def _experiment(result: Result, wanted: int) -> Experiment:
    for one in result.experiments:
        if one.number == wanted:
            return one
    last = max((one.number for one in result.experiments), default=None)
    there = "it has none yet" if last is None else f"it has 0 to {last}"
    raise NotFoundError(f"Task {result.task_id} has no experiment {wanted}; {there}.")


def _level(point: LoadPoint) -> LevelLine:
    if not point.valid:
        return LevelLine(level=point.name, failure=point.failure)
    return LevelLine(
        level=point.name,
        output_tokens_per_s=number(point.output_tokens_per_s),
        requests_per_s=number(point.requests_per_s),
        ttft_p90=_time(point, Metric.TTFT, "p90"),
        tpot_mean=_time(point, Metric.TPOT, "mean"),
        latency_p90=_time(point, Metric.E2E, "p90"),
        requests=point.requests,
        failed=point.failed or None,
        unanswered=point.unanswered or None,
        steady=point.steady,
        cold_ttft_p90=duration(point.cold.ttft.p90) if point.cold and point.cold.ttft else None,
        notes=tuple(of_level(point))[:MOST_NOTES],
    )


def _time(point: LoadPoint, metric: Metric, statistic: Literal["mean", "p90"]) -> str | None:
    value = point.at(metric, statistic, 0)
    return None if value is None else quantity(metric, value)


def _difference(name: str, chosen: list[Experiment]) -> Difference:
    """An empty text where an experiment has no such level, or one that does not count."""
    points = [next((point for point in one.points if point.name == name and point.valid), None) for one in chosen]
    shown = [None if point is None else _level(point) for point in points]
    cells = {
        field: tuple((getattr(level, field) or "") if level else "" for level in shown)
        for field in Difference.model_fields
        if field != "level"
    }
    return Difference(level=name, **cells)


def _against_first(chosen: list[Experiment]) -> tuple[str, ...]:
    first = chosen[0].scores[0].value if chosen[0].scores else 0.0
    return tuple(
        percent(one.scores[0].value / first - 1, signed=True) if one.scores and first > 0 else "" for one in chosen
    )


def _reason(result: Result, one: Experiment) -> Quoted | None:
    standing = next((standing for standing in result.standings if standing.number == one.number), None)
    said = [standing.reason] if standing and standing.reason else []
    said += one.failure.lines if one.failure else ()
    said += [f"{point.name}: {point.error}" for point in one.points if point.error and one.failure is None]
    if not said:
        return None
    return quoted("\n".join(said), f"task {result.task_id}, experiment {one.number}, engine", limit=3_000)


READ = (list_experiments, get_experiment, compare_experiments)
