"""Opens what a chat needs: the tuner, a worker, the assistant, a screen."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from agent.errors import InvalidInputError
from agent.service import Assistant
from agent.settings import AgentSettings
from agent.terminal.interactive import script as scripts
from agent.terminal.interactive import slash
from agent.terminal.interactive.chat import Chat
from agent.terminal.oneshot import OneShot
from agent.terminal.screen.plain import PlainScreen
from agent.terminal.screen.prompt import PromptScreen
from agent.terminal.screen.render import decorated
from agent.terminal.screen.wording import ERRORS, register
from tools.context import Context
from tools.machines import alive
from tools.settings import ToolSettings
from tuner.cli.commands.tune import Terminal
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.settings import Settings

HISTORY = "chat_history"


@dataclass(frozen=True)
class ChatOptions:
    """What the command line says."""

    session: str | None = None
    new: bool = False
    message: str | None = None
    approve_all: bool = False
    as_json: bool = False
    script: Path | None = None
    worker: bool = True
    editor: str | None = None


async def run(options: ChatOptions) -> int:
    """The exit code.

    Raises:
        InvalidInputError: the script or the message cannot be used.
    """
    script = scripts.load(options.script) if options.script is not None else None
    settings, agent_settings, tool_settings = Settings(), AgentSettings(), ToolSettings()
    once = options.message is not None
    _show_what_can_be_shown()
    async with (
        Tuner.open(settings) as tuner,
        # One turn ends before a task of it could: what it starts waits for a worker that stays.
        _worker(tuner, wanted=options.worker and not once) as supervisor,
        Assistant.open(
            tuner, agent_settings, tool_settings, supervisor=supervisor, interactive=options.approve_all or not once
        ) as assistant,
    ):
        session_id = await _session(assistant, options)
        if options.message is not None:
            answers, rest = Terminal(), Terminal(stderr=True)
            shot = OneShot(assistant, session_id, answers, rest, options.approve_all, options.as_json)
            try:
                return await shot.run(options.message)
            except InvalidInputError:
                if options.session is None:
                    await assistant.delete_session(session_id)
                raise
        context = Context(tuner, tool_settings, session_id=session_id, supervisor=supervisor)
        chat = Chat(assistant, context, script=script, approve_all=options.approve_all, editor=options.editor)
        code = await _converse(chat, session_id, Terminal(), settings)
        if supervisor is not None and chat.unfinished_tasks:
            click.echo(
                f"Task {', '.join(chat.unfinished_tasks)} stops with the worker of this chat, and goes on in the "
                "next one: autotuner worker, or autotuner chat.",
                err=True,
            )
        return code


async def _converse(chat: Chat, session_id: str, console: Console, settings: Settings) -> int:
    with _signals(chat):
        if not (decorated(console) and sys.stdin.isatty()):
            async with PlainScreen.open(console) as plain:
                return await chat.converse(plain, session_id)
        full = PromptScreen(
            console,
            unfinished=chat.unfinished,
            status=chat.status,
            interrupted=chat.interrupt,
            left=chat.leave,
            history=settings.home / HISTORY,
            commands=slash.COMMANDS,
        )
        chat.screen = full
        with _logging_into(settings.home / "logs" / "chat.log"):
            async with full.opened():
                return await chat.converse(full, session_id)


@contextmanager
def _signals(chat: Chat) -> Iterator[None]:
    """Ctrl-C stops the turn; a request to end leaves in good order."""
    loop = asyncio.get_running_loop()
    actions = {
        signal.SIGINT: chat.interrupt,
        signal.SIGTERM: lambda: chat.leave(128 + signal.SIGTERM),
        signal.SIGHUP: lambda: chat.leave(128 + signal.SIGHUP),
    }
    for number, action in actions.items():
        loop.add_signal_handler(number, action)
    try:
        yield
    finally:
        for number in actions:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _worker(tuner: Tuner, *, wanted: bool) -> AsyncIterator[Supervisor | None]:
    """One of our own where no other is alive."""
    if not wanted or any(alive(one) for one in await tuner.workers()):
        yield None
        return
    async with Supervisor.open(tuner.settings) as supervisor:
        yield supervisor


async def _session(assistant: Assistant, options: ChatOptions) -> str:
    if options.session is not None:
        return (await slash.find(assistant, options.session)).id
    if not (options.new or options.message is not None or options.script is not None):
        last, _ = await assistant.sessions(limit=1)
        if last:
            return last[0].id
    return (await assistant.create_session()).id


def _show_what_can_be_shown() -> None:
    """Terminals that know few characters get others that mean the same."""
    register()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)


@contextmanager
def _logging_into(path: Path) -> Iterator[None]:
    """Log lines would be drawn into the conversation."""
    root = logging.getLogger()
    before = root.handlers[:]
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before
        handler.close()
