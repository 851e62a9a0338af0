"""The HTTP application over a tuner and an assistant. To add a part: write its router, list it in ROUTERS."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import Route

from api import (
    agent,
    agui,
    catalog,
    docs,
    logs,
    machines,
    mcp,
    metrics,
    openapi,
    presets,
    problems,
    results,
    system,
    tasks,
)
from api.deps import assistant_of
from api.feeds import Feeds
from api.guard import Guard, Keyring
from api.headers import Headers
from api.metrics import Meter, Metrics
from api.page import Page
from api.problems import Edge
from api.settings import ServerSettings
from api.streams import Streams
from tuner.service import Tuner

if TYPE_CHECKING:  # loads every library of the agent
    from agent.service import Assistant
    from tuner.runner.supervisor import Supervisor

ROUTERS: tuple[APIRouter, ...] = (
    tasks.router,
    results.router,
    logs.router,
    presets.router,
    machines.router,
    catalog.router,
    system.router,
    agent.router,
    agui.router,
)
"""Below /api."""


def create_app(
    tuner: Tuner,
    assistant: "Assistant | asyncio.Future[Assistant] | None",
    *,
    server: ServerSettings,
    supervisor: "Supervisor | None" = None,
    keyring: Keyring | None = None,
) -> FastAPI:
    """An application over parts that are open, and that the caller closes.

    Args:
        assistant: a future while it is being opened; requests that need it wait for it.
        server: with the real port, for requests must name it.
        keyring: None: of the settings' token, or of a new one.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with feeds, tools_for_programs:
            yield

    app = FastAPI(
        title="Autotuner",
        version=importlib.metadata.version("autotuner"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    feeds, streams, measured = Feeds(tuner), Streams(server.max_streams), Metrics()
    keyring = keyring or Keyring.of(server)
    tools_for_programs = mcp.Mounted(lambda: assistant_of(app))
    app.state.tuner, app.state.assistant, app.state.supervisor = tuner, assistant, supervisor
    app.state.server, app.state.keyring = server, keyring
    app.state.feeds, app.state.streams, app.state.metrics = feeds, streams, measured
    for router in ROUTERS:
        app.include_router(router, prefix="/api")
    app.include_router(metrics.router)
    app.include_router(docs.router)
    app.router.routes.append(Route(mcp.PATH, tools_for_programs))
    app.router.default = Page()
    problems.install(app)
    app.openapi = lambda: openapi.schema(app)  # type: ignore[method-assign]
    # The last one added is the first one asked.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=server.max_body_bytes)
    app.add_middleware(Guard, server=server, keyring=keyring)
    app.add_middleware(Edge)
    app.add_middleware(Meter, metrics=measured)
    app.add_middleware(Headers)
    return app
