"""The screen of a real terminal: a prompt at the bottom, above it the unfinished text, above that the rest."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.shortcuts import CompleteStyle
from rich.console import Console

from agent.terminal.screen.plain import Print
from agent.terminal.screen.wording import encodable, line

REDRAW_S = 0.5
"""So that times go on."""
FASTEST_S = 0.04
"""Between two drawings, however fast text comes."""


class PromptScreen:
    """A terminal with a prompt, by prompt_toolkit."""

    def __init__(
        self,
        console: Console,
        *,
        unfinished: Callable[[], str],
        status: Callable[[], str],
        interrupted: Callable[[], None],
        left: Callable[[], None],
        history: Path,
        commands: Iterable[str],
    ) -> None:
        """
        Args:
            unfinished: the text that is being written, drawn.
            status: one line above the prompt; the empty one is left out.
            interrupted: called at Ctrl-C, but for one that clears what is typed.
            left: called at Ctrl-D, and when the terminal is gone.
            history: file of the messages that were typed, for this user's eyes only.
        """
        self.console = console
        self._unfinished, self._status, self._interrupted, self._left = unfinished, status, interrupted, left
        self._answer: asyncio.Future[str | None] | None = None
        """None: nothing is asked."""
        self._prompt, self._remembered, self._several = "", True, False
        self._ahead: deque[str] = deque()
        """Messages that were entered while nothing, or something else, was asked."""
        self._lock = asyncio.Lock()
        history.touch(mode=0o600)
        history.chmod(0o600)
        self._session: PromptSession[str] = PromptSession(
            self._message,
            multiline=True,
            prompt_continuation="  ",
            history=FileHistory(str(history)),
            completer=CommandCompleter(commands),
            complete_style=CompleteStyle.READLINE_LIKE,  # the other styles keep a part of the screen free
            complete_while_typing=False,
            key_bindings=self._keys(),
            refresh_interval=REDRAW_S,
            erase_when_done=True,
        )
        self._session.app.min_redraw_interval = FASTEST_S

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["PromptScreen"]:
        """Has the terminal until it is left."""
        running = asyncio.create_task(self._session.app.run_async(set_exception_handler=False, handle_sigint=False))
        running.add_done_callback(self._closed)
        try:
            yield self
        finally:
            if not running.done():
                # Not cancelled: so it puts the terminal back as it was.
                await asyncio.sleep(0)
                self._session.app.exit()
            await asyncio.gather(running, return_exceptions=True)

    async def show(self, *prints: Print) -> None:
        if not prints:
            return
        app = self._session.app
        async with self._lock:
            if app.output.responds_to_cpr:
                await app.renderer.wait_for_cpr_responses()
            # As `in_terminal` does it, but for the terminal's mode: what is typed meanwhile is typed to us.
            if app.is_running:
                app.renderer.erase()
            for one in prints:
                one(self.console)
            if app.is_running:
                app.renderer.reset()
                app.renderer.request_absolute_cursor_position()
                app._redraw()

    async def ask(self, prompt: str, *, message: bool = True, text: str | None = None) -> str | None:
        buffer = self._session.default_buffer
        if message and self._ahead:
            return self._ahead.popleft()
        draft = buffer.document
        if not message:
            buffer.set_document(Document(text or "", 0 if text else None))
        self._prompt, self._remembered, self._several = prompt, message, text is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.refresh()
        try:
            return await self._answer
        finally:
            self._answer = None
            if not message:
                buffer.set_document(draft)
            self.refresh()

    def wake(self) -> None:
        self._give(None)

    def refresh(self) -> None:
        self._session.app.invalidate()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        async with self._lock, in_terminal():
            yield

    def _message(self) -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        if unfinished := self._unfinished():
            parts += [*to_formatted_text(ANSI(unfinished)), ("", "\n")]
        encoding = self.console.encoding
        parts += [("", encodable(f"› {line(one, 60)} (waits)\n", self.console.encoding)) for one in self._ahead]
        if status := self._status():
            parts += [("fg:ansigreen", encodable(status, encoding)), ("", "\n")]
        asked = self._prompt if self._answer is not None else "… "
        return [*parts, ("bold", encodable(asked, encoding))]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        here = has_focus(DEFAULT_BUFFER)

        @keys.add("enter", filter=here)
        @keys.add("c-j", filter=here)  # Enter as well, where it was pressed before the terminal was ours
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.text_before_cursor.endswith("\\"):
                buffer.delete_before_cursor()
                buffer.insert_text("\n")
            elif self._several:
                buffer.insert_text("\n")
            else:
                self._accept()

        @keys.add("escape", "enter", filter=here)
        @keys.add("escape", "c-j", filter=here)
        def _(event: KeyPressEvent) -> None:
            if self._several:
                self._accept()
            else:
                event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self._ahead:
                self._ahead.clear()
            elif self._answer is None or not event.current_buffer.text:
                self._interrupted()
            elif self._several:
                self._give(None)
            else:
                event.current_buffer.reset()

        @keys.add("c-d", filter=here)
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.delete()
            else:
                self._left()

        return keys

    def _accept(self) -> None:
        buffer, asked = self._session.default_buffer, self._answer is not None and not self._answer.done()
        text = buffer.text
        if self._remembered or not asked:
            buffer.append_to_history()
            buffer.reset()
        if asked:
            self._give(text)
        elif text.strip():
            self._ahead.append(text)

    def _give(self, answer: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _closed(self, running: "asyncio.Task[str]") -> None:
        if not running.cancelled() and running.exception() is not None:
            self._left()


class CommandCompleter(Completer):
    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text_before_cursor
        if typed.startswith("/") and " " not in typed:
            for name in self._names:
                if name.startswith(typed):
                    yield Completion(name, start_position=-len(typed))
