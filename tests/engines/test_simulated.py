"""The simulated engine: what it speaks, how it queues, how it fails, and how the tuner launches it."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import JsonValue

from tests.fakes.simulated_process import MODEL, SimulatedProcess, simulated
from tuner.domain import Params
from tuner.engines.simulated.engine import Simulated
from tuner.errors import FailureKind
from tuner.launch import Installation
from tuner.logs import failures
from tuner.logs.tail import tail

BUILT_IN = Installation("built in", Path(sys.executable), "1", cpu_only=True)
FAST = ("--sim-speed", "20")


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedProcess]:
    with simulated(*FAST) as running:
        yield running


def chat(**given: JsonValue) -> dict[str, JsonValue]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "word" * 20}], "max_tokens": 5, **given}


def events(answer: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def metric(url: str, name: str) -> float:
    found = re.search(rf"^simulated:{name}{{.*}} (\S+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_everything_it_says_is_labelled_simulated(server: SimulatedProcess) -> None:
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=chat())
    assert server.log.read_text().startswith("simulated: no model runs here")
    assert "simulated" in httpx.get(f"{server.url}/version").json()["version"]
    assert httpx.get(f"{server.url}/v1/models").json()["data"][0]["owned_by"] == "simulated"
    assert answer.json()["system_fingerprint"] == "simulated"


def test_a_streamed_chat_has_one_chunk_a_token_and_exactly_the_tokens_asked_for(server: SimulatedProcess) -> None:
    chunks = events(httpx.post(f"{server.url}/v1/chat/completions", json=chat(stream=True)))
    choices = [chunk["choices"][0] for chunk in chunks]
    assert [choice["delta"]["content"] for choice in choices] == [" simulated"] * 5
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["length"]
    assert not any("usage" in chunk for chunk in chunks)


def test_usage_is_streamed_in_a_last_chunk_without_choices_when_asked_for(server: SimulatedProcess) -> None:
    asked = chat(stream=True, stream_options={"include_usage": True})
    *chunks, last = events(httpx.post(f"{server.url}/v1/chat/completions", json=asked))
    assert [chunk["usage"] for chunk in chunks] == [None] * 5
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}


@pytest.mark.parametrize("prompt", ["word" * 7, [1, 2, 3, 4, 5, 6, 7]], ids=["text", "tokens"])
def test_a_completion_that_is_not_streamed_comes_whole(server: SimulatedProcess, prompt: JsonValue) -> None:
    asked = {"model": MODEL, "prompt": prompt, "max_tokens": 3}
    answer = httpx.post(f"{server.url}/v1/completions", json=asked).json()
    assert answer["object"] == "text_completion"
    assert answer["choices"][0]["text"] == " simulated" * 3
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@pytest.mark.parametrize(
    ("asked", "status", "named"),
    [
        (chat(model="another"), 404, "another"),
        (chat(max_tokens=0), 400, "max_tokens"),
        (chat(messages=[]), 400, "messages"),
        (chat(max_tokens=5000), 400, "5000"),
    ],
)
def test_a_bad_request_is_refused_with_what_is_wrong(
    server: SimulatedProcess, asked: dict[str, JsonValue], status: int, named: str
) -> None:
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=asked)
    assert answer.status_code == status
    assert named in answer.json()["error"]["message"]


async def test_max_num_seqs_run_at_once_and_the_others_wait() -> None:
    with simulated("--max-num-seqs", "2") as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            async with asyncio.TaskGroup() as clients:
                asked = [clients.create_task(client.post("/v1/chat/completions", json=chat())) for _ in range(6)]
                seen = set()
                while not all(request.done() for request in asked):
                    text = (await client.get("/metrics")).text
                    running, waiting = (
                        int(found[1]) for found in re.finditer(r"num_requests_(?:running|waiting){.*} (\d+)", text)
                    )
                    seen.add((running, waiting))
            assert max(running for running, _ in seen) == 2
            assert (2, 4) in seen


def test_a_client_that_hangs_up_frees_its_place() -> None:
    endless = chat(stream=True, max_tokens=4000)
    with simulated() as server:
        with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=endless) as answer:
            lines = answer.iter_lines()  # kept: letting it go would hang up
            next(lines)
            assert metric(server.url, "num_requests_running") == 1
        given_up = time.monotonic() + 20
        while metric(server.url, "num_requests_running"):
            assert time.monotonic() < given_up


def test_a_known_prefix_is_found_until_the_cache_is_reset() -> None:
    with simulated(*FAST, "--enable-prefix-caching") as server:
        url, hits = server.url, []
        for reset in (False, False, True):
            if reset:
                assert httpx.post(f"{url}/reset_prefix_cache").status_code == 200
            before = metric(url, "prefix_cache_hits_total")
            httpx.post(f"{url}/v1/completions", json={"model": MODEL, "prompt": "word" * 40, "max_tokens": 1})
            hits.append(metric(url, "prefix_cache_hits_total") - before)
    assert hits == [0, 32, 0]


@pytest.mark.parametrize(
    ("flags", "env", "kind", "named"),
    [
        (("--sim-oom-seqs", "32"), {}, FailureKind.OUT_OF_MEMORY, "max_num_seqs 64"),
        (("--kv-cache-gib", "0.3"), {}, FailureKind.OUT_OF_MEMORY, "max_model_len 4096"),
        (("--max-num-batched-tokens", "32"), {}, FailureKind.INVALID_FLAG, "max_num_batched_tokens 32"),
        (("--max-num-seqs", "-1"), {}, FailureKind.INVALID_FLAG, "max_num_seqs"),
        (("--attention-backend", "c"), {}, FailureKind.INVALID_FLAG, "--attention-backend"),
        (("--max-num-seq", "4"), {}, FailureKind.INVALID_FLAG, "--max-num-seq 4"),
        ((), {"SIMULATED_RESERVED_CPU": "4"}, FailureKind.INVALID_FLAG, "SIMULATED_RESERVED_CPU"),
        ((), {"SIMULATED_RESERVED_CPU": "all"}, FailureKind.INVALID_FLAG, "SIMULATED_RESERVED_CPU"),
    ],
)
def test_a_configuration_that_cannot_run_ends_at_once_and_says_why(
    flags: tuple[str, ...], env: dict[str, str], kind: FailureKind, named: str
) -> None:
    with simulated(*flags, env=env) as server:
        assert server.process.wait(timeout=30) in (1, 2)
        assert_failed(server, kind, named)


def test_a_taken_port_is_no_fault_of_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with simulated("--port", port) as server:
            assert server.process.wait(timeout=30) == 1
            assert_failed(server, FailureKind.INFRASTRUCTURE, port)


def test_it_crashes_at_the_request_after_those_it_was_given() -> None:
    with simulated(*FAST, "--sim-crash-after", "2") as server:
        url = server.url
        for _ in range(2):
            assert httpx.post(f"{url}/v1/chat/completions", json=chat()).is_success
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{url}/v1/chat/completions", json=chat())
        assert server.process.wait(timeout=30) == 1
        assert_failed(server, FailureKind.CRASHED, "after 2 requests")


async def test_it_runs_out_of_memory_above_a_concurrency() -> None:
    with simulated("--sim-oom-concurrency", "3") as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            for clients, fails in ((3, False), (4, True)):
                asked = [client.post("/v1/chat/completions", json=chat()) for _ in range(clients)]
                answers = await asyncio.gather(*asked, return_exceptions=True)
                assert any(isinstance(answer, httpx.TransportError) for answer in answers) is fails
        assert server.process.wait(timeout=30) == 1
        assert_failed(server, FailureKind.OUT_OF_MEMORY, "at most 3")


def test_it_refuses() -> None:
    with simulated("--sim-refuse") as server:
        assert httpx.post(f"{server.url}/v1/chat/completions", json=chat()).status_code == 500
        assert httpx.get(f"{server.url}/health").is_success


def test_it_answers_garbage() -> None:
    with simulated("--sim-garbage") as server:
        answer = httpx.post(f"{server.url}/v1/chat/completions", json=chat(stream=True))
        assert answer.is_success
        with pytest.raises(json.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize(("flags", "tokens"), [(("--sim-empty",), 0), (("--sim-answer-tokens", "2"), 2)])
def test_its_answers_are_empty_or_short(flags: tuple[str, ...], tokens: int) -> None:
    with simulated(*FAST, *flags) as server:
        whole = httpx.post(f"{server.url}/v1/chat/completions", json=chat()).json()
        chunks = events(httpx.post(f"{server.url}/v1/chat/completions", json=chat(stream=True)))
        assert whole["usage"]["completion_tokens"] == tokens
        assert whole["choices"][0]["finish_reason"] == "stop"
        assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == " simulated" * tokens


def test_it_floods_the_log() -> None:
    with simulated("--sim-log-flood", "3") as server:
        assert httpx.get(f"{server.url}/health").is_success
        assert server.log.stat().st_size > 3_000_000


def test_it_hangs_without_listening() -> None:
    with simulated("--sim-hang", "--sim-log-flood", "0.1") as hanging, simulated("--sim-start-time", "0.3") as slow:
        assert slow.url
        assert hanging.process.poll() is None
        assert "listening" not in hanging.log.read_text()


def test_it_ends_on_sigterm_with_requests_on_their_way() -> None:
    endless = chat(stream=True, max_tokens=4000)
    with simulated() as server, httpx.stream("POST", f"{server.url}/v1/chat/completions", json=endless) as answer:
        lines = answer.iter_lines()  # kept: letting it go would hang up
        next(lines)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == -signal.SIGTERM
        assert "Traceback" not in server.log.read_text()


def test_the_engine_launches_it_with_the_flags_and_environment_of_the_configuration() -> None:
    params = Params(
        flags={"max-num-seqs": 8, "enable-prefix-caching": False}, env={"SIMULATED_RESERVED_CPU": 0}, parallel={"tp": 2}
    )
    launch = Simulated().launch("/models/demo", params, BUILT_IN, None)
    line = " ".join(launch.command(BUILT_IN, "127.0.0.1", "{port}"))
    assert line.startswith(
        f"{sys.executable} -m tuner.engines.simulated.server --host 127.0.0.1 --port {{port}} --model"
    )
    assert line.endswith("--tensor-parallel-size 2 --max-num-seqs 8 --no-enable-prefix-caching")
    assert launch.env["SIMULATED_RESERVED_CPU"] == "0"
    assert launch.gpus == 0
    assert Simulated().world_size(params) == 2


def test_its_help_names_every_flag_that_can_be_tuned() -> None:
    argv = (*BUILT_IN.command(Simulated().program(BUILT_IN)), *Simulated.help)
    printed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    for flag in ("--max-num-seqs", "--attention-backend {a,b}", "--no-enable-prefix-caching", "--sim-oom-seqs"):
        assert flag in printed


@pytest.mark.parametrize(
    ("params", "named"),
    [
        (Params(parallel={"pp": 2}), "pp"),
        (Params(quant={"kvcache_dtype": "fp8"}), "kvcache_dtype"),
        (Params(parallel={"tp": 2}, flags={"tensor-parallel-size": 2}), "tensor-parallel-size"),
    ],
)
def test_what_it_cannot_pretend_is_refused(params: Params, named: str) -> None:
    assert named in (Simulated().refusal(params, None) or "")


def test_what_it_can_pretend_is_not_refused() -> None:
    assert Simulated().refusal(Params(parallel={"tp": 4}, quant={"gemm_dtype": "auto"}), None) is None


def assert_failed(server: SimulatedProcess, kind: FailureKind, named: str) -> None:
    failure = failures.classify(
        Simulated().failures,
        exit_code=server.process.returncode,
        out_of_memory=False,
        lines=tail(server.log),
    )
    assert (failure.kind, named in failure.message) == (kind, True), failure
