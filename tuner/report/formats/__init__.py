"""Formats of reports. To add one: write a module with `render` here, and list it in this table."""

from tuner.report.rendering import Rendering, module

FORMATS: dict[str, Rendering] = {
    "table": Rendering(
        name="table",
        title="Text table",
        description="As the terminal shows it",
        media_type="text/plain; charset=utf-8",
        suffix="txt",
        render=module("tuner.report.formats.table"),
    ),
    "json": Rendering(
        name="json",
        title="JSON",
        description="The whole result, for programs",
        media_type="application/json",
        suffix="json",
        render=module("tuner.report.formats.json"),
    ),
    "csv": Rendering(
        name="csv",
        title="CSV",
        description="A line for each experiment and load level",
        media_type="text/csv; charset=utf-8",
        suffix="csv",
        render=module("tuner.report.formats.csv"),
    ),
    "xlsx": Rendering(
        name="xlsx",
        title="Excel workbook",
        description="Every experiment and every load level",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        suffix="xlsx",
        render=module("tuner.report.formats.xlsx"),
        document=True,
    ),
    "html": Rendering(
        name="html",
        title="HTML report",
        description="One file with its pictures, to send to others",
        media_type="text/html; charset=utf-8",
        suffix="html",
        render=module("tuner.report.formats.html"),
        document=True,
    ),
}
