"""`autotuner logs`: print an experiment's log, or follow it."""

import asyncio
import sys
from pathlib import Path

import click

from tuner.errors import NotFoundError
from tuner.logs.failures import tail
from tuner.service import Tuner
from tuner.settings import Settings

FOLLOW_S = 0.3
READ_BYTES = 2**20


@click.command()
@click.argument("task")
@click.option("--experiment", type=click.IntRange(min=0), help="Its number; by default the newest.")
@click.option("--benchmark", is_flag=True, help="The load generator's log instead of the engine's.")
@click.option("--lines", type=click.IntRange(min=1), default=200, show_default=True, help="How much of its end.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the task ends.")
def logs(task: str, experiment: int | None, benchmark: bool, lines: int, follow: bool) -> None:
    """Print the log of an experiment of TASK."""

    async def go() -> None:
        async with Tuner.open(Settings()) as tuner:
            if follow:
                await _follow(tuner, task, experiment, benchmark, lines)
            else:
                path = await tuner.log_file(task, experiment, benchmark=benchmark)
                for line in tail(path, lines=lines):
                    click.echo(line)

    asyncio.run(go())


async def _follow(tuner: Tuner, task: str, experiment: int | None, benchmark: bool, lines: int) -> None:
    """Prints what is there and what comes; moves on with the experiments unless one was named."""
    shown: Path | None = None
    position = 0
    while True:
        ended = (await tuner.task(task)).state.ended
        try:
            path = await tuner.log_file(task, experiment, benchmark=benchmark)
        except NotFoundError:
            if ended:
                raise
            path = None
        if path is not None and path != shown:
            if shown is not None:
                position = _print_from(shown, position)
            click.echo(f"==> {path} <==", err=True)
            for line in tail(path, lines=lines):
                click.echo(line)
            shown, position = path, path.stat().st_size
        elif shown is not None:
            position = _print_from(shown, position)
        if ended:
            return
        await asyncio.sleep(FOLLOW_S)


def _print_from(path: Path, position: int) -> int:
    """Prints what was added since `position`, and says where it ends now."""
    added, position = read_from(path, position)
    sys.stdout.write(added)
    sys.stdout.flush()
    return position


def read_from(path: Path, position: int) -> tuple[str, int]:
    """What a log holds after `position`, and its new end. One that became shorter was cut: read anew."""
    with path.open("rb") as file:
        if position > file.seek(0, 2):
            position = 0
        file.seek(position)
        added = file.read(READ_BYTES)
    return added.decode(errors="replace"), position + len(added)
