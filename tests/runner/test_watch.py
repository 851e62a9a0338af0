"""When a server is asked whether it is ready, and why it ended, where its log cannot tell."""

import asyncio
import shutil
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from tests.fakes.rig import Death, FakeDeployer, FakeDeployment
from tuner.domain import Params
from tuner.engines.sglang import SGLang
from tuner.engines.vllm import VLLM
from tuner.errors import BenchmarkError, DeploymentError, FailureKind
from tuner.launch import Installation, Launch, Program
from tuner.protocols import Engine
from tuner.runner import watch
from tuner.runner.watch import LEAST_FREE_BYTES, Watch

LAUNCH = Launch(program=Program(words=("server",)), args=(), model="m", served_model="m")


@pytest.mark.parametrize(
    ("free", "kind"), [(LEAST_FREE_BYTES - 1, FailureKind.INFRASTRUCTURE), (LEAST_FREE_BYTES, FailureKind.CRASHED)]
)
async def test_a_server_that_ends_on_a_full_disk_says_nothing_of_its_configuration(
    free: int, kind: FailureKind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployment = FakeDeployment("http://127.0.0.1:9", (), {}, tmp_path / "engine.log", FakeDeployer())
    deployment.die(Death(1))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(DeploymentError) as caught:
        await Watch(deployment, LAUNCH, deployment.log, ()).rule_out_death()
    assert caught.value.kind is kind
    assert (f"The disk of {tmp_path} is full" in str(caught.value)) == (kind is FailureKind.INFRASTRUCTURE)


@pytest.mark.parametrize(("quickest_s", "often"), [(1e6, False), (0.0, True)])
async def test_an_engine_is_hardly_asked_before_the_quickest_of_its_task_was_ready(
    quickest_s: float, often: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked, enough = 0, asyncio.Event()

    def refused(url: str) -> bool:
        nonlocal asked
        asked += 1
        if asked == (3 if often else 1):
            enough.set()
        return True

    monkeypatch.setattr(watch, "_refused", refused)
    monkeypatch.setattr(watch, "READY_EVERY_S", 0.001)
    monkeypatch.setattr(watch, "READY_AT_MOST_S", 3600.0)
    deployment = FakeDeployment("http://127.0.0.1:9", (), {}, tmp_path / "engine.log", FakeDeployer())
    waiting = asyncio.create_task(Watch(deployment, LAUNCH, deployment.log, ()).until_ready(quickest_s))
    async with asyncio.timeout(60):
        await enough.wait()
    await asyncio.sleep(0.05)
    deployment.die(Death(1))
    with pytest.raises(DeploymentError):
        await waiting
    assert often or asked == 1


HELD = [(200, '{"success": false}'), (400, "Cache not flushed, requests are pending."), (200, "Cache not flushed.")]


class Cache(ThreadingHTTPServer):
    """Gives these answers to who empties its cache, the last one again and again."""

    def __init__(self, answers: Sequence[tuple[int, str]]) -> None:
        super().__init__(("127.0.0.1", 0), CacheHandler)
        self.answers, self.asked = answers, 0


class CacheHandler(BaseHTTPRequestHandler):
    server: Cache

    def do_POST(self) -> None:
        status, text = self.server.answers[min(self.server.asked, len(self.server.answers) - 1)]
        self.server.asked += 1
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base calls it
        return


async def asked(engine: Engine, answers: Sequence[tuple[int, str]], tmp_path: Path) -> int:
    """How often an engine with these answers is asked until its cache counts as empty."""
    launch = engine.launch("org/model", Params(), Installation("here", Path("python"), "1"), None)
    with Cache(answers) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            deployment = FakeDeployment(url, (), {}, tmp_path / "engine.log", FakeDeployer())
            await Watch(deployment, launch, deployment.log, ()).reset_cache()
        finally:
            server.shutdown()
            thread.join()
        return server.asked


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "RESET_WAITS_S", (0.001, 0.001))


@pytest.mark.parametrize("engine", [VLLM(), SGLang()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("empty", ["", '{"success": true}', "Cache flushed.\nPlease check the logs."])
async def test_a_cache_that_was_emptied_is_emptied_once(engine: Engine, empty: str, tmp_path: Path) -> None:
    assert await asked(engine, [(200, empty)], tmp_path) == 1


@pytest.mark.parametrize(("engine", "held"), [(VLLM(), HELD[0]), (SGLang(), HELD[1]), (SGLang(), HELD[2])])
async def test_a_cache_that_is_held_is_emptied_as_soon_as_it_can_be(
    engine: Engine, held: tuple[int, str], quick: None, tmp_path: Path
) -> None:
    assert await asked(engine, [held, held, (200, "")], tmp_path) == 3


@pytest.mark.parametrize(("engine", "held"), [(VLLM(), HELD[0]), (SGLang(), HELD[1]), (SGLang(), HELD[2])])
async def test_a_cache_that_stays_held_makes_the_level_invalid_with_the_answer(
    engine: Engine, held: tuple[int, str], quick: None, tmp_path: Path
) -> None:
    with pytest.raises(BenchmarkError, match=f"answered {held[0]}: .*also after 0.002 s.*may not be empty") as caught:
        await asked(engine, [held], tmp_path)
    assert held[1] in str(caught.value)
    assert caught.value.kind is FailureKind.BENCHMARK_FAILED


async def test_an_engine_that_cannot_empty_its_cache_is_asked_once(quick: None, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"answered 404: 'Not Found'; the prefix cache may not be empty"):
        await asked(VLLM(), [(404, "Not Found"), (200, "")], tmp_path)
