"""A turn: from a message or decisions to the end of the model's work, or to where it waits for decisions."""

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
from agent.conversation.history import MessageHistory, config, storage_errors, unanswered
from agent.conversation.middleware.tool_calls import call_ids
from agent.conversation.recorder import EventRecorder
from agent.domain import Run, RunState
from agent.events.stream import EventStream
from agent.events.types import ApprovalDecided, ApprovalRequested, Payload, RunEvent, RunFailed, RunFinished
from agent.models import failures
from agent.settings import AgentSettings
from agent.storage.sessions import SessionStore
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
class TurnDependencies:
    """What every turn works with."""

    store: SessionStore
    ledger: Ledger
    stream: EventStream
    history: MessageHistory
    settings: AgentSettings


class Turn:
    """One run of a session. It goes on whether or not anybody reads its events."""

    def __init__(self, deps: TurnDependencies, run: Run, thread: str, last: int, context: Context | None) -> None:
        """
        Args:
            thread: of its history.
            last: the sequence that its session's log has reached.
            context: of its tools. None: it will not be run, only ended.
        """
        self.run, self._deps, self._thread, self._context = run, deps, thread, context
        self.first = last + 1
        """Sequence of its first event."""
        self.writer = deps.stream.writer(run, last)
        self._task: asyncio.Task[None] | None = None
        self._stopped: Stop | None = None
        self._ending = False

    def start(self, given: HumanMessage | None, first: Sequence[Payload]) -> asyncio.Task[None]:
        """Runs it in the background, which ends with its last event.

        Args:
            given: what was said; None: decisions were made.
            first: what its log begins with.
        """
        self.writer.emit(*first)
        self._task = asyncio.create_task(self._run_to_end(given), name=f"turn {self.run.id}")
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

    async def end_abandoned(self, events: Sequence[RunEvent]) -> None:
        """Ends the run of a process that is gone; where nothing but decisions was missing, it waits for them.

        Args:
            events: what its log has.
        """
        recorder = EventRecorder.restored(events)
        approvals = await self._deps.ledger.open_approvals(self.run.session_id)
        if approvals and await self._deps.history.interrupts(self._thread):
            told = {one.payload.approval.id for one in events if isinstance(one.payload, ApprovalRequested)}
            self.writer.emit(*recorder.close(waiting=True))
            self.writer.emit(*(ApprovalRequested(approval=one) for one in approvals if one.id not in told))
            await self._finish(RunState.APPROVALS)
        else:
            await self._abort(recorder, FAILED)
            await self._fail(RESTARTED)

    async def _run_to_end(self, given: HumanMessage | None) -> None:
        recorder = EventRecorder()
        try:
            state = await self._run(given, recorder)
        except asyncio.CancelledError:
            await self._abort(recorder, CANCELLED if self._stopped == "cancelled" else FAILED)
            if self._stopped == "cancelled":
                await self._finish(RunState.CANCELLED)
            else:
                await self._fail(CLOSING)
        except Exception as error:
            self._ending, error_id = True, secrets.token_hex(4)
            # A model server may say the key again that it refuses.
            log.error("Error %s: run %s failed. %s", error_id, self.run.id, traced(error, self._deps.ledger.secrets))
            await self._abort(recorder, FAILED)
            await self._fail(failures.user_message(error, self._deps.settings), error_id)
        else:
            self._ending = True
            await self._finish(state)

    async def _run(self, given: HumanMessage | None, recorder: EventRecorder) -> RunState:
        history, ledger = self._deps.history, self._deps.ledger
        messages = await history.messages(self._thread)
        if given is not None and unanswered(messages):
            self.writer.emit(*recorder.close(await self._complete_calls(LEFT)))
        recorder.set_known(call_ids(messages), await self._answered(given))
        todo = {"messages": [given]} if given is not None else await self._resume()
        while True:
            interrupted = False
            async with aclosing(self._stream(todo)) as parts:
                async for part in parts:
                    interrupted = interrupted or (part["type"] == "updates" and "__interrupt__" in part["data"])
                    self.writer.emit(*recorder.payloads_of(part))
                    await self.writer.wait_for_capacity()
            if not interrupted:
                self.writer.emit(*recorder.close())
                return RunState.DONE
            approvals = await ledger.open_approvals(self.run.session_id)
            if approvals:
                self.writer.emit(*recorder.close(waiting=True))
                self.writer.emit(*(ApprovalRequested(approval=one) for one in approvals))
                return RunState.APPROVALS
            # All of them are closed meanwhile: expired, or decided elsewhere.
            todo = await self._resume()

    async def _resume(self) -> Command[Any]:
        # What the graph is told does not matter: the approval middleware asks the ledger.
        interrupts = await self._deps.history.interrupts(self._thread)
        return Command(resume={one.id: "decided" for one in interrupts})

    async def _answered(self, given: HumanMessage | None) -> set[str]:
        """A resumed graph tells the results of finished calls again."""
        return set() if given is not None else await self._deps.stream.log.answered_calls(self.run.session_id)

    async def _stream(self, todo: Mapping[str, Any] | Command[Any]) -> AsyncGenerator[Mapping[str, Any], None]:
        settings = config(self._thread, session_id=self.run.session_id, autotuner_run=self.run.id)
        settings["recursion_limit"] = (self._deps.settings.max_steps + 2) * NODES_PER_STEP
        parts = self._deps.history.graph.astream(
            todo,
            settings,
            context=self._context,
            stream_mode=["messages", "updates", "custom"],
            version="v2",
            durability="sync",
        )
        async with storage_errors():
            async for part in parts:
                yield part

    async def _abort(self, recorder: EventRecorder, why: str) -> None:
        """Leaves a history that a model can go on from, and a log in which nothing is open."""
        history, session_id = self._deps.history, self.run.session_id
        results: list[ToolMessage] = []
        try:
            if recorder.text and recorder.message_id is not None:
                await history.add_answer(self._thread, recorder.message_id, recorder.text)
            closed = await self._deps.ledger.cancel(session_id)
            results = await self._complete_calls(why)
            self.writer.emit(*recorder.close(results), *(ApprovalDecided(approval=one) for one in closed))
        except TunerError as error:
            # The next message completes what is left.
            log.error("Run %s could not be tidied up: %s", self.run.id, error)
            self.writer.emit(*recorder.close(results))

    async def _complete_calls(self, why: str) -> list[ToolMessage]:
        return await complete_calls(self._deps, self.run.session_id, self._thread, why)

    async def _finish(self, state: RunState) -> None:
        await self._prune()
        outcome: Any = state.value
        await self.writer.end(RunFinished(outcome=outcome), state)

    async def _fail(self, message: str, error_id: str | None = None) -> None:
        await self._prune()
        await self.writer.end(RunFailed(message=message, error_id=error_id), RunState.FAILED)

    async def _prune(self) -> None:
        try:
            await self._deps.history.prune(self._thread)
        except StorageError as error:
            log.warning("Old checkpoints of session %s are left: %s", self.run.session_id, error)


async def complete_calls(deps: TurnDependencies, session_id: str, thread: str, why: str) -> list[ToolMessage]:
    """Answers the calls that were left without a result by what the ledger knows of them, or by `why`."""

    async def answer(call: ToolCall) -> ToolMessage:
        call_id = str(call["id"])
        execution = (await deps.store.executions(session_id, [call_id])).get(call_id)
        status: Literal["success", "error"] = "error"
        if execution is not None and execution.outcome in ("done", "failed"):
            text, status = execution.content or "", "success" if execution.outcome == "done" else "error"
        elif execution is not None:
            text = (
                f"{why} It had begun, and its outcome is unknown: look at what it changed before you propose it anew."
            )
        else:
            approval = await deps.ledger.approval_of_call(session_id, call_id)
            text = (refusal(approval) if approval is not None else "") or f"{why} It did not run to its end."
        return ToolMessage(text, tool_call_id=call_id, name=call["name"], status=status)

    return await deps.history.complete_calls(thread, answer)
