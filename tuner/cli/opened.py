"""The tuner, opened for one command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tuner.service import Tuner
from tuner.settings import Settings

T = TypeVar("T")


def with_tuner(work: Callable[[Tuner], Awaitable[T]]) -> T:
    """What `work` returns; the tuner is open while it runs."""

    async def run() -> T:
        async with Tuner.open(Settings()) as tuner:
            return await work(tuner)

    return asyncio.run(run())
