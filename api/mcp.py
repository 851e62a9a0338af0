"""MCP at `/mcp` of the service, and `autotuner mcp` on standard input and output; `mcp_server` is what they offer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Self

import click
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.settings import AgentSettings
from api import problems
from tuner.errors import TunerError
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.settings import Settings

if TYPE_CHECKING:  # loads every library of the agent, and of MCP
    from fastmcp import FastMCP

    from agent.service import Assistant

PATH = "/mcp"


@click.command()
@click.option("--no-worker", is_flag=True, help="Bring no worker; another process runs `autotuner worker`.")
def mcp(no_worker: bool) -> None:
    """Offer the tools over MCP on standard input and output, until the input ends: for programs that start it.

    Calls that cost, publish or delete ask first: at the client where it can show that, else with `autotuner chat` and
    `autotuner serve`, on the same data folder.
    """
    asyncio.run(_talk(Settings(), AgentSettings(), worker=not no_worker))


class Mounted:
    """MCP over HTTP. Its libraries are loaded with the first request, so that the service starts without them."""

    def __init__(self, assistant: "Callable[[], Awaitable[Assistant]]") -> None:
        """
        Args:
            assistant: waits for it; raises a TunerError where there is none.
        """
        self._assistant = assistant
        self._opening, self._closing = asyncio.Lock(), asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._app: ASGIApp | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._running is not None:
            await self._running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            app = await self._opened()
        except TunerError as error:
            await problems.of(error)(scope, receive, send)
            return
        await app(scope, receive, send)

    async def _opened(self) -> ASGIApp:
        async with self._opening:
            if self._app is None:
                assistant = await self._assistant()
                libraries = await asyncio.to_thread(import_module, "api.mcp_server")
                ready: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()
                # A task of its own enters and leaves it: a request would leave it too early.
                self._running = asyncio.create_task(self._run(libraries.build(assistant.mcp_calls), ready))
                self._app = await ready
            return self._app

    async def _run(self, server: "FastMCP", ready: asyncio.Future[ASGIApp]) -> None:
        # Without sessions of MCP's own: a restart cuts nobody off, and nothing is kept for clients that are gone.
        app = server.http_app(path=PATH, stateless_http=True)
        async with app.lifespan(app):
            ready.set_result(app)
            await self._closing.wait()


async def _talk(settings: Settings, agent: AgentSettings, *, worker: bool) -> None:
    from agent.approvals.mcp_calls import McpCalls
    from api import mcp_server
    from tools.machines import alive
    from tools.settings import ToolSettings

    async with AsyncExitStack() as stack:
        tuner = await stack.enter_async_context(Tuner.open(settings))
        supervisor = None
        if worker and not any(alive(one) for one in await tuner.workers()):
            supervisor = await stack.enter_async_context(Supervisor.open(settings))
        opened = McpCalls.open(tuner, agent, ToolSettings(), supervisor=supervisor)
        server = mcp_server.build(await stack.enter_async_context(opened))
        await server.run_stdio_async(show_banner=False, log_level="ERROR")
