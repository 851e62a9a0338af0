"""What a chat needs of a screen, and the plain screen: lines in, lines out."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from rich.console import Console

READ = 65_536

Print = Callable[[Console], None]


class Screen(Protocol):
    """What a chat prints on and reads from."""

    console: Console

    async def show(self, *prints: Print) -> None:
        """Prints, above what is being typed."""
        ...

    async def ask(self, prompt: str, *, message: bool = True, text: str | None = None) -> str | None:
        """What is typed; None: `wake` was called.

        Args:
            message: a message of the conversation, which the history remembers. One that is half typed is kept while
                something else is asked, or nothing.
            text: to be edited, of several lines.

        Raises:
            EOFError: nothing more will come.
        """
        ...

    def wake(self) -> None:
        """Takes back what is asked now."""
        ...

    def refresh(self) -> None:
        """The unfinished text has changed."""
        ...

    def aside(self) -> AbstractAsyncContextManager[None]:
        """Another program has the terminal meanwhile."""
        ...


class PlainScreen:
    """For pipes, and for terminals that can only print."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._lines: deque[str] = deque()
        self._rest, self._over, self._woken, self._reading = b"", False, False, False
        self._news = asyncio.Event()
        self._typed = sys.stdin.isatty()
        """A terminal shows what is typed by itself."""

    @classmethod
    @asynccontextmanager
    async def open(cls, console: Console) -> AsyncIterator["PlainScreen"]:
        screen = cls(console)
        try:
            yield screen
        finally:
            screen._stop_listening()

    async def show(self, *prints: Print) -> None:
        for one in prints:
            one(self.console)

    async def ask(self, prompt: str, *, message: bool = True, text: str | None = None) -> str | None:
        self._woken = False
        if self._typed and text is None:
            self.console.print(prompt, end="", highlight=False, markup=False, soft_wrap=True)
        if text is None:
            return await self._line()
        self.console.print(
            f"{text}\n(Write it anew; an empty line ends it.)", highlight=False, markup=False, soft_wrap=True
        )
        lines: list[str] = []
        while line := await self._line():
            lines.append(line)
        return None if line is None else "\n".join(lines)

    def wake(self) -> None:
        self._woken = True
        self._news.set()

    def refresh(self) -> None:
        """Unfinished text is not shown here."""

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        yield

    async def _line(self) -> str | None:
        self._listen()
        while not (self._lines or self._over or self._woken):
            self._news.clear()
            await self._news.wait()
        if self._woken:
            return None
        if self._lines:
            return self._lines.popleft()
        raise EOFError

    def _listen(self) -> None:
        """Reads standard input from now on; its descriptor, so that no thread is left waiting for it."""
        if self._reading or self._over:
            return
        try:
            asyncio.get_running_loop().add_reader(0, self._read)
            self._reading = True
        except PermissionError:  # a file, which keeps nobody waiting
            while not self._over:
                self._read()

    def _read(self) -> None:
        piece = b""
        with suppress(OSError):  # a terminal that was closed
            piece = os.read(0, READ)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if not piece:
            lines += [self._rest] if self._rest else []
            self._rest, self._over = b"", True
            self._stop_listening()
        self._lines += (line.decode(errors="replace").rstrip("\r") for line in lines)
        self._news.set()

    def _stop_listening(self) -> None:
        if self._reading:
            asyncio.get_running_loop().remove_reader(0)
            self._reading = False
