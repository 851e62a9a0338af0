"""The application in this process: asked directly, or served on a free port of the loopback interface."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from api.settings import ServerSettings

HOST = "127.0.0.1:8686"
TOKEN = "a-token-for-tests-only"


def server_settings(**changes: object) -> ServerSettings:
    return ServerSettings.model_validate({"port": 8686, "token": TOKEN, **changes})


@asynccontextmanager
async def asked(app: FastAPI, *, token: str | None = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which is started and ended as a server does it. Streams are read to their end."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers=headers) as client,
    ):
        yield client


class Server(uvicorn.Server):
    """Leaves the test's signal handlers alone."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)


def free_port() -> tuple[socket.socket, int]:
    """A socket that listens, so that nobody else takes its port."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, int(held.getsockname()[1])


@asynccontextmanager
async def served(app: FastAPI, held: socket.socket) -> AsyncIterator[Server]:
    server = Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5, lifespan="on"))
    serving = asyncio.create_task(server.serve([held]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server
    finally:
        app.state.streams.close()
        server.should_exit = True
        await serving
