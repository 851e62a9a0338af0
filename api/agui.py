"""The assistant over AG-UI: runs are started by POST, and read again and on by GET, as server-sent events.

A run belongs to the service, not to the connection that began it: who leaves may come back with `Last-Event-ID`, and
nothing but a request to cancel ends a turn. Everything that can be refused is refused before a stream begins.
"""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from uuid import uuid4

from ag_ui.core import BaseEvent, RunAgentInput, RunErrorEvent, TextPart, UserMessage
from fastapi import APIRouter, Query, Response

from agent.domain import Run, RunState
from agent.errors import InvalidInputError
from agent.events.types import BETWEEN, RunEvent
from api.deps import AssistantDep, LastId, StreamsDep
from api.encoder import Encoder, event_id
from api.interrupts import decisions
from api.problems import documented
from api.streams import NOTHING_MORE, Message, Streams
from tuner.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from agent.service import Assistant

log = logging.getLogger(__name__)
router = APIRouter(prefix="/agent", tags=["agent"])

RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
POSITION = re.compile(r"(?P<run>[A-Za-z0-9_-]{0,64}):(?P<sequence>[0-9]{1,15})(\.(?P<part>[0-9]{1,3}))?")

WHO = "http"
"""Who has decided, for the audit log."""

Events: TypeAlias = AsyncGenerator[RunEvent, None]
Frames: TypeAlias = AsyncGenerator[Message, None]
Protocol = Annotated[
    Literal["1.0", "0"],
    Query(
        description="What the reader speaks: AG-UI 1.0, or one that came before (0): no version, no cancelled outcome."
    ),
]
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `data` is an AG-UI event, `id` says how to go on after it.",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "required": ["data"],
                    "properties": {
                        "data": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {"$ref": "#/components/schemas/AguiEvent"},
                        },
                        "id": {"type": "string"},
                    },
                }
            }
        },
    }
}
FAREWELL = RunErrorEvent(message="The service stops. Come back with the last id.", code="farewell")
Echo = Annotated[bool, Query(description="Send what the user wrote, too. Not to who has it: the client that wrote it.")]
Follow = Annotated[bool, Query(description="Wait for what is still to come; else end with what there is.")]


@dataclass(frozen=True)
class Position:
    """How far a reader has come: `<run>:<sequence>`, and `.<part>` within an event that became several."""

    run_id: str
    sequence: int
    part: int = 0
    """How many parts of the event after `sequence` are known; 0: none."""

    @classmethod
    def parse(cls, text: str) -> "Position":
        if (found := POSITION.fullmatch(text)) is None:
            raise InvalidInputError(
                f"Last-Event-ID is {text[:100]!r}, and must be the id of an event as it was sent, `<run>:<number>`. "
                "Leave it out to read from the start."
            )
        sequence, part = int(found["sequence"]), int(found["part"] or 0)
        return cls(found["run"], sequence - 1 if part else sequence, part)


@router.post("/runs", response_class=Response, responses=EVENTS | documented(404, 409, 422, 503))
async def start_run(body: RunAgentInput, assistant: AssistantDep, streams: StreamsDep) -> Response:
    """Say something, or answer the approvals that a run ended with, and read the run that comes of it.

    Of the input, only `threadId` (the session; empty: a new one), `runId` (unused, or empty), `protocolVersion`, the
    last message's text and `resume` are read; history, tools, arguments and state are the service's own. `resume` has
    an answer for every open approval: `resolved` with what the interrupt's `responseSchema` says, or `cancelled`.
    """
    run_id = _run_id(body.run_id)
    if run_id and (body.resume or not body.thread_id):
        await _check_unused(assistant, run_id)  # before anything is decided, or made
    if body.resume and (answers := await decisions(assistant, body.thread_id, body.resume)):
        run_id = await assistant.decide(body.thread_id, answers, who=WHO, run_id=run_id)
    else:  # with nothing but expired approvals given up, the conversation goes on with what is said
        text = _text(body)
        session_id = body.thread_id or (await assistant.create_session()).id
        try:
            run_id = await assistant.send(session_id, text, run_id=run_id)
        except ConflictError:
            if run_id:
                await _check_unused(assistant, run_id)  # which says where to read it
            raise
    if run_id is None:
        raise ConflictError("The decisions are recorded, and further approvals are open. Answer them to go on.")
    encoder = Encoder(versioned=body.protocol_version is not None, echo=False)
    return _stream(streams, _frames(assistant.run_events(run_id), encoder))


@router.get("/runs/{run_id}", responses=documented(404, 422, 503))
async def get_run(run_id: str, assistant: AssistantDep) -> Run:
    return await assistant.run(run_id)


@router.get(
    "/runs/{run_id}/events", response_class=Response, responses=EVENTS | NOTHING_MORE | documented(404, 422, 503)
)
async def read_run(
    run_id: str,
    assistant: AssistantDep,
    streams: StreamsDep,
    echo: Echo = True,
    protocol_version: Protocol = "1.0",
    last_event_id: LastId = None,
) -> Response:
    """A run's events from its start, or from after `Last-Event-ID`, to its end."""
    run = await assistant.run(run_id)
    position = _position(last_event_id)
    if position and position.run_id != run_id:
        raise InvalidInputError(
            f"Last-Event-ID is of run {position.run_id}, and run {run_id} is asked for. Leave it out."
        )
    after = position.sequence if position else 0
    if run.state != RunState.RUNNING and await _spent(assistant.run_events(run_id, after=after)):
        return Response(status_code=204)
    encoder = Encoder(versioned=protocol_version != "0", echo=echo)
    known, events = assistant.run_events(run_id), assistant.run_events(run_id, after=after)
    return _stream(streams, _frames(events, encoder, position, known))


@router.get(
    "/sessions/{session_id}/events",
    response_class=Response,
    responses=EVENTS | NOTHING_MORE | documented(404, 422, 503),
)
async def read_session(
    session_id: str,
    assistant: AssistantDep,
    streams: StreamsDep,
    follow: Follow = True,
    protocol_version: Protocol = "1.0",
    last_event_id: LastId = None,
) -> Response:
    """All runs of a session, one after the other, from the first or from after `Last-Event-ID`, and those to come.

    What happens between two runs comes as a short run of its own.
    """
    await assistant.session(session_id)
    position = _position(last_event_id)
    if position and position.run_id != BETWEEN and (await assistant.run(position.run_id)).session_id != session_id:
        raise InvalidInputError(
            f"Last-Event-ID is of run {position.run_id}, which is not of session {session_id}. Leave it out."
        )
    after = position.sequence if position else 0
    if not follow and await _spent(assistant.events(session_id, after=after, follow=False)):
        return Response(status_code=204)
    encoder = Encoder(versioned=protocol_version != "0")
    known = assistant.events(session_id, follow=False)
    events = assistant.events(session_id, after=after, follow=follow)
    return _stream(streams, _frames(events, encoder, position, known))


def _stream(streams: Streams, frames: Frames) -> Response:
    return streams.response(frames, farewell={"data": _json(FAREWELL)})


def _run_id(given: str) -> str | None:
    if given and not RUN_ID.fullmatch(given):
        raise InvalidInputError(
            f"runId is {given[:100]!r}, and may have 1 to 64 letters, digits, _ and -. Leave it empty to get one."
        )
    return given or None


async def _check_unused(assistant: "Assistant", run_id: str) -> None:
    try:
        await assistant.run(run_id)
    except NotFoundError:
        return
    raise ConflictError(
        f"Run {run_id} has been started already. Read it at /api/agent/runs/{run_id}/events, or send another runId."
    )


def _text(body: RunAgentInput) -> str:
    """What the user says now. Never an earlier message: it has been answered."""
    last = body.messages[-1] if body.messages else None
    if not isinstance(last, UserMessage):
        raise InvalidInputError(
            f"The last of {len(body.messages)} messages is {f'of role {last.role!r}' if last else 'missing'}. "
            "Send one of role 'user', or answer approvals with `resume`."
        )
    if isinstance(last.content, str):
        return last.content
    if foreign := [part.type for part in last.content if not isinstance(part, TextPart)]:
        raise InvalidInputError(f"The message has a part of type {foreign[0]!r}. Only text can be read; leave it out.")
    return "\n".join(part.text for part in last.content if isinstance(part, TextPart))


def _position(last_event_id: str | None) -> Position | None:
    return Position.parse(last_event_id) if last_event_id else None


async def _spent(events: Events) -> bool:
    async with aclosing(events):
        return await anext(events, None) is None


async def _frames(
    events: Events, encoder: Encoder, position: Position | None = None, known: Events | None = None
) -> Frames:
    """
    Args:
        events: those after `position`.
        known: from the start, for what is open at `position`.
    """
    skipped = position.part if position else 0
    try:
        if position and known:
            await _remember(encoder, position, known)
        async with aclosing(events):
            async for event in events:
                encoded = encoder.encode(event)
                for number, one in enumerate(encoded, 1):
                    if number > skipped:
                        part = "" if number == len(encoded) else f".{number}"
                        yield {"id": event_id(event) + part, "data": _json(one)}
                skipped = 0
    except Exception:  # the edge: the status is sent already
        error_id = uuid4().hex[:12]
        log.exception("error %s in a stream", error_id)
        failed = f"The service failed at this; its log has the reason under the id {error_id}."
        yield {"data": _json(RunErrorEvent(message=failed, code=error_id))}


async def _remember(encoder: Encoder, position: Position, known: Events) -> None:
    async with aclosing(known):
        async for event in known:
            if event.sequence > position.sequence:
                break
            encoder.encode(event)


def _json(event: BaseEvent) -> str:
    return event.model_dump_json(by_alias=True)
