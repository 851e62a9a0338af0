"""`autotuner export`: the best configuration, to be used elsewhere."""

from pathlib import Path

import click

from tuner.cli.opened import with_tuner
from tuner.cli.output import write
from tuner.report.artifacts import ARTIFACTS
from tuner.report.rendering import described


@click.command()
@click.argument("task")
@click.option(
    "--as", "kind", type=click.Choice(list(ARTIFACTS)), default="command", show_default=True, help=described(ARTIFACTS)
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here.", metavar="FILE")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def export(task: str, kind: str, output: Path | None, force: bool) -> None:
    """Write the best configuration of TASK to be used elsewhere, or TASK itself as a task file."""
    result = with_tuner(lambda tuner: tuner.result(task))
    write(ARTIFACTS[kind].render(result), output, force=force)
