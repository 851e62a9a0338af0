"""Single chats against the simulated engine, and what is kept of them."""

import asyncio
import json
import socket

import pytest

from tests.fakes.simulated_process import MODEL, simulated
from tuner.benchmarks import chats
from tuner.benchmarks.requests import Request, parsed

FIXED = {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}}


def count(text: str) -> int:
    return len(text.split())


async def sent(url: str, tokens: int = 8, due_at: float | None = None) -> tuple[chats.Chat, Request]:
    signs: list[float] = []
    body, wanted = chats.body(FIXED, (), "one two three", tokens, {"temperature": 0.0})
    chat = chats.Chat(wanted, 3, due_at, signs.append)
    await chat.send(chats.Place(url), body)
    assert signs == [at for at, _ in chat.reply.pieces]
    return chat, parsed(json.dumps(chats.record(chat.kept, count)))


async def test_an_answer_is_kept_with_the_time_of_each_token() -> None:
    with simulated("--sim-speed", "20") as server:
        chat, request = await sent(server.url, due_at=1.5)
    assert request.error is None
    assert (request.output_tokens, request.wanted_tokens, request.pieces) == (8, 8, 8)
    assert request.scheduled_at == 1.5
    assert request.finished_at is not None
    assert request.first_token_at is not None
    assert request.started_at < request.first_token_at < request.finished_at
    assert count(chat.read()) == 8


async def test_a_refusal_is_a_failed_request_with_what_the_server_said() -> None:
    with simulated("--sim-refuse") as server:
        chat, request = await sent(server.url)
    assert "500" in (request.error or "")
    assert "told to refuse" in (request.error or "")
    with pytest.raises(RuntimeError):
        chat.read()


async def test_a_server_that_is_not_there_is_a_failed_request() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _, request = await sent(f"http://127.0.0.1:{port}")
    assert "refused" in (request.error or "").lower()
    assert request.finished_at is not None


async def test_what_is_cancelled_counts_as_under_way() -> None:
    with simulated("--sim-speed", "0.5") as server:
        chat = chats.Chat(50, 3, None, lambda at: None)
        body, _ = chats.body(FIXED, (), "hello", 50, {})
        sending = asyncio.create_task(chat.send(chats.Place(server.url), body))
        while not chat.reply.pieces:
            await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    request = parsed(json.dumps(chats.record(chat.kept, count)))
    assert (request.finished_at, request.error, request.output_tokens) == (None, None, 0)


def test_a_turn_sends_what_was_said_before_along() -> None:
    body, wanted = chats.body(FIXED, [("first", "answer one"), ("second", "answer two")], "third", 9, {})
    assert [(one["role"], one["content"]) for one in json.loads(body)["messages"]] == [
        ("user", "first"),
        ("assistant", "answer one"),
        ("user", "second"),
        ("assistant", "answer two"),
        ("user", "third"),
    ]
    assert wanted == 9


@pytest.mark.parametrize(
    ("tokens", "extra", "wanted"),
    [(9, {}, 9), (9, {"ignore_eos": False}, None), (None, {}, None), (None, {"max_tokens": 6, "ignore_eos": True}, 6)],
)
def test_a_length_is_checked_only_where_it_is_enforced(
    tokens: int | None, extra: dict[str, object], wanted: int | None
) -> None:
    body, told = chats.body(FIXED, (), "x", tokens, extra)
    assert told == wanted
    assert json.loads(body).get("max_tokens") == (tokens or extra.get("max_tokens"))


def test_the_address_is_that_of_the_server() -> None:
    assert chats.Place("http://[::1]:8000/base/").address == ("::1", 8000)
    assert chats.Place("http://host").request(b"{}").startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: host:80")


def test_a_client_that_waits_between_its_requests_is_no_closed_loop() -> None:
    def kept(started_at: float, ended_at: float) -> chats.Kept:
        return (started_at, ended_at, None, None, 0, None, [])

    prompt = [kept(number + 0.5 * client, number + 0.5 * client + 1.0) for number in range(9) for client in (0, 1)]
    assert chats.idle_s(prompt, 2) == pytest.approx(0.0)
    slow = [
        kept(1.2 * number + 0.6 * client, 1.2 * number + 0.6 * client + 1.0) for number in range(9) for client in (0, 1)
    ]
    assert chats.idle_s(slow, 2) == pytest.approx(0.2)
    assert chats.idle_s([], 2) == 0.0
