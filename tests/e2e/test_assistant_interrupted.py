"""What the assistant stands on breaks under it: its process, its database, its disk, its worker, its model server."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import JsonValue

from tests.fakes.agent_app import Client, Told, answer, interrupts, problem, text_of
from tests.fakes.model_server import Answer, Call, ModelServer, model_server
from tests.fakes.service import ROOT, Service, Stage

pytestmark = pytest.mark.slow

PRESET: dict[str, JsonValue] = {"name": "quick", "task": {"parameters": {"max-num-seqs": [4, 16]}}}
SAVE = Answer("I keep it.", calls=[Call("save_preset", PRESET)])
LONG = Answer("word " * 1000, pause_s=0.05)
TASK = {
    "task_name": "small",
    "base_runtime": "simulated",
    "model": "simulated/8b",
    "parameters": {"max-num-seqs": [4, 16]},
    "benchmark": {"tool": "genai-bench"},
}
DISK_MIB = 8


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def model(stage: Stage) -> Iterator[ModelServer]:
    with model_server(stage, repeat=True) as model:
        yield model


@pytest.fixture
def service(model: ModelServer, tmp_path: Path) -> Iterator[Service]:
    """Waits a second for a locked database, not ten."""
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'autotuner.db'}?timeout=1"
    service = Service(home, model.url, settings={"AUTOTUNER_DATABASE_URL": url})
    service.start()
    yield service
    service.close()


@asynccontextmanager
async def speaking(chat: Client) -> AsyncIterator[Callable[[], Any]]:
    """A turn that has begun to speak; the function gives the rest of its events."""
    async with aclosing(chat.stream()) as stream:
        async for told in stream:
            if told.type == "TEXT_MESSAGE_CONTENT":
                break

        async def rest() -> list[Told]:
            return [told async for told in stream]

        yield rest


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


async def test_sigterm_tells_every_turn_and_the_next_start_goes_on(service: Service, stage: Stage) -> None:
    stage.script = [LONG]
    async with service.chat() as one, service.chat() as other, speaking(one) as rest, speaking(other) as others:
        ended = asyncio.create_task(asyncio.to_thread(service.stop))
        for told in (await rest(), await others()):
            assert told[-1].type == "RUN_ERROR"
            assert "service stops" in told[-1].event["message"]
        assert await ended == 0
        sessions = one.session, other.session
    await asyncio.to_thread(service.start)
    stage.script = [Answer("Where were we?")]
    for session in sessions:
        async with service.chat(session) as chat:
            messages = (await chat.get(f"/sessions/{session}/messages"))["messages"]
            assert "word" in str(messages)
            assert text_of(await chat.talk()) == "Where were we?"


async def test_an_approval_outlives_kill_9_and_its_call_runs_once(service: Service, stage: Stage) -> None:
    stage.script = [SAVE, LONG]
    async with service.chat() as waiting, service.chat() as cut_off:
        (asked,) = interrupts(await waiting.talk())
        async with speaking(cut_off) as rest:
            service.close()
            with pytest.raises(httpx.TransportError):
                await rest()
    await asyncio.to_thread(service.start)
    async with service.chat(waiting.session) as chat:
        assert problem(await chat.http.post("/runs", json=chat.said()))[0] == 409
        stage.script = [Answer("Kept.")]
        approved = answer(asked, approved=True, digest=asked["metadata"]["digest"])
        told = await chat.talk(resume=[approved])
        assert text_of(told) == "Kept."
        assert problem(await chat.http.post("/runs", json=chat.said(resume=[approved])))[0] == 409
        entries = await chat.get("/audit", session_id=chat.session)
        assert [entry["action"] for entry in entries].count("started") == 1
    async with service.chat(cut_off.session) as chat:
        told = [one async for one in chat.read(f"/sessions/{chat.session}/events?follow=false")]
        assert told[-1].type == "RUN_ERROR"
        assert "was restarted" in told[-1].event["message"]
        assert text_of(await chat.talk()) == "Kept."
    async with service.client() as http:
        assert (await http.get("/api/presets/quick")).json()["task"] == PRESET["task"]


async def test_a_locked_database_refuses_new_turns_and_those_that_run_lose_nothing(
    service: Service, stage: Stage
) -> None:
    stage.script = [Answer("word " * 100, pause_s=0.05)]
    async with service.chat() as chat, service.chat() as other, speaking(chat) as rest:
        with locked(service.home / "autotuner.db"):
            status, why = problem(await other.http.post("/runs", json=other.said()))
            assert status == 503
            assert "stays locked" in why
            assert (await other.http.get("/sessions")).status_code == 200
        assert (await rest())[-1].type == "RUN_FINISHED"
        told = [one async for one in chat.read(f"/sessions/{chat.session}/events?follow=false")]
        assert text_of(told).split() == ["Hello" + "word", *["word"] * 99]
        stage.script = [Answer("Fine.")]
        assert text_of(await other.talk()) == "Fine."


async def test_locked_conversations_end_the_turn_with_the_reason(service: Service, stage: Stage) -> None:
    async with service.chat() as chat:
        with locked(service.home / "conversations.db"):
            told = await chat.talk()
        assert told[-1].type == "RUN_ERROR"
        assert "conversations cannot be read or written" in told[-1].event["message"]
        assert text_of(await chat.talk()) == "Fine."


async def test_a_full_disk_refuses_new_turns_until_there_is_space_again(
    model: ModelServer, stage: Stage, disk: Path
) -> None:
    service = Service(disk / "home", model.url)
    ballast = disk / "ballast"
    try:
        await asyncio.to_thread(service.start)
        async with service.chat() as chat:
            assert text_of(await chat.talk()) == "Fine."
            _fill(ballast)
            status, why = problem(await chat.http.post("/runs", json=chat.said("x" * 90_000)))
            assert status == 503
            assert "has no space left on its disk" in why
            ballast.unlink()
            assert text_of(await chat.talk()) == "Fine."
        assert service.stop() == 0
    finally:
        service.close()


async def test_a_dead_worker_is_said_where_a_task_is_started(service: Service, stage: Stage) -> None:
    async with service.client() as http, service.chat() as chat:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tuner.cli", "worker",
            env={**os.environ, "AUTOTUNER_HOME": str(service.home)}, cwd=ROOT,
        )  # fmt: skip
        try:
            while not (await http.get("/api/workers")).json():
                await asyncio.sleep(0.05)
        finally:
            worker.kill()
            await worker.wait()
        task = (await http.post("/api/tasks", json=TASK)).raise_for_status().json()
        stage.script = [Answer(calls=[Call("start_task", {"task": task["id"]})]), Answer("It waits.")]
        (asked,) = interrupts(await chat.talk())
        assert "No worker is alive" in asked["metadata"]["preview"]["worker"]
        told = await chat.talk(resume=[answer(asked, approved=True)])
        assert "No worker is alive" in next(one.event["content"] for one in told if one.type == "TOOL_CALL_RESULT")
        assert text_of(told) == "It waits."


async def test_a_model_server_that_is_down_is_named_and_the_service_goes_on(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        service = Service(tmp_path / "home", address)
        try:
            await asyncio.to_thread(service.start)
            async with service.chat() as chat:
                told = await chat.talk()
                assert told[-1].type == "RUN_ERROR"
                assert f"{address} cannot be reached" in told[-1].event["message"]
                assert (await chat.talk("Still?"))[-1].type == "RUN_ERROR"
            assert service.stop() == 0
        finally:
            service.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as sink:
        for size in (65_536, 4096):
            try:
                while True:
                    sink.write(bytes(size))
            except OSError:
                continue
