"""`autotuner serve`: the REST API, the assistant and the page, with a worker of its own."""

import asyncio
import errno
import gc
import resource
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import click
import uvicorn
from fastapi import FastAPI
from sse_starlette.sse import AppStatus

from agent.settings import AgentSettings
from api.app import create_app
from api.guard import LOGIN, Keyring
from api.settings import ServerSettings
from tuner.errors import ConflictError, TunerError, UnavailableError
from tuner.machine.addresses import bracketed
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.settings import Settings

if TYPE_CHECKING:
    from agent.service import Assistant

GRACE_S = 5
"""For requests that are being answered when the service stops."""
BACKLOG = 2048
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


@click.command()
@click.option(
    "--host", metavar="ADDRESS", help="Listen here; by default on 127.0.0.1, which only this machine reaches."
)
@click.option("--port", type=click.IntRange(0, 65535), help="8686 by default; 0 takes any that is free.")
@click.option("--no-worker", is_flag=True, help="Bring no worker; another process runs `autotuner worker`.")
@click.option("--no-token", is_flag=True, help="Ask for no token; possible on a loopback address only.")
@click.option("--open", "browser", is_flag=True, help="Open the page in a browser.")
def serve(host: str | None, port: int | None, no_worker: bool, no_token: bool, browser: bool) -> None:
    """Serve the REST API, the assistant and the page, until SIGTERM or Ctrl-C.

    Tasks that run then go on in the next worker.
    """
    given = {"host": host, "port": port, "require_token": False if no_token else None}
    server = ServerSettings.model_validate({name: value for name, value in given.items() if value is not None})
    settings, agent_settings = Settings(), AgentSettings()
    _allow_files()
    with listen(server) as listening:
        server = server.model_copy(update={"port": listening.getsockname()[1]})
        interrupted = asyncio.run(_Service(settings, agent_settings, server, not no_worker, browser).run(listening))
    if interrupted:
        raise KeyboardInterrupt


def listen(server: ServerSettings) -> socket.socket:
    """Raises:
    ConflictError: the port is taken.
    UnavailableError: the address is none of this machine's, or the port is not for everybody.
    """
    host = "127.0.0.1" if server.host == "localhost" else server.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, server.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"port {server.port} of {server.host}"
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                f"Cannot listen on {where}: something listens there already. "
                "End it, or choose another port: autotuner serve --port 0 takes any that is free."
            ) from error
        raise UnavailableError(
            f"Cannot listen on {where}: {error.strerror or error}. Give an address of this machine, and a port above "
            "1023."
        ) from error
    # Connections inherit it; the event loop sets it only for sockets that were made with a protocol's number. Without
    # it, what is sent in two parts on a kept connection waits 40 ms for the reader's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class WebServer(uvicorn.Server):
    """uvicorn's server; sets `listening` once it listens, and closes event streams before it waits for requests."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], None]) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._closing = closing
        self.interrupted = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the event loop has them

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing()
        await super().shutdown(sockets)

    def end(self) -> None:
        self.should_exit = True

    def interrupt(self, number: signal.Signals) -> None:
        """Ends the server; the second time without waiting for requests."""
        self.interrupted = number is signal.SIGINT
        self.force_exit = self.should_exit
        self.end()


class _Service:
    def __init__(
        self, settings: Settings, agent: AgentSettings, server: ServerSettings, worker: bool, browser: bool
    ) -> None:
        self._settings, self._agent, self._server = settings, agent, server
        self._worker, self._browser = worker, browser
        self._keyring = Keyring.of(server)

    async def run(self, listening: socket.socket) -> bool:
        """Serves until a signal ends it; whether that was Ctrl-C."""
        async with Tuner.open(self._settings) as tuner:
            loop = asyncio.get_running_loop()
            opening: asyncio.Future[Assistant] = loop.create_future()
            opening.add_done_callback(lambda future: future.cancelled() or future.exception())
            app = create_app(tuner, opening, server=self._server, keyring=self._keyring)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,  # a login link is a secret until it is used
                ws="none",
                lifespan="on",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
            web = WebServer(config, lambda: _farewell(app))
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, web.interrupt, number)
            stop = asyncio.Event()
            rest = asyncio.create_task(self._rest(tuner, app, opening, web, stop))
            rest.add_done_callback(lambda _: web.end())  # it ends early only where it failed
            try:
                await web.serve([listening])
            finally:
                stop.set()
                await rest
            return web.interrupted

    async def _rest(
        self, tuner: Tuner, app: FastAPI, opening: "asyncio.Future[Assistant]", web: WebServer, stop: asyncio.Event
    ) -> None:
        """Opens the worker and the assistant once the server listens; closes them after the last request."""
        await _either(web.listening, stop)
        if stop.is_set():
            opening.cancel()
            return
        await self._say_hello()
        async with AsyncExitStack() as stack:
            try:
                if self._worker:
                    app.state.supervisor = await stack.enter_async_context(Supervisor.open(self._settings))
                assistant = await stack.enter_async_context(await self._assistant(tuner, app.state.supervisor))
                opening.set_result(assistant)
                # What is loaded by now stays. Otherwise every full collection looks at all of it, and nobody is
                # answered meanwhile: 0.2 s, several times in a burst of requests.
                gc.freeze()
                click.echo(f"  model  {assistant.model}")
            except TunerError as error:
                opening.set_exception(error)
                click.echo(f"The assistant cannot answer: {error}", err=True)
            finally:
                opening.cancel()  # where something unforeseen happened, nobody waits for it for ever
            await stop.wait()

    async def _assistant(self, tuner: Tuner, supervisor: Supervisor | None) -> "AbstractAsyncContextManager[Assistant]":
        # Its libraries take seconds to load.
        service = await asyncio.to_thread(import_module, "agent.service")
        tools = await asyncio.to_thread(import_module, "tools.settings")
        opened: AbstractAsyncContextManager[Assistant] = service.Assistant.open(
            tuner, self._agent, tools.ToolSettings(), supervisor=supervisor, secrets=(self._keyring.token,)
        )
        return opened

    async def _say_hello(self) -> None:
        server = self._server
        address = f"http://{'127.0.0.1' if server.host in EVERYWHERE else bracketed(server.host)}:{server.port}"
        link = f"{address}{LOGIN}?key={self._keyring.key()}" if server.require_token else address
        click.echo(f"Autotuner serves at {address}; stop with Ctrl-C.")
        if server.require_token:
            click.echo(f"  open   {link}  (works once)")
            if server.token is None:
                click.echo(f"  token  {self._keyring.token}  (for programs: Authorization: Bearer TOKEN)")
        click.echo(f"  data   {self._settings.home}")
        if self._browser:
            await asyncio.to_thread(webbrowser.open, link)


def _farewell(app: FastAPI) -> None:
    app.state.streams.close()
    AppStatus.should_exit = True  # streams that are not ours: MCP's


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def _allow_files() -> None:
    """Raises the limit of open files, of which every connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
