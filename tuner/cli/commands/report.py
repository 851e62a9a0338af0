"""`autotuner report`: a task's result, in a format to read or to hand on."""

import re
from pathlib import Path

import click

from tuner.cli.opened import with_tuner
from tuner.cli.output import write
from tuner.report.formats import FORMATS
from tuner.report.rendering import described


@click.command()
@click.argument("task")
@click.option(
    "--format", "kind", type=click.Choice(list(FORMATS)), default="table", show_default=True, help=described(FORMATS)
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here; - is standard output.",
    metavar="FILE",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def report(task: str, kind: str, output: Path | None, force: bool) -> None:
    """Report what TASK came to. Documents go into a file named after the task unless --output says otherwise."""
    result, form = with_tuner(lambda tuner: tuner.result(task)), FORMATS[kind]
    if output is None and form.document:
        output = Path(f"{_file_name(result.task_name)}.{form.suffix}")
    write(form.render(result), output, force=force)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report"
