"""A load generator that stays warm: a process of its own interpreter, which is told one load level at a time.

What takes time once (seconds of imports, the tokenizer) is paid while the engine starts. Both sides speak one line of
JSON at a time, and one line comes back when the process is ready.
"""

import asyncio
import errno
import json
import os
import shutil
import zlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tuner.benchmarks import requests
from tuner.benchmarks.requests import Ending, Request
from tuner.domain import Label
from tuner.errors import BenchmarkError, DeploymentError, FailureKind, UnavailableError
from tuner.logs import failures
from tuner.logs.tail import tail
from tuner.machine import processes
from tuner.machine.environments import find

WARM_LIMIT_S = 180.0
"""For the imports, on a machine where an engine starts at the same time."""
GRACE_S = 60.0
"""Beyond the time of a level, for what comes before its first request and after its last answer."""
MACHINE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


class DriverReply(BaseModel):
    """What the warm process says: that it is ready, or how a level ended."""

    model_config = ConfigDict(frozen=True)

    error: str | None = None
    errno: int | None = None
    died: bool = False
    over: bool = False
    """The process ends with this."""
    ending: Ending = "complete"
    ended_at: float = 0.0
    unmeasured: int | None = None
    """Requests that only brought the engine to its steady state, where the level itself found out how many."""
    unsent: int = 0
    """Requests that were due and never left."""
    parts: int = 0
    """Files that the level's processes wrote."""

    @property
    def kind(self) -> FailureKind:
        """The machine's fault, or not to be mended by trying again."""
        machine = self.died or self.errno in MACHINE_ERRNOS
        return FailureKind.INFRASTRUCTURE if machine else FailureKind.BENCHMARK_FAILED


class ProcessLine(BaseModel):
    """What one of the level's processes says of itself, in the first line of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lag_s: float
    busy: float
    cpu_s: float


@dataclass
class WarmProcess:
    """One process, and the next one where it died."""

    name: str
    """Of the load generator."""
    python: Path
    driver: Path
    tokenizer: str
    log: Path
    label: Label
    registry: Path
    _process: asyncio.subprocess.Process | None = None
    _ready: bool = False
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Returns at once; the process gets ready by itself."""
        argv = [str(self.python), "-I", str(self.driver), self.tokenizer]
        session = processes.session(
            argv,
            _environment(self.tokenizer),
            self.log,
            self.label,
            self.registry,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            self._process = (await self._running.enter_async_context(session)).process
        except DeploymentError as error:
            raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"{self.name}: {error}") from error

    async def stop(self) -> None:
        self._process, self._ready = None, False
        await self._running.aclose()

    async def run(self, order: dict[str, object], time_s: float) -> DriverReply:
        """Has one level sent. Cancelled, or where it fails, nothing of it is left.

        Raises:
            BenchmarkError: it could not be sent.
            UnavailableError: the tokenizer cannot be loaded.
        """
        try:
            await self._warm()
            outcome = await self._ask(order, time_s)
        except BaseException:  # a cancelled or broken level: whatever still sends requests has to go
            await self.stop()
            raise
        if outcome.over:
            await self.stop()
        if outcome.error is not None:
            raise BenchmarkError(outcome.kind, f"{self.name}: {outcome.error}", self._lines())
        return outcome

    async def _warm(self) -> None:
        if self._process is None or self._process.returncode is not None:
            await self.stop()
            await self.start()
        if self._ready:
            return
        outcome = await self._answer(WARM_LIMIT_S, "to get ready")
        if outcome.error is not None:
            raise UnavailableError(
                f"The tokenizer {self.tokenizer} cannot be loaded: {outcome.error} Without one nothing can be "
                "measured; name a folder or a hub id that has one in benchmark.model_tokenizer."
            )
        self._ready = True

    async def _ask(self, order: dict[str, object], time_s: float) -> DriverReply:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._answer(time_s + GRACE_S, "for this level")

    async def _answer(self, limit_s: float, purpose: str) -> DriverReply:
        """The next thing the warm process says.

        Raises:
            BenchmarkError: it says nothing for too long, or died.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(limit_s):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            message = f"{self.name} took more than {limit_s:.0f} s {purpose} and was stopped; its log is {self.log}."
            raise BenchmarkError(FailureKind.BENCHMARK_FAILED, message, self._lines()) from error
        if line:
            return DriverReply.model_validate_json(line)
        code = await self._process.wait()
        message = f"The load generator's process died with exit code {code}; its log is {self.log}."
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, message, self._lines())

    def _lines(self) -> tuple[str, ...]:
        return tuple(tail(self.log, failures.LINES))


def missing(home: Path, name: str) -> str | None:
    """That the environment of a load generator is not installed, with the command that gets it."""
    if find(home, [name]) is not None:
        return None
    return f"The load generator {name} is not installed; run: autotuner engine install {name}"


def interpreter(home: Path, name: str) -> Path:
    """Of the load generator's environment.

    Raises:
        UnavailableError: it is not installed.
    """
    if (installation := find(home, [name])) is None:
        raise UnavailableError(missing(home, name) or "")
    return installation.python


def parts(kept: Path, count: int) -> tuple[list[ProcessLine], list[Request]]:
    """What each process of a level wrote down, by order of sending; their files are gone afterwards.

    Raises:
        BenchmarkError: a file is missing or damaged.
    """
    said: list[ProcessLine] = []
    sent: list[Request] = []
    for number in range(count):
        part = Path(f"{kept}.{number}")
        try:
            with part.open(encoding="utf-8") as lines:
                said.append(ProcessLine.model_validate_json(next(lines)))
                sent += [requests.parsed(line) for line in lines]
            part.unlink()
        except (OSError, ValidationError, StopIteration) as error:
            message = f"The per-request data of the level cannot be read: {error!r}"
            raise BenchmarkError(FailureKind.INFRASTRUCTURE, message) from error
    return said, sorted(sent, key=lambda one: one.started_at)


def _environment(tokenizer: str) -> dict[str, str]:
    """No user interface, no telemetry, and no hub where the tokenizer is a folder."""
    direct = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1", "localhost")
    settings = {
        "ENABLE_UI": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "no_proxy": ",".join(filter(None, direct)),
    }
    if Path(tokenizer).is_dir():
        settings["HF_HUB_OFFLINE"] = "1"
    return {**processes.inherited(), **settings}


def empty(folder: Path) -> None:
    """Makes the folder of a level, or empties it where the level runs again."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"{folder} cannot be written: {error}") from error


def seed(level: str) -> int:
    """The same for a level (by its name) wherever it is run, another for another level."""
    return zlib.crc32(level.encode())
