"""The interactive chat: sends what is typed, shows what happens, asks for decisions."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial

from rich.text import Text

from agent.events.types import ApprovalDecided, RunEvent, RunFailed, RunStarted
from agent.service import Assistant
from agent.terminal.interactive import slash
from agent.terminal.interactive.decisions import ApprovalDialog
from agent.terminal.interactive.script import WAIT, ChatScript
from agent.terminal.interactive.task_progress import TaskFollower
from agent.terminal.screen import render
from agent.terminal.screen.plain import Screen
from agent.terminal.view import ChatBlock, ErrorBlock, NoteBlock, UserBlock, View, recent
from tools.context import Context
from tuner.domain import TaskState
from tuner.errors import TunerError

REPORT_S = 60.0
"""For the assistant to begin to report on a task that has ended."""
INTERRUPTED = 130


class LeftError(Exception):
    """Out of the conversation, with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Chat:
    """One conversation after another, in one screen."""

    def __init__(
        self,
        assistant: Assistant,
        context: Context,
        *,
        script: ChatScript | None = None,
        approve_all: bool = False,
        editor: str | None = None,
    ) -> None:
        """
        Args:
            context: of the tools, for the preview of a call that was edited.
            script: types in a person's place.
            approve_all: every call that asks is approved.
            editor: the command that edits a file.
        """
        self.assistant, self.context, self.script, self.editor = assistant, context, script, editor
        self.approve_all = approve_all
        self.view = View()
        self.watching = TaskFollower(context.tuner, self._step, self._notice)
        self.unfinished_tasks: list[str] = []
        """Tasks of the conversation that ran when it was left."""
        self.session_id = ""
        self.screen: Screen
        self.deciding: str | None = None
        """The approval that is asked about."""
        self.awaited: str | None = None
        """The run that was begun here."""
        self._known, self._due = 0, 0
        """Tasks that are followed, and reports on tasks that will have come when all is told."""
        self._changed = asyncio.Event()
        self._left: int | None = None
        self._warned = False
        self._stopping: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    # What the screen asks for

    def unfinished(self) -> str:
        return render.unfinished(self.view, self.screen.console, waits=self.deciding is not None)

    def status(self) -> str:
        """One line, as long as the screen is wide."""
        said = "stopping; Ctrl-C once more leaves" if self._stopping is not None else self.watching.line()
        wide = self.screen.console.width - 1
        return said if len(said) <= wide else f"{said[: wide - 1]}…"

    def interrupt(self) -> None:
        """Ctrl-C: stops the turn; where there is none to stop, or it is stopping, leaves."""
        goes_on = self._goes_on or self.deciding is not None
        if goes_on and self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        elif goes_on or self._warned or self.script is not None:
            self.leave(INTERRUPTED)
        else:
            self._warned = True
            self._aside = asyncio.create_task(self.tell(NoteBlock("Ctrl-C once more, or Ctrl-D, leaves.")))

    def leave(self, code: int = 0) -> None:
        self._left = code
        self.screen.wake()
        self._notice()

    # The loop

    async def converse(self, screen: Screen, session_id: str) -> int:
        """Until it is left; the exit code."""
        self.screen = screen
        try:
            await self.enter(session_id)
            while True:
                await self._settled()
                if not await self._decided():
                    await self._said(await self.ask(render.PROMPT))
        except LeftError as left:
            return left.code
        finally:
            await self._close()

    async def enter(self, session_id: str) -> None:
        """Goes on with a session: shows the last of it, and all that happens from now on."""
        await self._stop_reading()
        session = await self.assistant.session(session_id)
        self.session_id, self.view, self.awaited = session.id, View(), None
        blocks: list[ChatBlock] = []
        seen = 0
        async for event in self.assistant.events(session.id, follow=False):
            blocks += self.view.apply(event)
            seen = event.sequence
        await self.show_text(slash.banner(self, session))
        await self.tell(*recent(blocks))
        self._known, self._due = len(self.view.tasks), self.view.reports
        for task_id in dict.fromkeys(self.view.tasks):
            if await self._runs(task_id):
                self._due += 1
                self.watching.watch(task_id)
        self._reading = asyncio.create_task(self._read(session.id, seen))
        self._reading.add_done_callback(lambda _: self._read_over())

    async def ask(self, prompt: str, *, message: bool = True, text: str | None = None) -> str | None:
        """What is typed, by the script where there is one; None: something has happened meanwhile.

        Raises:
            LeftError: nothing more will be typed.
        """
        self._check()
        if self.script is not None:
            typed = self.script.next()
            if typed is None and self.deciding is not None:
                await self.fail("a call waits for a decision, and nothing more is typed.")
            if typed is None:
                raise LeftError(0)
            if not message or typed.startswith("/") or typed == WAIT:
                await self.tell(UserBlock(typed))
            return typed
        try:
            typed = await self.screen.ask(prompt, message=message, text=text)
        except EOFError:
            raise LeftError(0) from None
        self._check()
        self._warned = self._warned and typed is None
        return typed

    async def tell(self, *blocks: ChatBlock) -> None:
        await self.screen.show(*(partial(render.show, block=block) for block in blocks))

    async def show_text(self, text: str) -> None:
        await self.screen.show(lambda console: render.print_on(console, Text(f"{text}\n")))

    async def fail(self, text: str) -> None:
        """Says what went wrong; a script ends there."""
        if self.script is not None:
            await self.tell(ErrorBlock(f"{self.script.name}, line {self.script.number}: {text}"))
            raise LeftError(1)
        await self.tell(ErrorBlock(text))

    async def _said(self, typed: str | None) -> None:
        """Does what was typed where nothing is asked."""
        if typed is None or not typed.strip():
            return
        try:
            if typed.startswith("/"):
                await slash.run(self, typed)
            elif self.script is not None and typed == WAIT:
                await self._tasks_over()
            elif self.script is not None and typed.split()[0] in ("approve", "reject"):
                await self.fail(f"{typed!r:.60} decides, but nothing waits for a decision.")
            else:
                self.awaited = await self.assistant.send(self.session_id, typed)
        except TunerError as error:
            await self.fail(str(error))

    async def _decided(self) -> bool:
        """Asks about the calls that wait for a decision; whether there were any."""
        waiting = await self.assistant.ledger.open_approvals(self.session_id)
        for approval in sorted(waiting, key=lambda one: one.created_at):
            await ApprovalDialog(self, approval).run()
        return bool(waiting)

    async def _settled(self) -> None:
        """Until no turn goes on."""
        await self.until(lambda: not self._busy)
        if self.script is not None and (ended := self.view.ended.get(self.awaited or "")) is not None:
            self.awaited = None
            if isinstance(ended, RunFailed):
                await self.fail("the turn failed.")

    async def _tasks_over(self) -> None:
        """Until the tasks of the session have ended, and were reported on. A script fails with them."""
        await self.until(lambda: not self.watching.running)
        try:
            async with asyncio.timeout(REPORT_S):
                await self.until(lambda: self.view.reports >= self._due and not self._busy)
        except TimeoutError:
            await self.fail(f"the assistant did not report on its tasks within {REPORT_S:g} s of their end.")
        for task_id, state in self.watching.states.items():
            if state is not TaskState.COMPLETED:
                await self.fail(f"task {task_id} ended {state.value}.")

    async def until(self, ready: Callable[[], bool]) -> None:
        """
        Raises:
            LeftError: the conversation is left meanwhile.
        """
        while not ready():
            self._check()
            self._changed.clear()
            await self._changed.wait()
        self._check()

    @property
    def _busy(self) -> bool:
        return self._goes_on or self._stopping is not None

    @property
    def _goes_on(self) -> bool:
        """Whether there is a turn, also one that was only sent."""
        awaited = self.awaited is not None and self.awaited not in self.view.ended
        return awaited or self.view.running is not None

    def _check(self) -> None:
        if self._left is not None:
            raise LeftError(self._left)
        if self._reading is not None and self._reading.done():
            self._reading.result()

    # What happens

    async def _read(self, session_id: str, after: int) -> None:
        async with aclosing(self.assistant.events(session_id, after=after)) as events:
            async for event in events:
                await self.tell(*self.view.apply(event))
                self._follow_tasks()
                self._take_back(event)
                self._notice()
        await self.tell(ErrorBlock("This session was deleted; /new begins another."))

    def _follow_tasks(self) -> None:
        for task_id in self.view.tasks[self._known :]:
            self._due += 1
            self.watching.watch(task_id)
        self._known = len(self.view.tasks)

    def _take_back(self, event: RunEvent) -> None:
        """Takes away a question that has become idle."""
        match event.payload:
            case RunStarted():
                self.screen.wake()
            case ApprovalDecided(approval=approval) if approval.id == self.deciding:
                self.deciding = None
                self.screen.wake()

    def _read_over(self) -> None:
        if self._reading is not None and self._reading.done():
            self.screen.wake()
            self._notice()

    async def _step(self, line: str) -> None:
        """Of a task. On a terminal where somebody types the status line tells of it."""
        if self.script is not None or not render.decorated(self.screen.console):
            await self.screen.show(lambda console: render.print_on(console, Text(line, style="dim")))

    def _notice(self) -> None:
        self._changed.set()
        self.screen.refresh()

    async def _runs(self, task_id: str) -> bool:
        try:
            return not (await self.context.tuner.task(task_id)).state.ended
        except TunerError:  # it was deleted
            return False

    async def _stop(self) -> None:
        try:
            await self.assistant.cancel(self.session_id)
        except TunerError as error:
            await self.tell(ErrorBlock(str(error)))
        finally:
            self._stopping = None
            self._notice()

    async def _stop_reading(self) -> None:
        if self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _close(self) -> None:
        await self._stop_reading()
        self.unfinished_tasks = self.watching.running
        await self.watching.close()
        if self._stopping is not None:
            self._stopping.cancel()
            await asyncio.gather(self._stopping, return_exceptions=True)
