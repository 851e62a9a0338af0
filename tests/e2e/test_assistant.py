"""The assistant in a hostile world: models that fail, messages that are none, clients that misbehave."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from pydantic import JsonValue

from tests.fakes.agent_app import HEADERS, Client, Told, interrupts, problem, text_of
from tests.fakes.model_server import Answer, Call, model_server
from tests.fakes.service import Service, Stage

pytestmark = pytest.mark.slow

SILENCE_S = 1
STEPS = 12
PRESET: dict[str, JsonValue] = {"name": "quick", "task": {"parameters": {"max-num-seqs": [4, 16]}}}
CLOCK = Call("get_current_time")
FAILING = {
    "401": (Answer("no", status=401), "refuses the key"),
    "429": (Answer("no", status=429), "takes no more requests"),
    "500": (Answer("no", status=500), "failed while it answered"),
    "silent": (Answer("late", wait_s=60), f"was silent for {SILENCE_S} s"),
    "silent in the middle": (Answer("one two three", pause_s=60), f"was silent for {SILENCE_S} s"),
    "cut in the middle of a tool call": (
        Answer(calls=[Call("get_task", {"task": "abc"})], cut_after=2),
        "its answer broke off",
    ),
}
STRANGE_IDS = ("../../etc/passwd", "0" * 33, "A" * 32, "' OR 1=1 --", "é" * 10, "%00", "x" * 5000)
MESSAGES = {
    "of a megabyte": ("x" * 2**20, 422, "1,048,576 characters, and 100,000 are the limit"),
    "empty": ("", 422, "The message is empty"),
    "blank": (" \n\t ", 422, "The message is empty"),
    "binary": ("\x00\x01\x02PNG", 422, "is no text"),
    "half of a surrogate pair": ("\ud800", 422, "is no text: character 1 is U+D800"),
    "of seventeen megabytes": ("x" * 17 * 2**20, 413, "are the limit"),
}


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def service(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {"AUTOTUNER_LLM_TIMEOUT_S": str(SILENCE_S), "AUTOTUNER_MAX_STEPS": str(STEPS)}
    with model_server(stage, repeat=True) as model:
        service = Service(tmp_path_factory.mktemp("hostile") / "home", model.url, settings=limits)
        service.start()
        yield service
        assert service.stop() == 0
    assert "api.problems" not in service.log.read_text()  # which answers with 500


@pytest.fixture
async def chat(service: Service, stage: Stage) -> AsyncIterator[Client]:
    """In a session of its own; whatever happens there, the service and other sessions go on."""
    async with service.chat() as chat:
        yield chat
    stage.script = [Answer("Fine.")]
    async with service.chat() as other:
        assert text_of(await other.talk()) == "Fine."


async def goes_on(chat: Client, stage: Stage) -> None:
    """The same session takes the next message."""
    stage.script = [Answer("Where were we?")]
    assert text_of(await chat.talk()) == "Where were we?"


def results(told: Sequence[Told]) -> list[dict[str, Any]]:
    return [one.event for one in told if one.type == "TOOL_CALL_RESULT"]


@pytest.mark.parametrize("how", FAILING)
async def test_a_model_that_fails_ends_the_turn_with_the_way_out_and_the_next_one_works(
    how: str, chat: Client, stage: Stage
) -> None:
    answer, why = FAILING[how]
    stage.script = [answer]
    told = await chat.talk()
    assert told[-1].type == "RUN_ERROR"
    assert why in told[-1].event["message"]
    await goes_on(chat, stage)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (Call("get_task", '{"task": "a'), "no valid JSON object"),
        (Call("get_task", '["a"]'), "no valid JSON object"),
        (Call("get_task", {"task": 7, "and": "more"}), "get_task"),
        (Call("format_disk", {"path": "/"}), "format_disk"),
    ],
    ids=["broken JSON", "a list", "of wrong types", "of no tool"],
)
async def test_a_call_that_cannot_be_run_is_answered_and_the_turn_goes_on(
    call: Call, why: str, chat: Client, stage: Stage
) -> None:
    stage.script = [Answer(calls=[call]), Answer("I see.")]
    told = await chat.talk()
    (result,) = results(told)
    assert why in result["content"]
    assert text_of(told) == "I see."
    assert told[-1].type == "RUN_FINISHED"


async def test_fifty_calls_at_once_are_all_answered(chat: Client, stage: Stage) -> None:
    stage.script = [Answer(calls=[CLOCK] * 50), Answer("Late.")]
    told = await chat.talk()
    assert len({one["toolCallId"] for one in results(told)}) == len(results(told)) == 50
    assert text_of(told) == "Late."


async def test_fifty_privileged_calls_at_once_ask_fifty_times_and_cancel_closes_them(
    chat: Client, stage: Stage
) -> None:
    calls = [Call("save_preset", {**PRESET, "name": f"quick-{number}"}) for number in range(50)]
    stage.script = [Answer(calls=calls)]
    assert len(interrupts(await chat.talk())) == 50
    await chat.post(f"/sessions/{chat.session}/cancel")
    assert (await chat.get("/approvals", session_id=chat.session, state="open"))["total"] == 0
    await goes_on(chat, stage)


async def test_an_endless_loop_of_calls_is_ended_with_a_sentence(chat: Client, stage: Stage) -> None:
    stage.script = [Answer(calls=[CLOCK])]
    told = await chat.talk()
    assert f"{STEPS} is the limit" in text_of(told)
    assert len(results(told)) == STEPS
    assert told[-1].type == "RUN_FINISHED"


@pytest.mark.parametrize("kind", MESSAGES)
async def test_what_is_no_message_is_refused_with_the_reason(kind: str, chat: Client) -> None:
    text, status, why = MESSAGES[kind]
    body = json.dumps(chat.said(text))
    refused = await chat.http.post("/runs", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == status
    assert why in problem(refused)[1]


async def test_bytes_that_are_no_json_are_refused(chat: Client) -> None:
    for body in (b"\xff\xfe\x00", b"{" * 100_000, b"[]", b"null", b""):
        refused = await chat.http.post("/runs", content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code in (400, 422), body[:10]
        assert problem(refused)


@pytest.mark.parametrize("strange", STRANGE_IDS)
async def test_a_session_id_of_another_form_is_just_not_there(strange: str, chat: Client) -> None:
    refused = [
        await chat.http.post("/runs", json=chat.said(threadId=strange)),
        await chat.http.get(f"/sessions/{quote(strange, safe='')}"),
        await chat.http.get(f"/sessions/{quote(strange, safe='')}/events"),
        await chat.http.post(f"/sessions/{quote(strange, safe='')}/cancel"),
        await chat.http.delete(f"/sessions/{quote(strange, safe='')}"),
    ]
    assert {one.status_code for one in refused} <= {404, 422}
    assert all(problem(one) for one in refused)


async def test_a_session_deleted_in_the_middle_of_a_turn_is_gone_and_its_stream_ends(
    chat: Client, stage: Stage
) -> None:
    stage.script = [Answer("word " * 1000, pause_s=0.05)]
    async for told in chat.stream():
        if told.type == "TEXT_MESSAGE_CONTENT":
            assert (await chat.http.delete(f"/sessions/{chat.session}")).status_code in (204, 404)
    assert (await chat.http.get(f"/sessions/{chat.session}")).status_code == 404


async def test_nothing_can_be_approved_in_a_deleted_session(chat: Client, service: Service, stage: Stage) -> None:
    stage.script = [Answer(calls=[Call("save_preset", PRESET)]), Answer("Kept.")]
    (asked,) = interrupts(await chat.talk())
    assert (await chat.http.delete(f"/sessions/{chat.session}")).status_code == 204
    answered = [{"interruptId": asked["id"], "status": "resolved", "payload": {"approved": True}}]
    assert problem(await chat.http.post("/runs", json=chat.said(resume=answered)))[0] == 404
    refused = await chat.http.post(f"/approvals/{asked['id']}/decision", json={"kind": "approve"})
    assert problem(refused)[0] == 404
    async with service.client() as http:
        assert (await http.get(f"/api/presets/{PRESET['name']}")).status_code == 404


async def test_of_ten_messages_at_once_one_is_taken(chat: Client, stage: Stage) -> None:
    stage.script = [Answer("one two three four", pause_s=0.2)]
    answered = await asyncio.gather(*(chat.http.post("/runs", json=chat.said(f"{n}")) for n in range(10)))
    assert sorted(one.status_code for one in answered) == [200] + [409] * 9
    refused = next(one for one in answered if one.status_code == 409)
    assert "A turn is running in this session" in problem(refused)[1]
    await goes_on(chat, stage)


async def test_a_client_that_reads_one_byte_a_second_slows_nobody_down(
    chat: Client, service: Service, stage: Stage
) -> None:
    stage.script = [Answer("x" * 4_000_000, piece=4_000)]
    with _slow_reader(service, chat) as slow:
        assert len(await asyncio.to_thread(slow.recv, 1)) == 1
        told = [one async for one in chat.read(f"/sessions/{chat.session}/events?follow=false")]
        while not told or told[-1].type != "RUN_FINISHED":
            assert len(await asyncio.to_thread(slow.recv, 1)) == 1
            await asyncio.sleep(1)
            told = [one async for one in chat.read(f"/sessions/{chat.session}/events?follow=false")]
        assert text_of(told).count("x") == 4_000_000
        await goes_on(chat, stage)


async def test_five_hundred_connections_hear_the_same_turn(chat: Client, stage: Stage) -> None:
    listening = asyncio.Semaphore(0)

    async def listen() -> tuple[str, ...]:
        heard, ended = [], 0
        async for told in chat.read(f"/sessions/{chat.session}/events"):
            heard.append(told.id)
            if told.type == "RUN_FINISHED":
                ended += 1
                listening.release()
                if ended == 2:
                    return tuple(heard)
        raise AssertionError(f"the stream ended after {ended} runs")

    stage.script = [Answer("Hello.")]
    await chat.talk()
    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(listen()) for _ in range(500)]
        for _ in readers:
            await listening.acquire()
        await chat.talk("And now?")
    # Those that heard the first run from the log got its text in one piece, all in the same one.
    assert len({reader.result() for reader in readers}) == 1


def _slow_reader(service: Service, chat: Client) -> socket.socket:
    """Says something in the session, and leaves what is answered in a small buffer."""
    place = urlsplit(service.url)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((place.hostname, place.port))
    body = json.dumps(chat.said()).encode()
    head = [f"POST {urlsplit(chat.url).path}/runs HTTP/1.1", f"Host: {place.netloc}", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in HEADERS.items())]
    reader.sendall("\r\n".join([*head, "", ""]).encode() + body)
    return reader
