"""What routes are given: the tuner, the assistant, the settings, the open streams, the kinds of parameters."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Header, Path, Query, Request

from api.feeds import Feeds
from api.problems import NoAssistantError
from api.settings import ServerSettings
from api.streams import Streams
from tuner.domain import KEY_LENGTH, LARGEST
from tuner.errors import TunerError
from tuner.service import Tuner

if TYPE_CHECKING:  # loads every library of the agent, which takes longer than the service may take to answer
    from agent.service import Assistant
    from tuner.runner.supervisor import Supervisor


# Asynchronous, though they wait for nothing: FastAPI would send the others to a thread and back.
async def _tuner(request: Request) -> Tuner:
    tuner: Tuner = request.app.state.tuner
    return tuner


async def _assistant(request: Request) -> "Assistant":
    return await assistant_of(request.app)


async def assistant_of(app: FastAPI) -> "Assistant":
    """Waits while it is being opened: the service answers before the agent's libraries are loaded."""
    held: Assistant | asyncio.Future[Assistant] | None = app.state.assistant
    if isinstance(held, asyncio.Future):
        try:
            held = await asyncio.shield(held)
        except TunerError as error:
            raise NoAssistantError(f"The assistant could not be opened: {error}") from error
    if held is None:
        raise NoAssistantError("This service runs without an assistant; start it with: autotuner serve")
    return held


async def _server(request: Request) -> ServerSettings:
    server: ServerSettings = request.app.state.server
    return server


async def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


async def _feeds(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


async def _supervisor(request: Request) -> "Supervisor | None":
    supervisor: Supervisor | None = request.app.state.supervisor
    return supervisor


TunerDep = Annotated[Tuner, Depends(_tuner)]
ServerDep = Annotated[ServerSettings, Depends(_server)]
StreamsDep = Annotated[Streams, Depends(_streams)]
FeedsDep = Annotated[Feeds, Depends(_feeds)]
if TYPE_CHECKING:
    AssistantDep = Annotated[Assistant, Depends(_assistant)]
    SupervisorDep = Annotated[Supervisor | None, Depends(_supervisor)]
else:
    AssistantDep = Annotated[object, Depends(_assistant)]
    SupervisorDep = Annotated[object, Depends(_supervisor)]

Ref = Annotated[
    str,
    Path(
        min_length=1,
        max_length=100,
        description="A task: its id, the beginning of its id (4 characters or more), or its name (the newest of it).",
        examples=["0123abcd"],
    ),
]
Number = Annotated[int, Path(ge=0, le=LARGEST, description="Of an experiment.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Entries of a page.")]
Offset = Annotated[int, Query(ge=0, le=LARGEST, description="Entries before the page.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=KEY_LENGTH,
        description="Repeated with the same request, it is done once; with another request, it is refused (409).",
    ),
]
LastId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=100, description="The last `id` that was read; what follows is sent."),
]
