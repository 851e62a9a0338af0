"""A turn: from what somebody said, or decided, to where the model has no more to do, or must wait for decisions."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import HumanMessage, ToolCall, ToolMessage
from langgraph.types import Command

from agent.approvals.ledger import Ledger
from agent.approvals.records.executions import refusal
from agent.conversation.history import History, config, explained, unanswered
from agent.conversation.middleware.tool_calls import ids
from agent.conversation.recorder import Scribe
from agent.domain import Run, RunState
from agent.events.stream import Live
from agent.events.types import ApprovalDecided, ApprovalRequested, Payload, RunEvent, RunFailed, RunFinished
from agent.models import failures
from agent.settings import AgentSettings
from agent.storage.sessions import Store
from tools.context import Context
from tuner.errors import StorageError, TunerError
from tuner.logs.redaction import traced

log = logging.getLogger(__name__)

NODES_PER_STEP = 6
"""Of the graph, at most; so that its own limit never comes before ours."""
CANCELLED = "The turn was cancelled before this call was complete."
FAILED = "The turn failed before this call was complete."
LEFT = "The conversation went on before this call was complete."
CLOSING = "The service stops, so this turn ends here. Send the message again when it runs."
RESTARTED = "The service ended in the middle of this turn, and was restarted. What was said is kept; send it again."

Stop = Literal["cancelled", "closing"]


@dataclass(frozen=True)
class Desk:
    """What every turn works with."""

    store: Store
    ledger: Ledger
    live: Live
    history: History
    settings: AgentSettings


class Turn:
    """One run of a session. Nobody need listen."""

    def __init__(self, desk: Desk, run: Run, thread: str, last: int, context: Context | None) -> None:
        """
        Args:
            thread: of its history.
            last: the sequence that its session's log has reached.
            context: of its tools. None: it will not be played, only ended.
        """
        self.run, self._desk, self._thread, self._context = run, desk, thread, context
        self.first = last + 1
        """Sequence of its first event."""
        self.writer = desk.live.writer(run, last)
        self._task: asyncio.Task[None] | None = None
        self._stopped: Stop | None = None
        self._ending = False

    def begin(self, given: HumanMessage | None, first: Sequence[Payload]) -> asyncio.Task[None]:
        """Plays it in the background, which ends with its last event.

        Args:
            given: what was said; None: decisions were made.
            first: what its log begins with.
        """
        self.writer.emit(*first)
        self._task = asyncio.create_task(self._play(given), name=f"turn {self.run.id}")
        return self._task

    async def stop(self, why: Stop) -> None:
        """Ends it, and waits until it has."""
        task = self._task
        if task is None or task.done():
            return
        if self._stopped is None and not self._ending:
            self._stopped = why
            task.cancel()
        await asyncio.wait([task])

    async def bury(self, events: Sequence[RunEvent]) -> None:
        """Ends the run of a process that is gone; where nothing but decisions was missing, it waits for them.

        Args:
            events: what its log has.
        """
        scribe = Scribe.of(events)
        approvals = await self._desk.ledger.open(self.run.session_id)
        if approvals and await self._desk.history.interrupts(self._thread):
            told = {one.payload.approval.id for one in events if isinstance(one.payload, ApprovalRequested)}
            self.writer.emit(*scribe.close(waiting=True))
            self.writer.emit(*(ApprovalRequested(approval=one) for one in approvals if one.id not in told))
            await self._finish(RunState.APPROVALS)
        else:
            await self._break_off(scribe, FAILED)
            await self._fail(RESTARTED)

    async def _play(self, given: HumanMessage | None) -> None:
        scribe = Scribe()
        try:
            state = await self._run(given, scribe)
        except asyncio.CancelledError:
            await self._break_off(scribe, CANCELLED if self._stopped == "cancelled" else FAILED)
            if self._stopped == "cancelled":
                await self._finish(RunState.CANCELLED)
            else:
                await self._fail(CLOSING)
        except Exception as error:
            self._ending, error_id = True, secrets.token_hex(4)
            # A model server may say the key again that it refuses.
            log.error("Error %s: run %s failed. %s", error_id, self.run.id, traced(error, self._desk.ledger.secrets))
            await self._break_off(scribe, FAILED)
            await self._fail(failures.explained(error, self._desk.settings), error_id)
        else:
            self._ending = True
            await self._finish(state)

    async def _run(self, given: HumanMessage | None, scribe: Scribe) -> RunState:
        history, ledger = self._desk.history, self._desk.ledger
        messages = await history.messages(self._thread)
        if given is not None and unanswered(messages):
            self.writer.emit(*scribe.close(await self._heal(LEFT)))
        scribe.know(ids(messages), await self._answered(given))
        todo = {"messages": [given]} if given is not None else await self._resume()
        while True:
            interrupted = False
            async with aclosing(self._stream(todo)) as parts:
                async for part in parts:
                    interrupted = interrupted or (part["type"] == "updates" and "__interrupt__" in part["data"])
                    self.writer.emit(*scribe.read(part))
                    await self.writer.room()
            if not interrupted:
                self.writer.emit(*scribe.close())
                return RunState.DONE
            approvals = await ledger.open(self.run.session_id)
            if approvals:
                self.writer.emit(*scribe.close(waiting=True))
                self.writer.emit(*(ApprovalRequested(approval=one) for one in approvals))
                return RunState.APPROVALS
            # All of them are closed meanwhile: expired, or decided elsewhere.
            todo = await self._resume()

    async def _resume(self) -> Command[Any]:
        # What the graph is told does not matter: the gate asks the ledger.
        interrupts = await self._desk.history.interrupts(self._thread)
        return Command(resume={one.id: "decided" for one in interrupts})

    async def _answered(self, given: HumanMessage | None) -> set[str]:
        """A resumed graph tells the results of finished calls again."""
        return set() if given is not None else await self._desk.live.journal.answered(self.run.session_id)

    async def _stream(self, todo: Mapping[str, Any] | Command[Any]) -> AsyncGenerator[Mapping[str, Any], None]:
        settings = config(self._thread, session_id=self.run.session_id, autotuner_run=self.run.id)
        settings["recursion_limit"] = (self._desk.settings.max_steps + 2) * NODES_PER_STEP
        parts = self._desk.history.graph.astream(
            todo,
            settings,
            context=self._context,
            stream_mode=["messages", "updates", "custom"],
            version="v2",
            durability="sync",
        )
        async with explained():
            async for part in parts:
                yield part

    async def _break_off(self, scribe: Scribe, why: str) -> None:
        """Leaves a history that a model can go on from, and a log in which nothing is open."""
        history, session_id = self._desk.history, self.run.session_id
        results: list[ToolMessage] = []
        try:
            if scribe.text and scribe.message_id is not None:
                await history.say(self._thread, scribe.message_id, scribe.text)
            closed = await self._desk.ledger.cancel(session_id)
            results = await self._heal(why)
            self.writer.emit(*scribe.close(results), *(ApprovalDecided(approval=one) for one in closed))
        except TunerError as error:
            # The next message heals what is left.
            log.error("Run %s could not be tidied up: %s", self.run.id, error)
            self.writer.emit(*scribe.close(results))

    async def _heal(self, why: str) -> list[ToolMessage]:
        return await heal(self._desk, self.run.session_id, self._thread, why)

    async def _finish(self, state: RunState) -> None:
        await self._prune()
        outcome: Any = state.value
        await self.writer.end(RunFinished(outcome=outcome), state)

    async def _fail(self, message: str, error_id: str | None = None) -> None:
        await self._prune()
        await self.writer.end(RunFailed(message=message, error_id=error_id), RunState.FAILED)

    async def _prune(self) -> None:
        try:
            await self._desk.history.prune(self._thread)
        except StorageError as error:
            log.warning("Old checkpoints of session %s are left: %s", self.run.session_id, error)


async def heal(desk: Desk, session_id: str, thread: str, why: str) -> list[ToolMessage]:
    """Answers the calls that were left without a result by what the ledger knows of them, or by `why`."""

    async def answer(call: ToolCall) -> ToolMessage:
        call_id = str(call["id"])
        execution = (await desk.store.executions(session_id, [call_id])).get(call_id)
        status: Literal["success", "error"] = "error"
        if execution is not None and execution.outcome in ("done", "failed"):
            text, status = execution.content or "", "success" if execution.outcome == "done" else "error"
        elif execution is not None:
            text = (
                f"{why} It had begun, and its outcome is unknown: look at what it changed before you propose it anew."
            )
        else:
            approval = await desk.ledger.of_call(session_id, call_id)
            text = (refusal(approval) if approval is not None else "") or f"{why} It did not run to its end."
        return ToolMessage(text, tool_call_id=call_id, name=call["name"], status=status)

    return await desk.history.heal(thread, answer)
