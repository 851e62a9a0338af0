"""The log of a session: whoever reads it, from wherever and however slowly, sees every event once and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import Run, RunState
from agent.events.log import EventLog, joined, unread_part
from agent.events.stream import EventStream
from agent.events.types import (
    Payload,
    RunEvent,
    RunFinished,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCallArgs,
    ToolProgress,
    Usage,
)
from agent.storage import migrations
from agent.storage.sessions import SessionStore
from tests.fakes.talk import Call, Say, kinds, talk, text
from tuner.errors import StorageError
from tuner.storage.database import Database
from tuner.storage.statements import now


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[EventStream, SessionStore]]:
    database = Database(url, migrations)
    await database.open()
    stream = EventStream(EventLog(database))
    running = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(30):
            yield stream, SessionStore(database)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await database.close()


async def begun(store: SessionStore) -> tuple[Run, int]:
    session = await store.add_session(None)
    found = await store.begin(session.id, "run", "message", "owner")
    return found.run, found.last


def said(events: list[RunEvent]) -> str:
    return "".join(event.payload.text for event in events if isinstance(event.payload, TextDelta))


DONE = RunFinished(outcome="done")


# Joining and cutting

PIECES = st.lists(
    st.one_of(
        st.builds(lambda text: TextDelta(message_id="m", text=text), st.text(min_size=1, max_size=5)),
        st.builds(lambda text: ToolCallArgs(call_id="c", delta=text), st.text(min_size=1, max_size=5)),
        st.just(ToolProgress(call_id="c", data={})),
    ),
    max_size=20,
)


def numbered(payloads: list[Payload]) -> list[RunEvent]:
    last, events = 0, []
    for payload in payloads:
        last += len(getattr(payload, "text", "")) or len(getattr(payload, "delta", "")) or 1
        events.append(RunEvent(session_id="s", run_id="r", sequence=last, at=now(), payload=payload))
    return events


def flat(events: list[RunEvent]) -> list[tuple[str, str]]:
    """Character by character."""
    return [
        (event.payload.kind, sign)
        for event in events
        for sign in getattr(event.payload, "text", "") or getattr(event.payload, "delta", "") or " "
    ]


@given(PIECES, st.integers(0, 60))
def test_whoever_reads_on_in_a_joined_log_gets_exactly_what_is_missing(pieces: list[Payload], after: int) -> None:
    events = numbered(pieces)
    seen = [event for event in events if event.sequence <= after]
    reached = seen[-1].sequence if seen else 0
    rest = [new for event in joined(events) if (new := unread_part(event, reached)) is not None]
    assert flat(seen) + flat(rest) == flat(events)
    assert joined(joined(events)) == joined(events)


# Writing and reading


async def test_deltas_are_told_one_by_one_and_kept_as_one(store_url: str) -> None:
    async with opened(store_url) as (stream, store):
        run, last = await begun(store)
        writer = stream.writer(run, last)
        following = stream.follow(run.session_id, 0)
        writer.emit(TextStarted(message_id="m"))
        seen = [await anext(following)]
        for number in range(50):
            writer.emit(TextDelta(message_id="m", text=f"{number} "))
            seen.append(await anext(following))
            if number % 10 == 0:
                await stream.flush()
        writer.emit(TextEnded(message_id="m"), Usage(message_id="m", input_tokens=3, output_tokens=4))
        await writer.end(DONE, RunState.DONE)
        seen += [await anext(following) for _ in range(3)]
        await following.aclose()
        kept = await stream.log.read(run.session_id, 0)
        assert [event.payload.kind for event in kept] == [
            "text_started",
            "text_delta",
            "text_ended",
            "usage",
            "run_finished",
        ]
        assert said(kept) == said(seen) == "".join(f"{number} " for number in range(50))
        assert kept[-1] == seen[-1]
        assert (await store.session(run.session_id)).output_tokens == 4
        assert (await store.run(run.id)).state is RunState.DONE


async def test_readers_who_come_at_any_moment_see_the_same(store_url: str) -> None:
    async with opened(store_url) as (stream, store):
        run, last = await begun(store)
        writer = stream.writer(run, last)
        readers: list[asyncio.Task[list[RunEvent]]] = []

        async def read(after: int) -> list[RunEvent]:
            events = []
            async for event in stream.follow(run.session_id, after):
                events.append(event)
                if event.ends_run:
                    break
            return events

        writer.emit(TextStarted(message_id="m"))
        for number in range(30):
            writer.emit(TextDelta(message_id="m", text=f"{number} "))
            if number % 3 == 0:
                readers.append(asyncio.create_task(read(after=number)))
                await asyncio.sleep(0.005)
        writer.emit(TextEnded(message_id="m"))
        await writer.end(DONE, RunState.DONE)
        whole = "".join(f"{number} " for number in range(30))
        for after, events in zip(range(0, 30, 3), await asyncio.gather(*readers), strict=True):
            assert said(events) == whole[max(after - 1, 0) :]
            assert [event.sequence for event in events] == sorted({event.sequence for event in events})


async def test_a_reader_slower_than_the_turn_loses_nothing_and_slows_nobody(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.events.stream.BACKLOG", 10)
    async with opened(store_url) as (stream, store):
        run, last = await begun(store)
        writer = stream.writer(run, last)
        slow = stream.follow(run.session_id, 0)
        writer.emit(TextStarted(message_id="m"))
        seen = [await anext(slow)]
        for number in range(500):
            writer.emit(TextDelta(message_id="m", text=f"{number} "))
        writer.emit(TextEnded(message_id="m"))
        await writer.end(DONE, RunState.DONE)
        async for event in slow:
            seen.append(event)
            if event.ends_run:
                break
        await slow.aclose()
        assert said(seen) == "".join(f"{number} " for number in range(500))
        assert kinds(seen) == ["text_started", "text_delta", "text_ended", "run_finished"]


async def test_another_process_reads_what_is_written_here(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.events.stream.POLL_S", 0.02)
    async with opened(store_url) as (here, store), opened(store_url) as (there, _):
        run, last = await begun(store)
        writer = here.writer(run, last)

        async def read() -> list[RunEvent]:
            events = []
            async for event in there.follow(run.session_id, 0):
                events.append(event)
                if event.ends_run:
                    break
            return events

        reading = asyncio.create_task(read())
        writer.emit(TextStarted(message_id="m"))
        for number in range(20):
            writer.emit(TextDelta(message_id="m", text=f"{number} "))
            await asyncio.sleep(0.01)
        writer.emit(TextEnded(message_id="m"))
        await writer.end(DONE, RunState.DONE)
        events = await reading
        assert said(events) == "".join(f"{number} " for number in range(20))
        assert kinds(events) == ["text_started", "text_delta", "text_ended", "run_finished"]


async def test_a_reader_ends_when_another_process_deletes_the_session(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.events.stream.POLL_S", 0.02)
    async with opened(store_url) as (here, store), opened(store_url) as (_, elsewhere):
        session = await store.add_session(None)

        async def read() -> list[RunEvent]:
            return [event async for event in here.follow(session.id, 0)]

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        await elsewhere.delete(session.id)
        assert await reading == []


async def test_what_cannot_be_written_waits_and_keeps_no_other_session_waiting(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(store_url) as (stream, store):
        session = await store.add_session(None)
        one = (await store.begin(session.id, "broken", "message", "owner")).run
        other, last = await begun(store)
        write, broken = stream.log.write, True

        async def failing(batches: list[object]) -> None:
            if broken and any(batch.session_id == one.session_id for batch in batches):  # type: ignore[attr-defined]
                raise StorageError("The database stays locked.")
            await write(batches)  # type: ignore[arg-type]

        monkeypatch.setattr(stream.log, "write", failing)
        stream.writer(one, 0).emit(TextStarted(message_id="a"))
        stream.writer(other, last).emit(TextStarted(message_id="b"))
        with pytest.raises(StorageError, match="locked"):
            await stream.flush()
        assert await stream.log.read(one.session_id, 0) == []
        assert len(await stream.log.read(other.session_id, 0)) == 1
        broken = False
        await stream.flush()
        assert len(await stream.log.read(one.session_id, 0)) == 1


async def test_the_events_of_a_session_that_another_process_deleted_are_dropped(store_url: str) -> None:
    async with opened(store_url) as (stream, store):
        run, last = await begun(store)
        writer = stream.writer(run, last)
        await store.delete(run.session_id)
        writer.emit(TextStarted(message_id="m"))
        await writer.end(DONE, RunState.DONE)
        assert writer.gone


# Through the door


async def test_a_run_can_be_read_from_anywhere_in_it_and_by_two_at_once(tmp_path: Path) -> None:
    script = [Say("Looking at it. ", calls=[Call("look")], pause_s=0.002), Say("It is fine.", pause_s=0.002)]
    async with talk(tmp_path, script) as one:
        run_id = await one.assistant.send(one.session_id, "look")
        first, second = await asyncio.gather(one.heard(run_id), one.heard(run_id))
        assert text(first) == text(second) == "Looking at it. It is fine."
        middle = next(event.sequence for event in first if event.payload.kind == "text_delta") + 3
        rest = [event async for event in one.assistant.run_events(run_id, after=middle)]
        assert rest[0].payload.kind == "text_delta"
        assert text(first).endswith(text(rest))
        assert len(text(first)) - len(text(rest)) == middle - first[2].sequence
        last = first[-1].sequence
        assert [event async for event in one.assistant.run_events(run_id, after=last)] == []


async def test_a_turn_goes_on_when_its_reader_leaves(tmp_path: Path) -> None:
    async with talk(tmp_path, [Say("one two three four", pause_s=0.01)]) as one:
        run_id = await one.assistant.send(one.session_id, "count")
        await one.until(run_id, lambda payload: payload.kind == "text_delta")
        events = await one.heard(run_id)
        assert text(events) == "one two three four"
