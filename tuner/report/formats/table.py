"""A result for the terminal: verdict, ranking, failures, and the command to run the winner."""

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tuner.analysis.formatting import aim, bound, duration, quantity, statistic
from tuner.analysis.gains import SLOVerdict, against
from tuner.analysis.notes import Note
from tuner.analysis.result import Bound, Result, Standing
from tuner.analysis.verdict import Outcome
from tuner.domain import Role, TaskState
from tuner.report import rows
from tuner.report.command import shell
from tuner.spec.objectives import Metric

SHOWN = 12
"""Ranked experiments that are listed; the baseline always is."""
SHOWN_FAILURES = 6
SHOWN_NOTES = 8
MOST_COLUMNS = 4
"""More varied parameters than this share one column."""
PIPE_WIDTH = 120

LONG_NAME = 10

COLOURS = {
    Outcome.PROVEN: "green",
    Outcome.DEFAULTS_BEST: "green",
    Outcome.NOTHING_COMPLETED: "red",
    Outcome.SLO_MISSED_AGAIN: "red",
    Outcome.FAILED_AGAIN: "red",
    Outcome.INFEASIBLE: "red",
}


def render(result: Result) -> str:
    """As wide as the terminal, in colour; 120 columns of plain text where the output is no terminal."""
    terminal = Console()
    out = Console(
        file=io.StringIO(),
        width=terminal.width if terminal.is_terminal else PIPE_WIDTH,
        force_terminal=terminal.is_terminal,
        highlight=False,
    )
    out.print(Group(*_parts(result)))
    for text in _winning_command(result):
        out.print(text, soft_wrap=True)  # a line that is broken, or cut at the edge, cannot be copied
    assert isinstance(out.file, io.StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def _parts(result: Result) -> list[RenderableType]:
    parts: list[RenderableType] = [_head(result), ""]
    if places := [one for one in result.standings if one.place is not None]:
        parts += [_ranking(result, places), *_left_out(result, places), ""]
    if result.verdict.gains:
        parts += [_gains(result), ""]
    if result.verdict.slos:
        parts += [_slos(result.verdict.slos), ""]
    if failed := [one for one in result.standings if one.place is None]:
        parts += [_failures(result, failed), ""]
    if result.notes:
        parts += [_to_know(result.notes), ""]
    if result.drift is not None:
        parts += [Text(result.drift.text, style="yellow" if result.drift.shown else "dim"), ""]
    parts.append(Text(result.verdict.text, style=f"bold {COLOURS.get(result.verdict.outcome, 'yellow')}"))
    return parts


def _winning_command(result: Result) -> list[RenderableType]:
    if result.winner is None or not (command := shell(result.spec, result.experiment(result.winner))):
        return []
    return ["", f"To run {rows.called(result)}:", Text(command, style="cyan")]


def _head(result: Result) -> Text:
    spec = result.spec
    head = Text.assemble(
        (result.task_name, "bold"), f" ({result.task_id})  {spec.base_runtime} · {spec.model.id_or_path}"
    )
    if result.simulated:
        head.append("  SIMULATED: the numbers say nothing about real hardware", style="bold magenta")
    head.append(f"\n{'; '.join(map(aim, result.objectives))}")
    for slo in result.slos:
        head.append(f" · {bound(slo)}")
    if not result.state.ended:
        head.append("\nThe task has not ended; this is the result so far.", style="yellow")
    if result.error and result.state is TaskState.FAILED:
        head.append(f"\nThe task failed: {result.error}", style="red")
    if result.state is TaskState.CANCELLED:
        head.append("\nThe task was cancelled; this is the result until then.", style="yellow")
    return head


def _ranking(result: Result, places: Sequence[Standing]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    names = rows.distinct(result)
    columns = names if len(names) <= MOST_COLUMNS else ["configuration"]
    for name in ("", "#", *columns):
        table.add_column(_halved(name), justify="right" if name == "#" else "left", overflow="fold")
    for objective in result.objectives:
        short = statistic(objective.metric, objective.statistic, short=True)
        for name in (short, "vs base"):
            table.add_column(name, justify="right", overflow="fold")
    load = result.spec.benchmark
    place = "at\nconcurrency" if len(load.traffic_scenarios) == 1 and load.num_concurrency else "at"
    table.add_column(place, justify="right", overflow="fold")
    for slo in result.slos:
        name = f"{statistic(slo.metric, slo.statistic, short=True)}\n≤ {duration(slo.threshold)}"
        table.add_column(name, justify="right", overflow="fold")
    for standing in places:
        if standing.place is not None and (standing.place <= SHOWN or standing.number == result.baseline):
            table.add_row(*_row(result, standing, names), style=_style(result, standing))
    return table


def _row(result: Result, standing: Standing, names: Sequence[str]) -> list[Text]:
    one = result.experiment(standing.number)
    mark = "best" if one.number == result.winner else "base" if one.role is Role.BASELINE else ""
    if mark == "best" and one.role is Role.BASELINE:
        mark = "best, base"
    flat = one.params.flat
    apart = [rows.text(flat[name]) if name in flat else "default" for name in names]
    cells = [mark, str(one.number), *(apart if len(names) <= MOST_COLUMNS else [rows.told_apart(one.params, names)])]
    for index, objective in enumerate(result.objectives):
        cells += [quantity(objective.metric, one.scores[index].value), _relative(standing, index, result)]
    cells.append(rows.judged_at(result, one))
    return [*map(Text, cells), *map(_bound, standing.bounds)]


def _style(result: Result, standing: Standing) -> str:
    if standing.number == result.winner:
        return "bold green" if result.verdict.proven or standing.number == result.baseline else "bold"
    return "" if standing.feasible or standing.role is Role.BASELINE else "dim"


def _relative(standing: Standing, index: int, result: Result) -> str:
    if standing.number == result.baseline or not standing.relative_to_baseline:
        return ""
    return rows.relative(standing, index)


def _bound(bound: Bound) -> Text:
    style = "" if bound.met else "yellow" if bound.verdict == "too_close" else "red"
    return Text(f"{duration(bound.actual_s)} {rows.held(bound)}", style=style)


def _halved(name: str) -> str:
    """A long name on two lines, broken at the dash nearest to its middle."""
    breaks = [place + 1 for place, letter in enumerate(name) if letter in "-_"]
    if len(name) <= LONG_NAME or not breaks:
        return name
    middle = min(breaks, key=lambda place: abs(place - len(name) / 2))
    return f"{name[:middle]}\n{name[middle:]}"


def _left_out(result: Result, places: Sequence[Standing]) -> list[RenderableType]:
    hidden = len([one for one in places if (one.place or 0) > SHOWN and one.role is not Role.BASELINE])
    more = f"… and {hidden:,} more; all of them: autotuner report {result.task_id} --format csv"
    return [Text(more, style="dim")] if hidden else []


def _gains(result: Result) -> Table:
    """Of the winner, and of the other contenders where they were measured again."""
    raced = [one for one in result.standings if one.against_baseline]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    title = "measured again, interleaved" if raced else "one measurement each, from the search: not confirmed"
    for name in (title, "#", "its values", "the baseline's", "better by (95 % interval)"):
        table.add_column(name, justify="left" if name == title else "right", overflow="fold")
    several = [(str(one.number), gain) for one in raced for gain in one.against_baseline]
    for number, gain in several or [(str(result.winner), gain) for gain in result.verdict.gains]:
        metric = gain.objective.metric
        table.add_row(
            statistic(metric, gain.objective.statistic),
            number,
            " · ".join(quantity(metric, value) for value in gain.winner),
            " · ".join(quantity(metric, value) for value in gain.baseline),
            against(gain),
        )
    return table


def _slos(slos: Sequence[SLOVerdict]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("SLO, measured again", "#", "limit", "actual (95 % interval)", ""):
        table.add_column(name, justify="left" if name.startswith("SLO") else "right")
    for one in slos:
        interval = f"{duration(one.actual_s)} ({duration(one.low_s)} to {duration(one.high_s)})"
        metric, _, which = one.name.rpartition(".")
        table.add_row(
            statistic(Metric(metric), which),
            str(one.experiment),
            duration(one.threshold_s),
            interval,
            rows.HELD[one.verdict],
        )
    return table


def _failures(result: Result, failed: Sequence[Standing]) -> RenderableType:
    broken = [one for one in failed if not one.scores]
    if not broken:
        return Text()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("failed", "configuration", "why"):
        table.add_column(name, overflow="fold")
    names = rows.distinct(result)
    for one in broken[:SHOWN_FAILURES]:
        what = rows.told_apart(one.params, names) + (f" (confirms {one.confirms})" if one.confirms is not None else "")
        table.add_row(Text(str(one.number)), Text(what), Text(one.reason or "", style="red"))
    more = len(broken) - SHOWN_FAILURES
    return Group(table, Text(f"… and {more:,} more", style="dim")) if more > 0 else table


def _to_know(notes: Sequence[Note]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("levels", justify="right")
    table.add_column("to know", overflow="fold")
    for note in notes[:SHOWN_NOTES]:
        table.add_row(str(note.levels), Text.assemble(note.text, (f" {note.where}", "dim")))
    if len(notes) > SHOWN_NOTES:
        table.add_row("…", Text(f"and {len(notes) - SHOWN_NOTES:,} more", style="dim"))
    return table
