"""Pictures of a result, drawn into the task's folder; the conversation gets the address and the numbers."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools.answers import shown
from tools.arguments import Ref
from tools.context import Runtime
from tools.tool import tool
from tuner.analysis.formatting import number, quantity
from tuner.analysis.gains import against
from tuner.analysis.result import Result
from tuner.domain import Experiment, LoadPoint
from tuner.errors import NotFoundError
from tuner.report import rows
from tuner.spec.objectives import Metric
from tuner.spec.values import Frozen

if TYPE_CHECKING:
    from tuner.report.plots import Plot

MOST_ROWS = 30
MOST_CURVES = 4
"""Configurations whose numbers are told, besides the baseline; the picture shows more."""

Chart = Literal[
    "throughput-against-latency",
    "objective-against-concurrency",
    "course-of-the-search",
    "objectives-against-each-other",
    "effect-of-each-parameter",
    "measured-again-against-the-baseline",
]


class Numbers(Frozen):
    """What the picture shows, so that it can be spoken of."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shown: str


class PlotAnswer(Frozen):
    task: str
    title: str
    caption: str
    url: str
    """Where the service that this conversation runs in has the picture."""
    others: tuple[str, ...]
    """Charts that this task also has."""
    numbers: Numbers


@tool
async def plot(
    runtime: Runtime,
    task: Ref,
    chart: Annotated[
        Chart,
        Field(
            description="Objectives against each other: only for tasks with several. Measured again: only after that."
        ),
    ] = "throughput-against-latency",
) -> PlotAnswer:
    """Draw a chart of a task's result. The answer has its address, which shows as a picture in the conversation when
    written as Markdown, and the plotted numbers.

    Use it when a picture says more than a table, or when the user asks for one. Takes about a second.
    """
    tuner = runtime.context.tuner
    result = await tuner.result(task)
    drawn, others = await asyncio.to_thread(_draw, result, chart, folder(tuner.settings.runs(result.task_id)))
    return PlotAnswer(
        task=result.task_id,
        title=drawn.title,
        caption=drawn.caption,
        url=f"/api/tasks/{result.task_id}/plots/{drawn.name}.svg",
        others=others,
        numbers=_numbers(result, chart),
    )


def folder(run: Path) -> Path:
    """Where a task's pictures are."""
    return run / "plots"


def _draw(result: Result, chart: Chart, into: Path) -> "tuple[Plot, tuple[str, ...]]":
    """Draws a picture and keeps it: others read the old one or the new one, never a part."""
    from tuner.report import plots, svg  # the drawing library takes a second to load, which only who draws should wait

    there = {one.name: one for one in plots.plots(result)}
    if chart not in there:
        what = f"there are {', '.join(there)}" if there else "nothing was measured yet"
        raise NotFoundError(f"Task {result.task_id} has no chart {chart!r}; {what}.")
    into.mkdir(parents=True, exist_ok=True)
    unfinished = into / f".{chart}.{os.getpid()}.{id(result)}"
    unfinished.write_text(svg.standalone(there[chart].svg), "utf-8")
    unfinished.replace(into / f"{chart}.svg")
    return there[chart], tuple(name for name in there if name != chart)


def _numbers(result: Result, chart: Chart) -> Numbers:
    match chart:
        case "throughput-against-latency" | "objective-against-concurrency":
            columns, found = _levels(result)
        case "course-of-the-search":
            columns, found = _course(result)
        case "objectives-against-each-other":
            columns, found = _objectives(result)
        case "effect-of-each-parameter":
            columns, found = _effects(result)
        case "measured-again-against-the-baseline":
            columns, found = _raced(result)
    kept = found[:MOST_ROWS]
    return Numbers(columns=columns, rows=tuple(kept), shown=shown(len(kept), len(found)))


Rows = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]


def _levels(result: Result) -> Rows:
    best = [one.number for one in result.standings if one.place is not None and one.place <= MOST_CURVES]
    chosen = [*best, *([result.baseline] if result.baseline is not None and result.baseline not in best else [])]
    cells = [
        (f"{number}{_mark(result, number)}", point.name, *_level(point))
        for number in chosen
        for point in result.experiment(number).points
        if point.valid
    ]
    return ("experiment", "load level", "output tokens/s", "TTFT p90", "TPOT mean", "latency p90"), cells


def _level(point: LoadPoint) -> tuple[str, ...]:
    times = [point.at(Metric.TTFT, "p90", 0), point.at(Metric.TPOT, "mean", 0), point.at(Metric.E2E, "p90", 0)]
    return (number(point.output_tokens_per_s), *("" if one is None else quantity(Metric.TTFT, one) for one in times))


def _course(result: Result) -> Rows:
    """The experiments that raised the best so far, then the rest in their order."""
    objective = result.objectives[0]
    cells, best = [], None
    for one in result.experiments:
        if not one.scores or one.confirms is not None:
            continue
        value = one.scores[0].value
        better = one.feasible and (best is None or (value > best) == (objective.direction == "maximize"))
        best = value if better else best
        cells.append(
            (
                f"{one.number}{_mark(result, one.number)}",
                quantity(objective.metric, value),
                "best so far" if better else "" if one.feasible else "misses a hard SLO",
            )
        )
    ordered = [cell for cell in cells if cell[2] == "best so far"] + [c for c in cells if c[2] != "best so far"]
    return ("experiment", rows.column(objective.metric, objective.statistic), "note"), ordered


def _objectives(result: Result) -> Rows:
    names = tuple(rows.column(one.metric, one.statistic) for one in result.objectives)
    on_front = [result.experiment(one) for one in result.front]
    rest = [one for one in result.experiments if one.scores and one.confirms is None and one.number not in result.front]
    cells = [(*_values(result, one), "yes" if one.number in result.front else "") for one in (*on_front, *rest)]
    return ("experiment", *names, "on the Pareto front"), cells


def _values(result: Result, one: Experiment) -> tuple[str, ...]:
    pairs = zip(result.objectives, one.scores, strict=True)
    return (
        f"{one.number}{_mark(result, one.number)}",
        *(quantity(objective.metric, score.value) for objective, score in pairs),
    )


def _effects(result: Result) -> Rows:
    cells = [
        (
            effect.name,
            "" if effect.importance is None else f"{100 * effect.importance:.0f} %",
            rows.text(value.value),
            "all failed" if value.relative is None else f"{100 * value.relative:.0f} %",
            str(value.experiments),
        )
        for effect in result.effects
        for value in effect.values
    ]
    return ("parameter", "explains", "value", "of the best score", "experiments"), cells


def _raced(result: Result) -> Rows:
    cells = [
        (
            f"{one.number}{_mark(result, one.number)}",
            *(rows.column(gain.objective.metric, gain.objective.statistic), against(gain), str(len(gain.winner))),
        )
        for one in result.standings
        for gain in one.against_baseline
    ]
    return ("experiment", "objective", "better than the baseline by (95 % interval)", "measurements"), cells


def _mark(result: Result, number: int) -> str:
    if number == result.winner:
        return " (winner)" if result.verdict.proven or number == result.baseline else " (best measured)"
    return " (baseline)" if number == result.baseline else ""


READ = (plot,)
