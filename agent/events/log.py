"""The log of events in the database: appended to, neighbouring deltas joined, read in pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import RunState
from agent.events.types import Payload, RunEvent, TextDelta, ToolCallArgs, Usage
from agent.storage.schema import RUN, RUN_EVENT, SESSION
from tuner.domain import LARGEST
from tuner.storage.database import Database, whole
from tuner.storage.statements import now

PAGE = 500


@dataclass
class Batch:
    """What is to be written of one session, all or nothing."""

    session_id: str
    events: list[RunEvent] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    """Sequences of rows that `events` hold joined."""
    ended: tuple[str, RunState] | None = None
    """A run that ends with it."""


class EventLog:
    """Events of all sessions. Every method raises StorageError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def write(self, batches: Sequence[Batch]) -> None:
        async with self._database.writing() as connection:
            for batch in batches:
                await _write(connection, batch)

    @whole
    async def append(self, session_id: str, run_id: str, payloads: Sequence[Payload]) -> list[RunEvent]:
        """For what happens while no run goes on: gives the next sequences."""
        async with self._database.writing() as connection:
            at, newest = now(), select(func.max(RUN_EVENT.c.sequence)).where(RUN_EVENT.c.session_id == session_id)
            last = await connection.scalar(newest) or 0
            events = [
                RunEvent(session_id=session_id, run_id=run_id, sequence=last + place, at=at, payload=payload)
                for place, payload in enumerate(payloads, start=1)
            ]
            await _write(connection, Batch(session_id, events))
        return events

    @whole
    async def read(self, session_id: str, after: int) -> list[RunEvent]:
        """A page of the events that reach beyond `after`, in order; a delta may begin before."""
        later = (RUN_EVENT.c.session_id == session_id, RUN_EVENT.c.sequence > min(after, LARGEST))
        async with self._database.reading() as connection:
            page = select(RUN_EVENT).where(*later).order_by(RUN_EVENT.c.sequence).limit(PAGE)
            return [RunEvent.model_validate(row._asdict()) for row in await connection.execute(page)]

    @whole
    async def span(self, run_id: str) -> tuple[int, int]:
        """The first and the last sequence that a run has written; (0, 0) before the first."""
        reach = select(func.min(RUN_EVENT.c.sequence), func.max(RUN_EVENT.c.sequence))
        async with self._database.reading() as connection:
            first, last = (await connection.execute(reach.where(RUN_EVENT.c.run_id == run_id))).one()
        return first or 0, last or 0

    @whole
    async def last_sequences(self, session_ids: Iterable[str]) -> dict[str, int]:
        """The last sequence of each of these sessions that is there."""
        last = select(func.max(RUN_EVENT.c.sequence)).where(RUN_EVENT.c.session_id == SESSION.c.id).scalar_subquery()
        async with self._database.reading() as connection:
            rows = await connection.execute(select(SESSION.c.id, last).where(SESSION.c.id.in_(session_ids)))
            return {session_id: sequence or 0 for session_id, sequence in rows}

    @whole
    async def answered_calls(self, session_id: str) -> set[str]:
        """The tool calls that have a result."""
        kind, call_id = (RUN_EVENT.c.payload[name].as_string() for name in ("kind", "call_id"))
        async with self._database.reading() as connection:
            results = select(call_id).where(RUN_EVENT.c.session_id == session_id, kind == "tool_result")
            return set(await connection.scalars(results))


def joined(events: Sequence[RunEvent]) -> list[RunEvent]:
    """The same log with neighbouring deltas of one message or call as one."""
    made: list[RunEvent] = []
    for event in events:
        if made and (both := _join(made[-1], event)) is not None:
            made[-1] = both
        else:
            made.append(event)
    return made


def unread_part(event: RunEvent, after: int) -> RunEvent | None:
    """The part of an event that is new to a reader who has read up to `after`. None: nothing."""
    if event.sequence <= after:
        return None
    match event.payload:
        case TextDelta(text=text) if (left := event.sequence - after) < len(text):
            payload: Payload = event.payload.model_copy(update={"text": text[-left:]})
        case ToolCallArgs(delta=delta) if (left := event.sequence - after) < len(delta):
            payload = event.payload.model_copy(update={"delta": delta[-left:]})
        case _:
            return event
    return event.model_copy(update={"payload": payload})


def sequence_width(payload: Payload) -> int:
    """How many sequence numbers a payload takes."""
    match payload:
        case TextDelta(text=text):
            return len(text)
        case ToolCallArgs(delta=delta):
            return len(delta)
        case _:
            return 1


def _join(one: RunEvent, other: RunEvent) -> RunEvent | None:
    if one.run_id != other.run_id or one.sequence != other.sequence - sequence_width(other.payload):
        return None
    match one.payload, other.payload:
        case TextDelta() as first, TextDelta() as second if first.message_id == second.message_id:
            payload: Payload = second.model_copy(update={"text": first.text + second.text})
        case ToolCallArgs() as first_args, ToolCallArgs() as second_args if first_args.call_id == second_args.call_id:
            payload = second_args.model_copy(update={"delta": first_args.delta + second_args.delta})
        case _:
            return None
    return other.model_copy(update={"payload": payload})


async def _write(connection: AsyncConnection, batch: Batch) -> None:
    here = RUN_EVENT.c.session_id == batch.session_id
    if batch.replaced:
        await connection.execute(delete(RUN_EVENT).where(here, RUN_EVENT.c.sequence.in_(batch.replaced)))
    if batch.events:
        rows = [{**event.model_dump(mode="json"), "at": event.at} for event in batch.events]
        await connection.execute(insert(RUN_EVENT), rows)
    session: dict[str, Any] = {}
    if used := [event.payload for event in batch.events if isinstance(event.payload, Usage)]:
        session["input_tokens"] = SESSION.c.input_tokens + sum(usage.input_tokens for usage in used)
        session["output_tokens"] = SESSION.c.output_tokens + sum(usage.output_tokens for usage in used)
    if batch.ended is not None:
        run_id, state = batch.ended
        ended = (
            update(RUN)
            .where(RUN.c.id == run_id, RUN.c.state == RunState.RUNNING.value)
            .values(state=state.value, ended_at=now())
        )
        await connection.execute(ended)
        session["updated_at"] = now()
    if session:
        await connection.execute(update(SESSION).where(SESSION.c.id == batch.session_id).values(session))
