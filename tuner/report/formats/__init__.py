"""Formats of reports. To add one: write a module with `render` here, and list it in this table."""

from importlib import import_module

from tuner.analysis.result import Result
from tuner.report.rendering import Render, Rendering


def _late(name: str) -> Render:
    """The `render` of a module here that is imported when it is first used: drawing libraries are slow to load."""

    def render(result: Result) -> str | bytes:
        rendered: str | bytes = import_module(f"{__name__}.{name}").render(result)
        return rendered

    return render


FORMATS: dict[str, Rendering] = {
    "table": Rendering("Text table", "As the terminal shows it", "text/plain; charset=utf-8", "txt", _late("table")),
    "json": Rendering("JSON", "The whole result, for programs", "application/json", "json", _late("json")),
    "csv": Rendering(
        "CSV", "A line for each experiment and load level", "text/csv; charset=utf-8", "csv", _late("csv")
    ),
    "xlsx": Rendering(
        "Excel workbook",
        "Every experiment and every load level",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        _late("xlsx"),
        document=True,
    ),
    "html": Rendering(
        "HTML report",
        "One file with its pictures, to send to others",
        "text/html; charset=utf-8",
        "html",
        _late("html"),
        document=True,
    ),
}
