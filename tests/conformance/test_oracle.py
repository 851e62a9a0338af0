"""The oracle itself: it does what its table declares, and its record is what raw sockets see."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest

from tests.fakes.oracle.behaviours import BEHAVIOURS, BROKE, Behaviour
from tests.fakes.oracle.client import Exchange
from tests.fakes.oracle.process import Oracle, Stage, oracle
from tests.fakes.oracle.script import MODEL, WORDS, write_script
from tests.fakes.oracle.truth import Outcome, Served, output_rate, statistics
from tuner.benchmarks import warmup
from tuner.engines.models import demo_model

BODY = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "two words"}]}
SOUND = [name for name, behaviour in BEHAVIOURS.items() if behaviour.fault is None]


@pytest.fixture(scope="module")
def served_by() -> Iterator[Oracle]:
    with oracle() as running:
        yield running


def ask(stage: Stage, max_tokens: int = 12) -> socket.socket:
    """A request over a socket of its own; its answer is still to be read."""
    body = json.dumps({**BODY, "max_tokens": max_tokens}).encode()
    connection = socket.create_connection(("127.0.0.1", stage.port))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: oracle\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def parts(connection: socket.socket, last: bytes = b"0\r\n\r\n") -> list[tuple[float, bytes]]:
    """What comes, until the last bytes or the end of the connection, each with its time."""
    found: list[tuple[float, bytes]] = []
    with connection:
        while not found or not found[-1][1].endswith(last):
            data = connection.recv(65536)
            if not data:
                break
            found.append((time.monotonic(), data))
    return found


def whole(connection: socket.socket) -> bytes:
    return b"".join(data for _, data in parts(connection))


def record(stage: Stage, number: int = 0, *, left: bool = False) -> Served:
    """The record of a request, once its end is known; of one that hangs, once its client has left."""
    while True:
        found = stage.served()
        if number < len(found) and found[number].outcome is not Outcome.UNDER_WAY and (found[number].ended or not left):
            return found[number]
        time.sleep(0.005)


def events(script_of: Behaviour, number: int, tokens: int) -> list[dict[str, object]]:
    """What an answer says, in the order of its events."""
    script = write_script(script_of, number, tokens, 2, script_of.ttft_s)
    lines = b"".join(write.data for write in script.writes).decode().splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text not in ("", "[DONE]")]


def test_there_are_behaviours_of_every_kind() -> None:
    assert len(BEHAVIOURS) >= 30
    hangs = {name for name, one in BEHAVIOURS.items() if one.fault is not None and one.fault.then == "hang"}
    assert hangs == {name for name, one in BEHAVIOURS.items() if one.hangs}


def test_every_word_is_one_token_of_the_demo_model() -> None:
    tokenizer = demo_model.train_tokenizer()
    assert len(tokenizer.encode("".join(f" {word}" for word in WORDS)).ids) == len(WORDS)
    assert {len(tokenizer.encode(f" {word}").ids) for word in WORDS} == {1}


@pytest.mark.parametrize("name", SOUND)
def test_text_usage_and_record_of_an_answer_agree(name: str) -> None:
    behaviour = BEHAVIOURS[name]
    for number in range(5):
        script = write_script(behaviour, number, behaviour.asked_tokens, 2, behaviour.ttft_s)
        said = events(behaviour, number, behaviour.asked_tokens)
        read = Exchange(0.0, measured=True)
        for event in said:
            read.read("", json.dumps(event))
        assert read.visible == sum(script.visible)
        assert sorted(token for write in script.writes for token in write.tokens) == [
            token for token, visible in enumerate(script.visible) if visible
        ]
        usages = [usage for event in said if isinstance(usage := event.get("usage"), dict)]
        if behaviour.usage in ("missing", "null"):
            assert usages == []
        else:
            assert usages[-1]["completion_tokens"] == round(behaviour.usage_factor * len(script.made))
        assert list(script.made) == sorted(script.made)
        assert all(write.at >= script.made[token] for write in script.writes for token in write.tokens)


def test_tokens_are_made_by_the_declared_law() -> None:
    steady = Behaviour(ttft_s=1.0, tpot_s=0.25)
    assert write_script(steady, 0, 4, 2, 1.0).made == (1.0, 1.25, 1.5, 1.75)
    assert write_script(replace(steady, pauses=((2, 5.0),)), 0, 4, 2, 1.0).made == (1.0, 1.25, 6.5, 6.75)
    interval = write_script(replace(steady, chunk="interval"), 0, 6, 2, 1.0)
    assert [(write.at, write.tokens) for write in interval.writes[:2]] == [(1.75, (0, 1, 2, 3)), (2.25, (4, 5))]
    held = write_script(replace(steady, chunk="held"), 0, 4, 2, 1.0)
    assert [(write.at, write.tokens) for write in held.writes] == [(1.75, (0, 1, 2, 3))]
    hidden = write_script(replace(steady, hidden="first"), 0, 4, 2, 1.0)
    assert hidden.visible == (False, False, True, True)
    assert hidden.writes[0].at == 1.5


def test_speculation_makes_one_to_four_tokens_at_once() -> None:
    script = write_script(BEHAVIOURS["speculation"], 0, 200, 2, 0.1)
    sizes = [len(write.tokens) for write in script.writes if write.tokens]
    assert set(sizes) == {1, 2, 3, 4}
    assert len(set(script.made)) == len(sizes)


def test_log_normal_lengths_are_spread_and_bounded() -> None:
    behaviour = BEHAVIOURS["log-normal-lengths"]
    lengths = [len(write_script(behaviour, number, 100, 2, 0.1).made) for number in range(200)]
    assert (min(lengths) >= 1, max(lengths)) == (True, 100)
    assert 40 < float(np.median(lengths)) < 60


def test_the_record_is_what_a_socket_sees(served_by: Oracle) -> None:
    stage = served_by.open("steady")
    sent_at = time.monotonic()
    read = parts(ask(stage, 5))
    served = record(stage)
    assert served.outcome is Outcome.ANSWERED
    assert (served.status, served.prompt, served.max_tokens, len(served.made)) == (200, "two words", 5, 5)
    law = BEHAVIOURS["steady"]
    made = [served.arrived + law.ttft_s + token * law.tpot_s for token in range(5)]
    assert served.made == pytest.approx(made, abs=1e-9)
    seen = [min(at for at, data in read if WORDS[token].encode() in data) for token in range(5)]
    assert sent_at <= served.arrived <= (served.first_byte or 0) <= served.wrote_at[0]
    assert all(one <= other for one, other in zip(served.made, served.wrote_at, strict=True))
    assert all(one <= other for one, other in zip(served.wrote_at, seen, strict=True))
    assert served.ended is not None
    assert served.wrote_at[-1] <= served.ended


def test_prompts_wait_for_each_other_where_that_is_declared(served_by: Oracle) -> None:
    stage, law = served_by.open("burst-sensitive"), BEHAVIOURS["burst-sensitive"]
    for connection in [ask(stage, 2) for _ in range(4)]:
        parts(connection)
    free_at = 0.0
    for served in stage.served():
        free_at = max(free_at, served.arrived) + law.prefill_s
        assert served.made[0] == pytest.approx(free_at + law.ttft_s, abs=1e-6)


def test_a_scale_slows_everything(served_by: Oracle) -> None:
    stage = served_by.open("steady", scale=2)
    parts(ask(stage, 3))
    (served,) = stage.served()
    assert [at - served.arrived for at in served.made] == pytest.approx([0.16, 0.19, 0.22])


def test_a_connection_takes_one_request_after_another(served_by: Oracle) -> None:
    stage = served_by.open("fast")
    with httpx.Client(base_url=stage.url, trust_env=False) as client:
        for _ in range(3):
            with client.stream("POST", "/v1/chat/completions", json={**BODY, "max_tokens": 2}) as answer:
                assert list(answer.iter_lines())[-2] == "data: [DONE]"
        assert client.get("/v1/models").json()["data"][0]["id"] == MODEL
        assert client.get("/health").status_code == 200
        assert client.get("/elsewhere").status_code == 404
    assert [served.number for served in stage.served()] == [0, 1, 2]


async def test_warm_up_is_answered_and_not_recorded(served_by: Oracle) -> None:
    stage = served_by.open("fast")
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as client:
        await warmup.send(client, MODEL, 2, "D(20,8)")
    assert stage.served() == []


def test_wire_forms_are_what_they_are_called(served_by: Oracle) -> None:
    answers = {name: whole(ask(served_by.open(name))) for name in ("no-space", "crlf", "http-1.0", "pings", "comments")}
    assert b"data:{" in answers["no-space"]
    assert b"data: " not in answers["no-space"]
    assert b"[DONE]\r\n\r\n" in answers["crlf"]
    assert answers["http-1.0"].startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"chunked" not in answers["http-1.0"]
    assert answers["http-1.0"].endswith(b"data: [DONE]\n\n")
    assert answers["pings"].count(b"event: ping") == answers["pings"].count(b"data: {}") == 15
    assert answers["comments"].count(b": keep-alive\n") == 15


def test_lines_are_cut_and_joined_where_that_is_declared() -> None:
    def writes(name: str) -> list[bytes]:
        behaviour = BEHAVIOURS[name]
        return [write.data for write in write_script(behaviour, 0, 6, 2, behaviour.ttft_s).writes]

    assert [data.count(b"data: ") for data in writes("coalesced-lines")] == [3, 3, 3]
    assert not writes("split-lines")[0].endswith(b"\n")
    with pytest.raises(UnicodeDecodeError):
        writes("split-character")[0].decode()
    assert b"".join(writes("split-character")[:2]).decode().count("größe") == 1


@pytest.mark.parametrize("name", [name for name in BEHAVIOURS if name.startswith("error-") and "seldom" not in name])
def test_errors_come_inside_the_stream(served_by: Oracle, name: str) -> None:
    stage = served_by.open(name)
    answer = whole(ask(stage))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert BROKE.encode() in answer
    assert answer.count(b'"content"') == (6 if name == "error-midway" else 0)
    served = record(stage)
    assert (served.outcome, len(served.made)) == (Outcome.FAILED, 6 if name == "error-midway" else 0)


def test_refusals_befall_the_requests_that_are_declared(served_by: Oracle) -> None:
    stage = served_by.open("429-some")
    statuses = [whole(ask(stage, 1)).split(b" ")[1] for _ in range(5)]
    assert statuses == [b"429", b"200", b"200", b"429", b"200"]
    assert [served.status for served in stage.served()] == [429, 200, 200, 429, 200]
    assert [record(stage, number).outcome for number in (0, 1)] == [Outcome.FAILED, Outcome.ANSWERED]
    assert b"<html>" in whole(ask(served_by.open("200-html")))


def test_streams_end_as_their_names_say(served_by: Oracle) -> None:
    ended, closed = (whole(ask(served_by.open(name))) for name in ("ended-midway", "closed-midway"))
    assert ended.count(b'"content"') == closed.count(b'"content"') == 6
    assert ended.endswith(b"\r\n0\r\n\r\n")
    assert not closed.endswith(b"0\r\n\r\n")
    assert whole(ask(served_by.open("closed-at-once"))) == b""
    stage = served_by.open("reset-midway")
    with pytest.raises(ConnectionResetError):
        parts(ask(stage))
    served = record(stage)
    assert (served.outcome, len(served.made)) == (Outcome.FAILED, 6)


@pytest.mark.parametrize(
    ("name", "tokens"), [("never-answers-some", 0), ("headers-then-silence", 0), ("stalls-midway", 6)]
)
def test_an_unanswered_request_is_recorded_as_such_and_when_its_client_left(
    served_by: Oracle, name: str, tokens: int
) -> None:
    stage = served_by.open(name)
    connections = [ask(stage) for _ in range(3)]
    assert record(stage, 2).ended is None
    for connection in connections:
        connection.close()
    served = record(stage, 2, left=True)
    assert (served.outcome, len(served.made)) == (Outcome.UNANSWERED, tokens)


def test_a_client_that_leaves_is_recorded_with_what_was_made_until_then(served_by: Oracle) -> None:
    stage = served_by.open("slow")
    connection = ask(stage, 1000)
    connection.recv(100)
    connection.close()
    served = record(stage)
    assert served.outcome is Outcome.LEFT
    assert 1 <= len(served.made) < 1000
    assert served.ended is not None
    assert served.made[-1] <= served.ended


def test_statistics_are_those_worked_out_by_hand() -> None:
    served = Served(0, 10.0, "", 4, made=[11.0, 12.0, 13.0, 15.0], visible=[True] * 4)
    served.written, served.wrote_at, served.outcome = (
        [11.0, 12.0, 13.0, 15.0],
        [11.0, 12.0, 13.0, 15.0],
        Outcome.ANSWERED,
    )
    assert (served.ttft, served.e2e_latency) == (1.0, 5.0)
    assert served.tpot == served.plain_tpot == pytest.approx(4 / 3)
    assert served.itl == served.chunk_gaps == [1.0, 1.0, 2.0]
    assert statistics([1.0, 2.0, 3.0, None]) == {"mean": 2.0, "p50": 2.0, "p90": 2.8, "p99": 2.98}
    assert statistics([None]) is None
    assert output_rate([served, served], 11.5, 13.5) == 2.0


def test_where_text_and_tokens_differ_the_time_per_token_is_that_after_the_first_text() -> None:
    pairs = Served(0, 0.0, "", 4, made=[1.0, 2.0, 3.0, 4.0], visible=[True] * 4)
    pairs.written, pairs.wrote_at = [2.0, 2.0, 4.0, 4.0], [2.0, 4.0]
    assert (pairs.ttft, pairs.tpot) == (2.0, 1.0)
    assert pairs.plain_tpot == pytest.approx(2 / 3)
    assert (pairs.itl, pairs.chunk_gaps) == ([0.0, 2.0, 0.0], [2.0])
    hidden = Served(0, 0.0, "", 4, made=[1.0, 2.0, 3.0, 4.0], visible=[False, False, True, True])
    hidden.written, hidden.wrote_at = [None, None, 3.0, 4.0], [3.0, 4.0]
    assert (hidden.ttft, hidden.tpot, hidden.plain_tpot) == (3.0, 1.0, None)
    assert hidden.seen == [4.0, 3.0, 3.0, 3.0]
    silent = Served(0, 0.0, "", 2, made=[1.0, 2.0], visible=[False, False], written=[None, None])
    assert (silent.ttft, silent.tpot, silent.e2e_latency, silent.seen) == (None, None, 2.0, [])


async def test_sixty_four_answers_at_once_are_played_whole(served_by: Oracle) -> None:
    stage = served_by.open("steady", scale=3)
    answers = await asyncio.gather(*(asyncio.to_thread(whole, ask(stage)) for _ in range(64)))
    assert {answer.count(b'"content"') for answer in answers} == {12}
    assert {(served.outcome, len(served.wrote_at)) for served in stage.served()} == {(Outcome.ANSWERED, 12)}
