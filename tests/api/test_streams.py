"""Server-sent events of tasks and logs: complete, resumable, shared, and gone when their readers are."""

import asyncio
import json
import resource
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from httpx_sse import ServerSentEvent, aconnect_sse
from starlette.responses import Response

from api import feeds as feeds_module
from api import streams as streams_module
from api.app import create_app
from api.feeds import Feeds
from api.streams import Message, StreamError, Streams, message
from tests.fakes.http import TOKEN, free_port, served, server_settings
from tests.fakes.rig import spec
from tests.fakes.stores import live_owner
from tuner.domain import Event, TaskState
from tuner.errors import StorageError
from tuner.service import Tuner
from tuner.storage.store import Lease


def streams_of(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


async def running(tuner: Tuner) -> Lease:
    """A task in the hands of another process; its first three events are there."""
    task = await tuner.create(spec())
    await tuner.start(task.id)
    lease = await tuner._store.claim(task.id, live_owner())
    assert lease is not None
    return lease


async def tell(tuner: Tuner, lease: Lease, *numbers: int) -> None:
    await tuner._store.record(lease, events=[("told", {"number": number}) for number in numbers])


@pytest.fixture
async def online(tuner: Tuner) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The application on a real connection, where readers can leave."""
    async with serving(tuner) as both:
        yield both


@asynccontextmanager
async def serving(tuner: Tuner, **settings: object) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    held, port = free_port()
    app = create_app(tuner, None, server=server_settings(port=port, **settings))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        served(app, held),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client,
    ):
        yield app, client


async def until(true: Any) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


def plain(events: list[ServerSentEvent]) -> list[tuple[str, str, str]]:
    return [(event.id, event.event, event.data) for event in events]


async def test_a_finished_tasks_events_are_told_from_the_first_to_the_last(
    client: httpx.AsyncClient, tuner: Tuner
) -> None:
    lease = await running(tuner)
    await tell(tuner, lease, 4, 5)
    await tuner._store.finish(lease, TaskState.COMPLETED)
    stream = f"/api/tasks/{lease.task_id}/events"
    async with aconnect_sse(client, "GET", stream) as source:
        events = [event async for event in source.aiter_sse()]
    assert [event.id for event in events] == [str(number) for number in range(1, len(events) + 1)]
    assert [event.event for event in events][:4] == ["task_created", "task_queued", "task_started", "told"]
    assert Event.model_validate_json(events[3].data).payload == {"number": 4}
    async with aconnect_sse(client, "GET", stream, headers={"Last-Event-ID": "4"}) as source:
        assert plain([event async for event in source.aiter_sse()]) == plain(events[4:])
    spent = await client.get(stream, headers={"Last-Event-ID": str(len(events))})
    assert (spent.status_code, spent.content) == (204, b"")


async def test_lines_end_as_every_reader_understands(client: httpx.AsyncClient, tuner: Tuner) -> None:
    lease = await running(tuner)
    await tuner._store.finish(lease, TaskState.COMPLETED)
    answer = await client.get(f"/api/tasks/{lease.task_id}/events")
    assert b"\r" not in answer.content
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "²", "99999999999", "3:4"])
@pytest.mark.parametrize("stream", ["events", "logs/stream"])
async def test_an_id_that_was_never_sent_is_refused_before_the_stream_begins(
    client: httpx.AsyncClient, tuner: Tuner, stream: str, last: str
) -> None:
    if (stream, last) == ("logs/stream", "3:4"):
        last = "3:4:5"
    task = (await tuner.create(spec())).id
    headers = httpx.Headers({"Last-Event-ID": last}, encoding="utf-8")
    refused = await client.get(f"/api/tasks/{task}/{stream}", headers=headers)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["where"] == "Last-Event-ID"


@pytest.mark.parametrize("stream", ["events", "logs/stream"])
async def test_a_task_that_is_not_there_is_told_before_the_stream_begins(
    client: httpx.AsyncClient, stream: str
) -> None:
    assert (await client.get(f"/api/tasks/nope/{stream}")).status_code == 404


async def test_two_readers_see_the_same_and_the_store_is_followed_once(
    online: tuple[FastAPI, httpx.AsyncClient], tuner: Tuner
) -> None:
    app, client = online
    lease = await running(tuner)
    stream = f"/api/tasks/{lease.task_id}/events"
    async with aconnect_sse(client, "GET", stream) as first, aconnect_sse(client, "GET", stream) as second:
        one, two = aiter(first.aiter_sse()), aiter(second.aiter_sse())
        seen = [[await anext(reader) for _ in range(3)] for reader in (one, two)]
        await until(lambda: app.state.feeds.followed == 1)
        assert app.state.streams.open == 2
        await tell(tuner, lease, 1, 2, 3)
        for reader, told in zip((one, two), seen, strict=True):
            told += [await anext(reader) for _ in range(3)]
        await tuner._store.finish(lease, TaskState.COMPLETED)
        for reader, told in zip((one, two), seen, strict=True):
            told += [event async for event in reader]
    assert plain(seen[0]) == plain(seen[1])
    assert [event.id for event in seen[0]] == ["1", "2", "3", "4", "5", "6", "7"]


async def test_a_reader_that_leaves_leaves_nothing_behind(
    online: tuple[FastAPI, httpx.AsyncClient], tuner: Tuner
) -> None:
    app, client = online
    lease = await running(tuner)
    left: list[int] = []
    for _ in range(3):  # what the first one leaves belongs to the server
        async with aconnect_sse(client, "GET", f"/api/tasks/{lease.task_id}/events") as source:
            reader = source.aiter_sse()  # held: the connection ends with it
            await anext(reader)
            await until(lambda: app.state.feeds.followed == 1)
        await until(lambda: app.state.feeds.followed == 0 and app.state.streams.open == 0)
        await until(lambda: not left or len(asyncio.all_tasks()) <= left[0])
        left.append(len(asyncio.all_tasks()))


async def test_when_the_service_stops_every_stream_says_farewell(tuner: Tuner) -> None:
    lease = await running(tuner)
    ended: list[ServerSentEvent] = []

    async def read(client: httpx.AsyncClient, ready: asyncio.Event) -> None:
        async with aconnect_sse(client, "GET", f"/api/tasks/{lease.task_id}/events") as source:
            async for event in source.aiter_sse():
                if event.id == "3":
                    ready.set()
                ended.append(event)

    async with serving(tuner) as (app, client):
        ready = asyncio.Event()
        reading = asyncio.create_task(read(client, ready))
        await ready.wait()
        app.state.streams.close()
        await reading
        assert (await client.get(f"/api/tasks/{lease.task_id}/events")).text.count("event: farewell") == 1
    assert [event.event for event in ended][-1] == "farewell"


async def test_a_failure_inside_a_stream_is_an_event_and_says_nothing_of_what_is_inside(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def full() -> AsyncGenerator[Message, None]:
        yield message("fine", StreamError(message="so far", error_id=None))
        raise StorageError("The database is full; free some space.")

    async def broken() -> AsyncGenerator[Message, None]:
        yield message("fine", StreamError(message="so far", error_id=None))
        raise ZeroDivisionError("a secret")

    @app.get("/api/full")
    async def _(request: Request) -> Response:
        return streams_of(request).response(full())

    @app.get("/api/broken")
    async def _(request: Request) -> Response:
        return streams_of(request).response(broken())

    async with aconnect_sse(client, "GET", "/api/full") as source:
        events = [event async for event in source.aiter_sse()]
    assert [event.event for event in events] == ["fine", "error"]
    assert json.loads(events[1].data)["message"] == "The database is full; free some space."
    async with aconnect_sse(client, "GET", "/api/broken") as source:
        events = [event async for event in source.aiter_sse()]
    error = json.loads(events[1].data)
    assert "secret" not in events[1].data
    assert any(error["error_id"] in record.getMessage() and record.exc_info for record in caplog.records)


async def test_a_deleted_tasks_stream_ends_with_the_reason(client: httpx.AsyncClient, tuner: Tuner) -> None:
    task = await tuner.create(spec())

    async def read() -> list[ServerSentEvent]:
        async with aconnect_sse(client, "GET", f"/api/tasks/{task.id}/events") as source:
            return [event async for event in source.aiter_sse()]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    await tuner.delete(task.id)
    events = await reading
    assert events[-1].event == "error"
    assert task.id in events[-1].data


async def test_more_streams_than_the_limit_are_refused_with_the_way_out(tuner: Tuner) -> None:
    lease = await running(tuner)
    stream = f"/api/tasks/{lease.task_id}/events"
    async with serving(tuner, max_streams=1) as (app, client):
        async with aconnect_sse(client, "GET", stream) as source:
            reader = source.aiter_sse()
            await anext(reader)
            refused = await client.get(stream)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
            assert "AUTOTUNER_MAX_STREAMS" in refused.json()["detail"]
        await until(lambda: app.state.streams.open == 0)
        async with aconnect_sse(client, "GET", stream) as source:
            assert (await anext(aiter(source.aiter_sse()))).id == "1"


async def test_a_reader_that_is_far_behind_misses_nothing(tuner: Tuner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds_module, "BACKLOG", 3)
    lease = await running(tuner)
    async with Feeds(tuner) as feeds:
        slow, quick = feeds.events(lease.task_id, 0), feeds.events(lease.task_id, 0)
        read = {"slow": [(await anext(slow)).sequence], "quick": []}
        for number in range(4, 40):
            await tell(tuner, lease, number)
            while not read["quick"] or read["quick"][-1] < number:
                read["quick"].append((await anext(quick)).sequence)
            if number == 6:  # so far the slow one follows, and then it takes nothing for a while
                read["slow"] += [(await anext(slow)).sequence for _ in range(5)]
        await tuner._store.finish(lease, TaskState.COMPLETED)
        for name, events in (("slow", slow), ("quick", quick)):
            read[name] += [event.sequence async for event in events]
    assert read["slow"] == read["quick"] == list(range(1, 41))


async def test_a_reader_that_takes_a_byte_at_a_time_does_not_hold_up_others(
    online: tuple[FastAPI, httpx.AsyncClient], tuner: Tuner
) -> None:
    app, client = online
    lease = await running(tuner)
    stream = f"/api/tasks/{lease.task_id}/events"
    slow = socket.create_connection(("127.0.0.1", client.base_url.port or 0))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    head = f"Host: 127.0.0.1:{client.base_url.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    slow.sendall(f"GET {stream} HTTP/1.1\r\n{head}".encode())
    try:
        async with aconnect_sse(client, "GET", stream) as source:
            reader = aiter(source.aiter_sse())
            for number in range(200):
                await tuner._store.record(
                    lease, events=[("told", {"text": "x" * 20_000})]
                )  # 4 MB in all: more than any buffer on the way
                if number % 10 == 0:
                    await asyncio.to_thread(slow.recv, 1)
            await tuner._store.finish(lease, TaskState.COMPLETED)
            assert [int(event.id) async for event in reader] == list(range(1, 205))
        assert app.state.streams.open == 1, "the slow one is still there"
    finally:
        slow.close()
    await until(lambda: app.state.streams.open == 0)


async def test_a_reader_that_takes_nothing_any_more_is_left(tuner: Tuner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "SEND_S", 0.1)
    lease = await running(tuner)
    await tuner._store.record(lease, events=[("told", {"text": "x" * 100_000})] * 100)
    async with serving(tuner) as (app, client):
        with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as stuck:
            head = f"Host: 127.0.0.1:{client.base_url.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            stuck.sendall(f"GET /api/tasks/{lease.task_id}/events HTTP/1.1\r\n{head}".encode())
            await until(lambda: app.state.streams.open == 1)
            await until(lambda: app.state.streams.open == 0)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of every connection are here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
async def test_five_hundred_readers_all_see_everything(online: tuple[FastAPI, httpx.AsyncClient], tuner: Tuner) -> None:
    app, _ = online
    lease = await running(tuner)
    limits = httpx.Limits(max_connections=None)
    seen: list[list[str]] = []

    async def read(client: httpx.AsyncClient) -> None:
        async with aconnect_sse(client, "GET", f"/api/tasks/{lease.task_id}/events") as source:
            # After a ping, this reader makes an event without data.
            seen.append([f"{event.id} {event.event}" async for event in source.aiter_sse() if event.data])

    async with httpx.AsyncClient(
        base_url=online[1].base_url, headers=online[1].headers, timeout=60, limits=limits
    ) as client:
        reading = [asyncio.create_task(read(client)) for _ in range(500)]
        await until(lambda: app.state.streams.open == 500)
        assert app.state.feeds.followed == 1
        health = await online[1].get("/api/system/health")
        await tell(tuner, lease, *range(20))
        await tuner._store.finish(lease, TaskState.COMPLETED)
        await asyncio.gather(*reading)
    assert health.status_code == 200
    assert len(seen) == 500
    assert [one for one in seen if one != seen[0] or len(one) != 24] == []
    await until(lambda: app.state.streams.open == 0)


async def test_a_log_is_followed_over_experiments_and_resumed_in_the_middle(
    client: httpx.AsyncClient, tuner: Tuner
) -> None:
    task = await tuner.create(spec(parameters={"speed": [5]}))
    await tuner.start(task.id)
    await tuner.run(task.id)
    for number, text in ((0, "zero\nnull\n"), (1, "one\n")):
        (tuner.settings.runs(task.id) / str(number) / "engine.log").write_text(text)
    stream = f"/api/tasks/{task.id}/logs/stream"

    async def read(last: str | None = None, **params: Any) -> list[tuple[str, str]]:
        headers = {} if last is None else {"Last-Event-ID": last}
        async with aconnect_sse(client, "GET", stream, params=params, headers=headers) as source:
            return [(event.id, json.loads(event.data)["text"]) async for event in source.aiter_sse()]

    assert await read() == [("1:4", "one\n")]
    assert await read(experiment=0) == [("0:10", "zero\nnull\n")]
    assert await read("0:5") == [("0:10", "null\n"), ("1:4", "one\n")]
    assert await read("0:5", experiment=0) == [("0:10", "null\n")]
    assert await read(benchmark=True) == [(":15", "load generator\n")]
    for last, params in (("1:4", {}), ("0:10", {"experiment": 0}), (":15", {"benchmark": True})):
        spent = await client.get(stream, params=params, headers={"Last-Event-ID": last})
        assert spent.status_code == 204
