"""`autotuner logs`: print an experiment's log, or follow it."""

import asyncio
from pathlib import Path

import click

from tuner.logs.searching import MOST_LINES
from tuner.service import Tuner
from tuner.settings import Settings


@click.command()
@click.argument("task")
@click.option("--experiment", type=click.IntRange(min=0), help="Its number; by default the newest.")
@click.option("--benchmark", is_flag=True, help="The load generator's log instead of the engine's.")
@click.option(
    "--lines",
    type=click.IntRange(1, MOST_LINES, clamp=True),
    default=200,
    show_default=True,
    help="How much of its end.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on until the task ends.")
def logs(task: str, experiment: int | None, benchmark: bool, lines: int, follow: bool) -> None:
    """Print the log of an experiment of TASK."""

    async def go() -> None:
        async with Tuner.open(Settings()) as tuner:
            if follow:
                await _follow(tuner, task, experiment, benchmark, lines)
            else:
                for line in (await tuner.logs(task, experiment, benchmark=benchmark, lines=lines)).lines:
                    click.echo(line)

    asyncio.run(go())


async def _follow(tuner: Tuner, task: str, experiment: int | None, benchmark: bool, lines: int) -> None:
    """Prints what is there and what comes; moves on with the experiments unless one was named."""
    shown: Path | None = None
    async for chunk in tuner.follow_log(task, experiment, benchmark=benchmark, lines=lines):
        path = await tuner.log_file(task, chunk.experiment, benchmark=benchmark)
        if path != shown:
            click.echo(f"==> {path} <==", err=True)
            shown = path
        click.echo(chunk.text, nl=False)
    if shown is None:
        await tuner.log_file(task, experiment, benchmark=benchmark)  # it may be that there is none
