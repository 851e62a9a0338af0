"""`autotuner serve` as a process: found, used, ended."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from httpx_sse import aconnect_sse

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "tuner.cli", "serve")
TOKEN = "a-token-for-this-launch"
TASK: dict[str, Any] = {
    "task_name": "by a worker",
    "base_runtime": "simulated",
    "model": "simulated/8b",
    "parameters": {"max-num-seqs": [8]},
    "benchmark": {"tool": "genai-bench"},
}
"""Nothing is installed in a new data folder, so the worker can only say what is missing."""


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTOTUNER_")}
    return {**kept, "AUTOTUNER_HOME": str(home), **more}


@dataclass
class Service:
    process: asyncio.subprocess.Process
    printed: list[str]
    address: str

    async def line(self, start: str) -> str:
        """The first line that begins so."""
        assert self.process.stdout is not None
        while True:
            for line in self.printed:
                if line.strip().startswith(start):
                    return line
            said = (await self.process.stdout.readline()).decode()
            assert said, "".join(self.printed)
            self.printed.append(said)

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.printed.append((await self.process.stdout.read()).decode())
        return await self.process.wait()


@asynccontextmanager
async def service(home: Path, *options: str, **env: str) -> AsyncIterator[Service]:
    process = await asyncio.create_subprocess_exec(
        *SERVE, "--port", "0", *options,
        env=environment(home, **env), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        started = Service(process, [], "")
        found = re.search(r"http://\S+:\d+", await started.line("Autotuner serves"))
        assert found
        started.address = found[0]
        yield started
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def refused(home: Path, *options: str, **env: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *SERVE,
        *options,
        env=environment(home, **env),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.slow
async def test_a_service_is_found_by_what_it_prints_and_ends_politely(tmp_path: Path) -> None:
    async with service(tmp_path) as started:
        link = re.search(r"http://\S+", await started.line("open"))
        token = (await started.line("token")).split()[1]
        await started.line("model  offline")
        assert link
        async with httpx.AsyncClient(base_url=started.address) as browser:
            assert (await browser.get("/api/system/health")).json()["status"] == "ok"
            assert (await browser.get("/api/system/info")).status_code == 401
            assert (await browser.get(link[0])).status_code == 303
            info = (await browser.get("/api/system/info")).json()
            assert info["model"] == {"label": "offline", "offline": True}
            worker = psutil.Process(info["worker"]["pid"])
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=started.address, headers=headers, timeout=30) as program:
            task = (await program.post("/api/tasks", json=TASK)).json()["id"]
            async with aconnect_sse(program, "GET", f"/api/tasks/{task}/events") as source:
                events = source.aiter_sse()
                assert (await anext(events)).event == "task_created"
                started.process.send_signal(signal.SIGTERM)
                assert [event.event async for event in events] == ["farewell"]
        assert await started.end(signal.SIGTERM) == 0
        assert not worker.is_running()


@pytest.mark.slow
async def test_a_task_started_over_http_is_taken_by_the_services_worker_which_says_what_became_of_it(
    tmp_path: Path,
) -> None:
    async with service(tmp_path, AUTOTUNER_TOKEN=TOKEN) as started:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=started.address, headers=headers, timeout=60) as client:
            task = (await client.post("/api/tasks", json=TASK)).json()["id"]
            await client.post(f"/api/tasks/{task}/start")
            async with aconnect_sse(client, "GET", f"/api/tasks/{task}/events") as source:
                kinds = [event.event async for event in source.aiter_sse() if event.data]
            assert kinds == ["task_created", "task_queued", "task_started", "task_finished"]
            ended = (await client.get(f"/api/tasks/{task}")).json()
            assert (ended["state"], "autotuner engine install" in ended["error"]) == ("failed", True)
        assert await started.end(signal.SIGINT) == 130
        assert TOKEN not in "".join(started.printed), "who gave it knows it"


@pytest.mark.slow
async def test_a_port_that_is_taken_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = await refused(tmp_path, "--port", str(port))
    assert code == 1
    assert f"port {port} of 127.0.0.1" in said
    assert "--port 0" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "env", "said"),
    [
        (("--host", "0.0.0.0", "--no-token"), {}, "listen on 127.0.0.1"),
        (("--host", "0.0.0.0"), {"AUTOTUNER_REQUIRE_TOKEN": "false"}, "listen on 127.0.0.1"),
        ((), {"AUTOTUNER_TOKEN": "short"}, "AUTOTUNER_TOKEN has 5 characters"),
        ((), {"AUTOTUNER_MAX_STEPS": "many"}, "AUTOTUNER_MAX_STEPS is 'many': "),
    ],
)
async def test_settings_that_are_unsafe_or_unreadable_start_nothing(
    tmp_path: Path, options: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    code, printed = await refused(tmp_path, "--port", "0", *options, **env)
    assert code == 2
    assert said in printed
    assert not list(tmp_path.iterdir()), "nothing was opened"
