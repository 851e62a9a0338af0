"""An assistant with a scripted model and a few tools, and what a reader sees of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from agent.domain import Approval, Approve, Reject
from agent.events.log import EventLog
from agent.events.types import (
    ApprovalRequested,
    Payload,
    RunEvent,
    RunFailed,
    RunFinished,
    TextDelta,
    TextStarted,
    ToolCallStarted,
    ToolResult,
)
from agent.service import Assistant
from agent.settings import AgentSettings
from agent.storage import migrations
from agent.storage.sessions import SessionStore
from tests.fakes import gated
from tests.fakes.scripted_model import Call, Say, ScriptedModel, Turn
from tools.context import Runtime, teller
from tools.settings import ToolSettings
from tools.tool import Function, Tool, tool
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.storage.database import Database

__all__ = ["Call", "Say"]  # with the rest, for those who write scripts


@dataclass
class Toolbox(gated.Toolbox):
    """Besides: `wait` runs until it is let go, `fetch` tells its progress, `dump` answers at length, `begin` starts
    a task.
    """

    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when `wait` runs."""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__post_init__()

        async def wait(runtime: Runtime) -> gated.Answer:
            """Wait."""
            self.ran.append(("wait", {}))
            self.waiting.set()
            await self.let_go.wait()
            return gated.Answer(said="waited")

        async def fetch(runtime: Runtime, size: int = 2) -> gated.Answer:
            """Fetch."""
            tell = teller(runtime)
            for done in range(size):
                tell({"done": done + 1, "total": size, "unit": "bytes"})
                await asyncio.sleep(0)
            return gated.Answer(said="fetched")

        async def dump(runtime: Runtime, size: int) -> gated.Answer:
            """Answer at length."""
            return gated.Answer(said="x" * size)

        async def begin(runtime: Runtime, task: str) -> gated.Answer:
            """Start a task of the tuner."""
            await runtime.context.tuner.start(task)
            await runtime.context.started(task)
            return gated.Answer(said="started")

        more: tuple[Function, ...] = (wait, fetch, dump, begin)
        self.tools |= {made.name: made for made in map(_tool, more)}


@dataclass
class Talk:
    """One session of an assistant, read from its beginning."""

    assistant: Assistant
    session_id: str
    toolbox: Toolbox
    model: BaseChatModel
    tuner: Tuner

    @property
    def asked(self) -> list[list[BaseMessage]]:
        """What the model was shown, call by call."""
        assert isinstance(self.model, ScriptedModel)
        return self.model.asked

    @property
    def script(self) -> list[Turn]:
        """What the model will say."""
        assert isinstance(self.model, ScriptedModel)
        return self.model.script

    async def say(self, text: str) -> list[RunEvent]:
        """A turn, to its end."""
        return await self.heard(await self.assistant.send(self.session_id, text))

    async def heard(self, run_id: str) -> list[RunEvent]:
        async with asyncio.timeout(60):
            return [event async for event in self.assistant.run_events(run_id)]

    async def log(self) -> list[RunEvent]:
        """All that is written of the session."""
        return [event async for event in self.assistant.events(self.session_id, follow=False)]

    async def until(self, run_id: str, what: Callable[[Payload], bool]) -> RunEvent:
        """The first event of a run that is such."""
        async with asyncio.timeout(60):
            async for event in self.assistant.run_events(run_id):
                if what(event.payload):
                    return event
        raise AssertionError(f"run {run_id} ended without it")

    async def approve(self, *approvals: Approval, **changes: Any) -> list[RunEvent]:
        run_id = await self.assistant.decide(
            self.session_id, {one.id: Approve(**changes) for one in approvals}, who="tester"
        )
        assert run_id is not None
        return await self.heard(run_id)

    async def reject(self, approval: Approval, reason: str = "") -> list[RunEvent]:
        run_id = await self.assistant.decide(self.session_id, {approval.id: Reject(reason=reason)}, who="tester")
        assert run_id is not None
        return await self.heard(run_id)


@asynccontextmanager
async def talk(
    home: Path,
    model: BaseChatModel | Sequence[Turn],
    *,
    toolbox: Toolbox | None = None,
    session_id: str | None = None,
    database_url: str | None = None,
    repeat: bool = False,
    **settings: Any,
) -> AsyncIterator[Talk]:
    """
    Args:
        model: or the script of one.
        session_id: of an earlier session on the same data folder. None: a new one.
    """
    chat = model if isinstance(model, BaseChatModel) else ScriptedModel(script=list(model), repeat=repeat)
    tools = toolbox or Toolbox()
    async with (
        Tuner.open(Settings(_env_file=None, home=home, database_url=database_url)) as tuner,
        Assistant.open(
            tuner,
            AgentSettings(_env_file=None, **settings),
            ToolSettings(_env_file=None),
            model=chat,
            toolbox=tools,
        ) as assistant,
    ):
        session = session_id or (await assistant.create_session()).id
        yield Talk(assistant, session, tools, chat, tuner)


@asynccontextmanager
async def database(home: Path) -> AsyncIterator[Database]:
    """The assistant's tables, as another process sees them."""
    opened = Database(f"sqlite:///{home / 'autotuner.db'}", migrations)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


def _tool(function: Function) -> Tool:
    return tool(function)


def text(events: Sequence[RunEvent]) -> str:
    """What the model said."""
    return "".join(event.payload.text for event in events if isinstance(event.payload, TextDelta))


def kinds(events: Sequence[RunEvent]) -> list[str]:
    """What happened, in order, neighbouring pieces as one."""
    found: list[str] = []
    for event in events:
        if not found or found[-1] != event.payload.kind or not event.payload.kind.endswith(("delta", "args")):
            found.append(event.payload.kind)
    return found


def results(events: Sequence[RunEvent]) -> list[ToolResult]:
    return [event.payload for event in events if isinstance(event.payload, ToolResult)]


def requested(events: Sequence[RunEvent]) -> list[Approval]:
    return [event.payload.approval for event in events if isinstance(event.payload, ApprovalRequested)]


def outcome(events: Sequence[RunEvent]) -> str:
    """How a run ended: its outcome, or why it failed."""
    match events[-1].payload:
        case RunFinished(outcome=ended):
            return ended
        case RunFailed(message=message):
            return message
        case other:
            raise AssertionError(f"a run cannot end with {other.kind}")


async def run_row(opened: Database, session_id: str, run_id: str, owner: str) -> None:
    """A run that goes on, by what its process wrote before it died: the beginning of an answer and of a call."""
    await SessionStore(opened).begin(session_id, run_id, "message", owner)
    payloads: list[Payload] = [
        TextStarted(message_id="lost message"),
        TextDelta(message_id="lost message", text="I was ab"),
        ToolCallStarted(call_id="lost call", tool="look"),
    ]
    await EventLog(opened).append(session_id, run_id, payloads)
