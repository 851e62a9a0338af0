"""Starts and stops the turns of this process, one at a time in each session."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

from langchain_core.messages import HumanMessage

from agent.conversation import inputs
from agent.conversation.announcements import Announcer
from agent.conversation.heartbeats import Heartbeats
from agent.conversation.turns import Turn, TurnDependencies
from agent.domain import Trigger
from agent.events.types import Payload, RunStarted
from tools.context import Context
from tuner.errors import ConflictError
from tuner.machine.processes import Identity
from tuner.storage.database import whole

log = logging.getLogger(__name__)

CANCEL_POLL_S = 0.1


class TurnRunner:
    """The turns of this process. `opened` must be entered before one begins."""

    def __init__(self, deps: TurnDependencies, context: Context, model: str) -> None:
        """
        Args:
            context: of the tools, without a session.
            model: which one answers, for people.
        """
        self._deps, self._context, self._model = deps, context, model
        self._owner = Identity.current().text
        self._turns: dict[str, Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.announcer = Announcer(context.tuner, deps.store, self._report)
        self._heartbeats = Heartbeats(deps, self._owner, self._turns.values, self.announcer.wake)

    def turn(self, run_id: str) -> Turn | None:
        """The turn of a run, where it goes on in this process."""
        return next((turn for turn in self._turns.values() if turn.run.id == run_id), None)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        stream = self._deps.stream
        await self._heartbeats.end_abandoned_runs()
        working = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("announcer", self.announcer.run()),
                ("heartbeats", self._heartbeats.run()),
                ("event log", stream.run()),
            )
        ]
        for task in working:
            task.add_done_callback(_log_crash)
        try:
            yield
        finally:
            await asyncio.gather(*(turn.stop("closing") for turn in list(self._turns.values())))
            for task in working:
                task.cancel()
            await asyncio.wait(working)
            stream.close()

    @whole
    async def begin(
        self,
        session_id: str,
        run_id: str | None,
        trigger: Trigger,
        given: HumanMessage | None,
        first: Sequence[Payload],
        **marks: str,
    ) -> str:
        """Begins a turn, or refuses it."""
        begun = await self._deps.store.begin(session_id, inputs.run_id(run_id), trigger, self._owner, **marks)
        context = replace(self._context, session_id=session_id, started=self._watch(session_id))
        turn = Turn(self._deps, begun.run, begun.thread, begun.last, context)
        task = turn.start(given, [RunStarted(trigger=trigger, model=self._model), *first])
        self._turns[session_id] = turn
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(turn, task))
        return begun.run.id

    def _ended(self, turn: Turn, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._turns.get(turn.run.session_id) is turn:
            del self._turns[turn.run.session_id]
        self.announcer.wake()
        _log_crash(task)

    async def stop(self, session_id: str) -> None:
        """Ends the run that goes on in a session, wherever it does."""
        if (turn := self._turns.get(session_id)) is not None:
            await turn.stop("cancelled")
        while (await self._deps.store.session(session_id)).running is not None:
            await self._deps.store.request_cancel(session_id)
            await asyncio.sleep(CANCEL_POLL_S)

    async def check_free(self, session_id: str) -> None:
        """Raises ConflictError where approvals wait. Whether a run goes on, `begin` sees."""
        if waiting := await self._deps.ledger.open_approvals(session_id):
            called = ", ".join(f"{one.tool} ({one.id})" for one in waiting)
            raise ConflictError(f"This session waits for a decision on {called}. Approve, reject or cancel it first.")

    def _watch(self, session_id: str) -> Callable[[str], Awaitable[None]]:
        async def started(task_id: str) -> None:
            await self._deps.store.watch(session_id, task_id)
            self.announcer.wake()

        return started

    async def _report(self, session_id: str, task_id: str, note: str) -> None:
        message = HumanMessage(note, id=inputs.message_id(), additional_kwargs={"note": task_id})
        async with self.lock(session_id):
            await self.check_free(session_id)
            await self.begin(session_id, None, "task_ended", message, [], task_id=task_id)

    def lock(self, session_id: str) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())


def _log_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("%s ended by an error that was not foreseen.", task.get_name(), exc_info=error)
