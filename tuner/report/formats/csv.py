"""A result as CSV: a row for every experiment and load level."""

import csv
import io

from tuner.analysis.result import Result
from tuner.report import rows
from tuner.report.rows import Cell


def render(result: Result) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets themselves do."""
    table = rows.levels(result)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_inert(name) for name in table.header])
    writer.writerows([_inert(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def _inert(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
