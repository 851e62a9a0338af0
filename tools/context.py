"""What a tool is given besides its arguments: the tuner, the settings, and who is told of what."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain.tools import ToolRuntime
from pydantic import JsonValue

from tools.settings import ToolSettings
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner


async def ignore(task_id: str) -> None:
    """Drops the start of a task."""


@dataclass(frozen=True)
class Context:
    tuner: Tuner
    settings: ToolSettings
    session_id: str | None = None
    supervisor: Supervisor | None = None
    """Of the service's own worker; None where there is none to restart."""
    started: Callable[[str], Awaitable[None]] = ignore
    """Told the id of every task that is queued, so that the session hears of its end."""


Runtime: TypeAlias = ToolRuntime[Context, Any]


def teller(runtime: Runtime) -> Callable[[Mapping[str, JsonValue]], None]:
    """Passes progress to whoever watches the call, from any thread: `{"done": 3, "total": 9, "unit": "bytes"}`."""
    loop = asyncio.get_running_loop()
    return lambda data: _tell(loop, runtime, data)


def _tell(loop: asyncio.AbstractEventLoop, runtime: Runtime, data: Mapping[str, JsonValue]) -> None:
    if not loop.is_closed():  # a thread may outlive the call that started it
        loop.call_soon_threadsafe(runtime.stream_writer, dict(data))
