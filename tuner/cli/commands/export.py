"""`autotuner export`: the best configuration, to be used elsewhere."""

import asyncio
from pathlib import Path

import click

from tuner.analysis.result import Result
from tuner.cli.output import write
from tuner.report.artifacts import ARTIFACTS
from tuner.report.rendering import described
from tuner.service import Tuner
from tuner.settings import Settings


@click.command()
@click.argument("task")
@click.option(
    "--as",
    "kind",
    type=click.Choice(list(ARTIFACTS)),
    default="command",
    show_default=True,
    help=described(ARTIFACTS),
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here.", metavar="FILE")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def export(task: str, kind: str, output: Path | None, force: bool) -> None:
    """Write the best configuration of TASK to be used elsewhere, or TASK itself as a task file."""

    async def go() -> Result:
        async with Tuner.open(Settings()) as tuner:
            return await tuner.result(task)

    write(ARTIFACTS[kind].render(asyncio.run(go())), output, force=force)
