"""A result as one HTML file: no script, nothing fetched, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuner.analysis import formatting
from tuner.analysis.result import Result
from tuner.analysis.verdict import Outcome
from tuner.domain import LoadPoint, Role, TaskState
from tuner.report import rows
from tuner.report.command import shell
from tuner.report.plots import plots
from tuner.spec import taskfile
from tuner.spec.objectives import Metric, Statistic

SHOWN = 100
"""Ranked experiments that are listed; the CSV has all of them."""
COMPARED: tuple[tuple[Metric, Statistic], ...] = (
    (Metric.OUTPUT_RATE, "mean"),
    (Metric.TTFT, "p90"),
    (Metric.TPOT, "mean"),
    (Metric.E2E, "p90"),
)
"""What the table of load levels shows of winner and baseline."""

CLASSES = {
    Outcome.PROVEN: "good",
    Outcome.DEFAULTS_BEST: "good",
    Outcome.NOTHING_COMPLETED: "bad",
    Outcome.INFEASIBLE: "bad",
    Outcome.FAILED_AGAIN: "bad",
    Outcome.SLO_MISSED_AGAIN: "bad",
    Outcome.WORSE_AGAIN: "bad",
}
"""Colours of the verdict; what is not here is unsure."""


@dataclass(frozen=True)
class LevelRow:
    """One load level of the winner beside the baseline's."""

    name: str
    operating: bool
    """The winner is judged here."""
    pairs: Sequence[tuple[str, str]]
    """(winner, baseline) per metric of `COMPARED`."""


def render(result: Result) -> str:
    loader = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {
        "percent": formatting.percent,
        "duration": formatting.duration,
        "text": rows.text,
        "markup": Markup,  # only for what `plots` drew: it escapes its labels
    }
    best = result.winner if result.winner is not None else result.nearest
    return page.get_template("report.html").render(
        result=result,
        verdict_class=CLASSES.get(result.verdict.outcome, "unsure"),
        plots=plots(result),
        names=rows.distinct(result),
        ranking=[one for one in result.standings if one.place is not None][:SHOWN],
        ranked=sum(one.place is not None for one in result.standings),
        failures=rows.failures(result).rows,
        levels=_levels(result),
        compared=[formatting.statistic(metric, which, short=True) for metric, which in COMPARED],
        command=shell(result.spec, result.experiment(best)) if best is not None else "",
        task_file=taskfile.dump(result.spec),
        confirmations=sum(one.role is Role.CONFIRMATION for one in result.experiments),
        cancelled=result.state is TaskState.CANCELLED,
        judged_at=rows.judged_at,
        quantity=formatting.quantity,
        statistic=formatting.statistic,
        aims=[formatting.aim(one) for one in result.objectives],
    )


def _levels(result: Result) -> list[LevelRow]:
    """Every load level of the winner, with the baseline's beside it where it has that level."""
    if result.winner is None or result.winner == result.baseline:
        return []
    winner = result.experiment(result.winner)
    baseline = result.experiment(result.baseline) if result.baseline is not None else None
    theirs = {point.name: point for point in baseline.points} if baseline else {}
    judged = {(point.scenario, point.concurrency) for score in winner.scores for point in score.points}
    return [
        LevelRow(
            name=point.name,
            operating=(point.scenario, point.concurrency) in judged,
            pairs=[(_cell(point, *one), _cell(theirs.get(point.name), *one)) for one in COMPARED],
        )
        for point in winner.points
    ]


def _cell(point: LoadPoint | None, metric: Metric, which: Statistic) -> str:
    value = point.at(metric, which, 1) if point is not None and point.valid else None
    return "–" if value is None else formatting.quantity(metric, value)
