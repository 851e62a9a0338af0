"""Answers that are streams of server-sent events."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import uuid4

import anyio
from pydantic import BaseModel
from sse_starlette.sse import EventSourceResponse

from tuner.domain import LARGEST
from tuner.errors import InvalidSpecError, Problem, TunerError
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)

PING_S = 15
SEND_S = 30
"""A reader that takes nothing for so long is left; it may come back with the last id it has seen."""
FAREWELL_S = 3.0
"""Less than the server waits for answers that are being given."""

Message: TypeAlias = Mapping[str, Any]
"""`event`, `data` and perhaps `id`, `retry`, as sse-starlette takes them."""


def streamed(*models: str) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: server-sent events with the JSON of one of these components as data."""
    data: dict[str, Any] = {"type": "string"}
    if models:
        refs = [{"$ref": f"#/components/schemas/{name}"} for name in (*models, "StreamError", "Farewell")]
        data |= {"contentMediaType": "application/json", "contentSchema": {"anyOf": refs}}
    text = {"type": "string"}
    event = {"type": "object", "required": ["data"], "properties": {"data": data, "event": text, "id": text}}
    return {
        200: {
            "description": "Server-sent events. `error` ends a stream that failed, `farewell` one whose service stops.",
            "content": {"text/event-stream": {"itemSchema": event}},
        }
    }


NOTHING_MORE: dict[int | str, dict[str, Any]] = {204: {"description": "Nothing follows, and nothing will."}}


class StreamError(Frozen):
    """Data of an event `error`: the stream failed, and ends with it."""

    message: str
    error_id: str | None
    """Under which the service's log has the rest, for a failure of its own."""


class Farewell(Frozen):
    """Data of an event `farewell`: the service stops."""

    reason: str = "The service stops; come back with the last id."


class TooManyStreamsError(TunerError):
    """Of the limit that the settings give."""


def after(last: str | None) -> int:
    """The sequence in a `Last-Event-ID`; 0 without one.

    Raises:
        InvalidSpecError: it is no sequence.
    """
    if last is None:
        return 0
    if not (last.isascii() and last.isdigit()) or int(last) > LARGEST:
        raise InvalidSpecError(
            [Problem(f"{last!r:.60} is no id that was sent; leave it out to read from the start", "Last-Event-ID")]
        )
    return int(last)


def message(event: str, data: BaseModel, *, id: str | int | None = None) -> Message:  # noqa: A002
    return {"event": event, "data": data.model_dump_json()} | ({} if id is None else {"id": str(id)})


FAREWELL = message("farewell", Farewell())


@dataclass
class Streams:
    """The event streams that one application has open."""

    limit: int
    _stops: set[anyio.Event] = field(default_factory=set)
    _closed: bool = False

    @property
    def open(self) -> int:
        return len(self._stops)

    def close(self) -> None:
        """Every stream says farewell and ends."""
        self._closed = True
        for stop in self._stops:
            stop.set()

    def response(self, messages: AsyncGenerator[Message, None], *, farewell: Message = FAREWELL) -> EventSourceResponse:
        """Answers with `messages`, which are closed however the stream ends.

        Whatever may be refused must be checked before: a stream that has begun has no status any more. A failure
        inside it becomes an event `error`, the end of the service `farewell`.

        Raises:
            TooManyStreamsError: so many are open that another one would hurt them.
        """
        if len(self._stops) >= self.limit:
            raise TooManyStreamsError(
                f"{self.limit} streams are open, the limit; close some, or raise AUTOTUNER_MAX_STREAMS."
            )
        stop = anyio.Event()
        if self._closed:
            stop.set()
        return EventSourceResponse(
            self._until(stop, messages, farewell),
            sep="\n",  # readers of AG-UI do not understand \r\n
            ping=PING_S,
            send_timeout=SEND_S,
            shutdown_event=stop,
            shutdown_grace_period=FAREWELL_S,
        )

    async def _until(
        self, stop: anyio.Event, messages: AsyncGenerator[Message, None], farewell: Message
    ) -> AsyncIterator[Message]:
        """The messages, until they end, the service stops, or the reader leaves."""
        self._stops.add(stop)
        stopping = asyncio.ensure_future(stop.wait())
        coming: asyncio.Future[Message] | None = None
        try:
            while True:
                coming = asyncio.ensure_future(anext(messages))
                await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    yield farewell
                    return
                try:
                    told = coming.result()
                except StopAsyncIteration:
                    return
                except TunerError as error:
                    yield message("error", StreamError(message=str(error), error_id=None))
                    return
                except Exception as error:  # the edge: its status is sent already
                    error_id = uuid4().hex[:12]
                    log.error("error %s in a stream", error_id, exc_info=error)
                    yield message("error", StreamError(message="The service failed at this.", error_id=error_id))
                    return
                yield told
        finally:
            self._stops.discard(stop)
            stopping.cancel()
            # Shielded: the reader that leaves cancels us again at every step.
            with anyio.CancelScope(shield=True):
                if coming is not None and not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
                await messages.aclose()
