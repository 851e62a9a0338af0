"""`autotuner serve` as a process of its own, asked over HTTP."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
import psutil

from tests.fakes.agent_app import HEADERS, Client
from tests.fakes.http import TOKEN
from tests.fakes.model_server import MODEL, Answer, Request
from tests.fakes.watching import wait_for

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@dataclass
class Stage:
    """What the model says, for a server that asks again and again: the last answer is repeated."""

    script: list[Answer] = field(default_factory=lambda: [Answer("Fine.")])

    def __call__(self, request: Request) -> Answer:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@dataclass
class Service:
    """Started by `start`, as often as need be: always on the same data folder, on a new port each time."""

    home: Path
    model: str | None = None
    """Address of the model server. None: the offline model answers."""
    options: tuple[str, ...] = ("--no-worker",)
    settings: dict[str, str] = field(default_factory=dict)
    """Further variables of the environment."""
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Seconds until it answered health."""
        self.home.mkdir(parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTOTUNER_")}
        llm = {"AUTOTUNER_LLM_MODEL": MODEL, "AUTOTUNER_LLM_BASE_URL": self.model} if self.model else {}
        env = {**inherited, "AUTOTUNER_HOME": str(self.home), "AUTOTUNER_TOKEN": TOKEN, **llm, **self.settings}
        with self.log.open("ab") as sink:
            place = sink.tell()
            began = time.perf_counter()
            self.process = _launch(self.options, env, sink)
        self.url = wait_for(lambda: self._address(place), f"the service: {self.log.read_text()}", PATIENCE_S)
        with httpx.Client() as http:
            http.get(f"{self.url}/api/system/health").raise_for_status()
        return time.perf_counter() - began

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code; nothing where it does not run."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        return code

    def close(self) -> None:
        """However a test has ended, nothing is left."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def log(self) -> Path:
        """All it has printed."""
        return self.home.parent / f"{self.home.name}.log"

    @property
    def psutil(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    @asynccontextmanager
    async def client(self, timeout_s: float = 30) -> AsyncIterator[httpx.AsyncClient]:
        """Asks below the service's address, with its token, on as many connections as are wanted."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=timeout_s, limits=limits) as http:
            yield http

    @asynccontextmanager
    async def chat(self, session: str | None = None) -> AsyncIterator[Client]:
        """In a new session, or in one that is there."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        address = f"{self.url}/api/agent"
        async with httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30, limits=limits) as http:
            if session is None:
                session = str((await http.post("/sessions")).raise_for_status().json()["id"])
            yield Client(address, http, session)

    def _address(self, place: int) -> str | None:
        assert self.process is not None
        said = self.log.read_bytes()[place:].decode()
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended with {self.process.returncode}: {said}")
        found = re.search(r"serves at (http://\S+?);", said)
        return found[1] if found else None


def _launch(options: tuple[str, ...], env: dict[str, str], sink: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tuner.cli", "serve", "--port", "0", *options]
    return subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
