"""`autotuner worker`: run queued tasks until stopped."""

import asyncio
import signal

import click

from tuner.service import Tuner
from tuner.settings import Settings
from tuner.worker import Worker


@click.command()
def worker() -> None:
    """Run queued tasks, one after the other, until SIGTERM or Ctrl-C.

    A task that is cut off so goes on in the next worker.
    """

    async def go() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with Tuner.open(Settings()) as tuner:
            click.echo(f"Waiting for tasks; data folder {tuner.settings.home}. Stop with Ctrl-C.")
            await Worker(tuner.store, tuner.settings).serve(stop)

    asyncio.run(go())
