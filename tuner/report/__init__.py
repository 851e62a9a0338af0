"""Results for people and for other programs. To add a format: write a module with `render`, list it here."""

from collections.abc import Callable
from importlib import import_module

from tuner.analysis.result import Result

Render = Callable[[Result], str | bytes]


def _in(module: str) -> Render:
    """Imports a format when it is first asked for: drawing libraries take longer to load than a table to print."""

    def render(result: Result) -> str | bytes:
        rendered: str | bytes = import_module(f"tuner.report.{module}").render(result)
        return rendered

    return render


FORMATS: dict[str, Render] = {
    "table": _in("table"),
    "json": _in("json_"),
    "csv": _in("csv_"),
    "xlsx": _in("xlsx"),
    "html": _in("html_"),
}

DOCUMENTS = ("xlsx", "html")
"""Formats that go into a file, not onto a terminal."""
