"""A result as one HTML file: no script, nothing fetched, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuner.analysis import formatting
from tuner.analysis.gains import Gain, against, differs
from tuner.analysis.result import Result
from tuner.analysis.score import geometric_mean
from tuner.analysis.verdict import Outcome
from tuner.analysis.wording import slo_sentence
from tuner.domain import Experiment, LoadPoint, Role, TaskState
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
class Figure:
    """An objective of the winner beside the baseline's."""

    name: str
    change: str
    """`+13 %`, or that none is shown."""
    interval: str
    winner: str
    baseline: str
    measured: str


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
        figures=list(map(_figure, result.verdict.gains)),
        raced=[(one, gain) for one in result.standings for gain in one.against_baseline],
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
        held=rows.held,
        relative=rows.relative,
        called=rows.called(result),
        against=against,
        slo_sentence=slo_sentence,
        HELD=rows.HELD,
        load=formatting.load(result.spec.benchmark),
        quantity=formatting.quantity,
        statistic=formatting.statistic,
        aims=[formatting.aim(one) for one in result.objectives],
    )


def _figure(gain: Gain) -> Figure:
    objective, count = gain.objective, min(len(gain.winner), len(gain.baseline))
    ours, theirs = (formatting.quantity(objective.metric, geometric_mean(v)) for v in (gain.winner, gain.baseline))
    known = gain.low is not None and gain.high is not None
    ends = [formatting.percent(end, signed=True) for end in (gain.low, gain.high) if end is not None]
    shown = known and differs(gain) and gain.gain is not None
    return Figure(
        name=formatting.statistic(objective.metric, objective.statistic),
        change=formatting.percent(gain.gain or 0.0, signed=True)
        if shown
        else "no difference shown"
        if known
        else "not confirmed",
        interval=f"95 % interval {' to '.join(ends)}, better is above 0" if known else "measured once each",
        winner=ours,
        baseline=theirs,
        measured=f"mean of {count}" if gain.fresh else "one measurement",
    )


def _levels(result: Result) -> list[LevelRow]:
    """Every load level of the winner, with the baseline's beside it where it has that level."""
    if result.winner is None or result.winner == result.baseline:
        return []
    winner = result.experiment(result.winner)
    baseline = result.experiment(result.baseline) if result.baseline is not None else None
    ours, theirs = _points(result, winner), _points(result, baseline)
    judged = {point.level for score in winner.scores for point in score.points}
    return [
        LevelRow(
            name=point.name,
            operating=point.level in judged,
            pairs=[
                (_cell(ours.get(point.name, []), *one), _cell(theirs.get(point.name, []), *one)) for one in COMPARED
            ],
        )
        for point in winner.points
    ]


def _points(result: Result, one: Experiment | None) -> dict[str, list[LoadPoint]]:
    """The fresh measurements of a configuration by load level, or the one of the search where there are none."""
    if one is None:
        return {}
    found: dict[str, list[LoadPoint]] = {}
    for other in [other for other in result.experiments if other.confirms == one.number] or [one]:
        for point in other.points:
            found.setdefault(point.name, []).append(point)
    return found


def _cell(points: Sequence[LoadPoint], metric: Metric, which: Statistic) -> str:
    """The mean, and from where to where."""
    values = [value for one in points if one.valid and (value := one.at(metric, which, 1)) is not None]
    if not values:
        return "–"
    mean, ends = geometric_mean(values), [formatting.quantity(metric, end) for end in (min(values), max(values))]
    text = formatting.quantity(metric, mean)
    return text if ends[0] == ends[1] else f"{text} ({ends[0]} to {ends[1]})"
