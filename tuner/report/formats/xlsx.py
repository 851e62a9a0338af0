"""A result as an Excel workbook: summary, experiments, load levels, failures, notes."""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tuner.analysis.formatting import aim, described, percent, statistic
from tuner.analysis.gains import against
from tuner.analysis.result import Result
from tuner.analysis.score import geometric_mean
from tuner.analysis.wording import slo_sentence
from tuner.report import rows
from tuner.report.command import shell
from tuner.report.rows import Cell, Rows

MOST_CHARACTERS = 32_767
"""Excel's limit of a cell."""
WIDEST = 60


def render(result: Result) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    _summary(book.create_sheet("Summary"), result)
    for title, table in (
        ("Experiments", rows.experiments(result)),
        ("Levels", rows.levels(result)),
        ("Failures", rows.failures(result)),
        ("To know", rows.notes(result)),
    ):
        _table(book.create_sheet(title), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def summary(result: Result) -> list[tuple[str, Cell]]:
    """What the first sheet says, line by line."""
    spec = result.spec
    lines: list[tuple[str, Cell]] = [
        ("Task", result.task_name),
        ("Task id", result.task_id),
        ("State", result.state),
        ("Result", result.verdict.text),
        ("Engine", f"{spec.base_runtime}{' (simulated)' if result.simulated else ''}"),
        ("Model", spec.model.id_or_path),
        ("Objective", "; ".join(map(aim, result.objectives))),
        ("Experiments", len(result.experiments)),
        ("Baseline", result.baseline),
        ("Winner", result.winner),
    ]
    if result.winner is not None:
        winner = result.experiment(result.winner)
        lines += [(f"Winner: {name}", value) for name, value in winner.params.flat.items()]
        for objective, score in zip(result.objectives, winner.scores, strict=True):
            lines.append(("Winner: measured in the search", described(objective, score.value)))
        lines += [("Winner: operating point", rows.operating_point(winner))]
        lines += [("Winner: command", shell(result.spec, winner))]
    lines += [("Proven", result.verdict.proven), ("Verdict", result.verdict.headline)]
    for gain in result.verdict.gains:
        name = statistic(gain.objective.metric, gain.objective.statistic)
        shown = "Gain" if gain.shown and result.verdict.proven else "Difference, not proven"
        lines.append((f"{shown}: {name}", against(gain) if gain.fresh else f"{against(gain)}, measured once each"))
        for which, values in (("Winner", gain.winner), ("Baseline", gain.baseline)):
            lines.append((f"{which}: mean of {len(values)}", described(gain.objective, geometric_mean(values))))
    for one in result.verdict.slos:
        lines.append((f"SLO of experiment {one.experiment}", f"{slo_sentence(one)}: {rows.HELD[one.verdict]}"))
    if result.noise is not None:
        lines.append(("Noise from run to run", percent(result.noise)))
    if result.verdict.visible_gain is not None:
        lines.append(("Gain that could be seen", percent(result.verdict.visible_gain)))
    if result.drift is not None:
        lines.append(("Drift", result.drift.text))
    if result.error:
        lines.append(("Error", result.error))
    return lines


def _summary(sheet: Worksheet, result: Result) -> None:
    for row, (name, value) in enumerate(summary(result), 1):
        _put(sheet, row, 1, name, Font(bold=True))
        _put(sheet, row, 2, value, None)
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
    sheet.column_dimensions["A"].width = 36
    sheet.column_dimensions["B"].width = 100


def _table(sheet: Worksheet, table: Rows) -> None:
    bold = Font(bold=True)
    for column, name in enumerate(table.header, 1):
        _put(sheet, 1, column, name, bold)
    for row, cells in enumerate(table.rows, 2):
        for column, cell in enumerate(cells, 1):
            _put(sheet, row, column, cell, None)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.header))}{max(2, len(table.rows) + 1)}"
    for column, width in enumerate(_widths(table), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _put(sheet: Worksheet, row: int, column: int, value: Cell, font: Font | None) -> None:
    """Text stays text, also where it begins like a formula."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:MOST_CHARACTERS]
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
    else:
        cell.value = value
        if isinstance(value, float):
            cell.number_format = "0.0000" if abs(value) < 10 else "#,##0.0"
    if font is not None:
        cell.font = font


def _widths(table: Rows) -> Sequence[float]:
    columns = zip(table.header, *table.rows, strict=True)
    return [min(WIDEST, 2 + max(len(_shown(cell)) for cell in column)) for column in columns]


def _shown(cell: Cell) -> str:
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell or "")
