"""`autotuner worker`: run queued tasks until stopped."""

import asyncio
import os
import signal
import sys

import click

from tuner.service import Tuner
from tuner.settings import Settings


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop also when standard input, a pipe, ends: with its other end.")
def worker(with_parent: bool) -> None:
    """Run queued tasks, one after the other, until SIGTERM or Ctrl-C.

    A task that is cut off so goes on in the next worker.
    """

    async def go() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if with_parent:
            _watch(loop, sys.stdin.fileno(), stop)
        async with Tuner.open(Settings()) as tuner:
            click.echo(f"Waiting for tasks; data folder {tuner.settings.home}. Stop with Ctrl-C.")
            await tuner.work(stop)

    asyncio.run(go())


def _watch(loop: asyncio.AbstractEventLoop, pipe: int, stop: asyncio.Event) -> None:
    def read() -> None:
        if not os.read(pipe, 1024):
            loop.remove_reader(pipe)
            stop.set()

    try:
        loop.add_reader(pipe, read)
    except PermissionError as error:
        raise click.UsageError("--with-parent needs a pipe as standard input; leave it out.") from error
