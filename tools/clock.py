"""The time, and waiting for it."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from tools.context import Runtime
from tools.tool import tool
from tuner.spec.values import Frozen

LONGEST_S = 60


class Time(Frozen):
    utc: datetime
    local: datetime


class Slept(Frozen):
    seconds: float
    utc: datetime


@tool
async def get_current_time(runtime: Runtime) -> Time:
    """The date and the time now, in UTC and where this machine is."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Time(utc=now, local=now.astimezone())


@tool
async def sleep(
    runtime: Runtime,
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S, description=f"At most {LONGEST_S}.")],
) -> Slept:
    """Wait for some seconds, at most 60, before looking again at something that is about to be done.

    Do not wait for a tuning task like this: it takes minutes to hours, and the conversation is told when it ends.
    """
    await asyncio.sleep(seconds)
    return Slept(seconds=seconds, utc=datetime.now(UTC).replace(microsecond=0))


READ = (get_current_time, sleep)
