"""genai-bench as the load generator, run as a command by an environment of its own.

What takes time once (seconds of imports, the tokenizer) is paid by a warm process, `genai_bench_driver`, that starts
while the engine does. Prompts and requests are genai-bench's; when they are sent, and what is kept of them, is ours.
"""

import asyncio
import errno
import json
import math
import os
import re
import shutil
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tuner.benchmarks import pacing, requests, window
from tuner.benchmarks.clients import Order
from tuner.benchmarks.requests import Ending, Level, Request
from tuner.benchmarks.statistics import summarize
from tuner.domain import Label, LoadPoint
from tuner.errors import BenchmarkError, DeploymentError, FailureKind, UnavailableError
from tuner.logs import failures
from tuner.logs.tail import tail
from tuner.machine import processes
from tuner.machine.environments import find
from tuner.protocols import Recipe, Workload

ENVIRONMENT = "genai-bench"
DRIVER = Path(__file__).with_name("genai_bench_driver.py")
WARM_LIMIT_S = 180.0
"""For the imports, on a machine where an engine starts at the same time."""
GRACE_S = 60.0
"""Beyond the time of a level, for what comes before its first request and after its last answer."""
CLIENTS_EACH = 32
"""More clients than this are shared by several processes, as far as there are processors."""
MACHINE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


@dataclass(frozen=True)
class GenaiBench:
    home: Path
    """The data folder."""
    recipes: ClassVar[Mapping[str, Recipe]] = {
        ENVIRONMENT: Recipe(requirement=None, module="genai_bench", disk_gib=1.5, python_below=(3, 13))
    }

    def missing(self) -> str | None:
        if find(self.home, [ENVIRONMENT]) is not None:
            return None
        return f"The load generator {ENVIRONMENT} is not installed; run: autotuner engine install {ENVIRONMENT}"

    @asynccontextmanager
    async def open(self, workload: Workload, log: Path, label: Label) -> AsyncIterator["WarmGenaiBench"]:
        """Raises:
        UnavailableError: it is not installed.
        """
        installation = find(self.home, [ENVIRONMENT])
        if installation is None:
            raise UnavailableError(self.missing() or "")
        warm = WarmGenaiBench(installation.python, workload, log, label, self.home / "processes")
        try:
            await warm.start()
            yield warm
        finally:
            await warm.stop()


class DriverReply(BaseModel):
    """What the warm process says: that it is ready, or how a level ended."""

    model_config = ConfigDict(frozen=True)

    error: str | None = None
    errno: int | None = None
    died: bool = False
    ending: Ending = "complete"
    ended_at: float = 0.0
    parts: int = 0
    """Files that the level's processes wrote."""

    @property
    def kind(self) -> FailureKind:
        """The machine's fault, or not to be mended by trying again."""
        machine = self.died or self.errno in MACHINE_ERRNOS
        return FailureKind.INFRASTRUCTURE if machine else FailureKind.BENCHMARK_FAILED


@dataclass
class WarmGenaiBench:
    """One warm process, and the next one where it died. Measures one level at a time."""

    python: Path
    workload: Workload
    log: Path
    label: Label
    registry: Path
    _process: asyncio.subprocess.Process | None = None
    _ready: bool = False
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Returns at once; the process gets ready by itself."""
        argv = [str(self.python), "-I", str(DRIVER), self.workload.tokenizer]
        session = processes.session(
            argv,
            _environment(self.workload.tokenizer),
            self.log,
            self.label,
            self.registry,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            self._process = (await self._running.enter_async_context(session)).process
        except DeploymentError as error:
            raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"genai-bench: {error}") from error

    async def stop(self) -> None:
        self._process, self._ready = None, False
        await self._running.aclose()

    async def measure(
        self, url: str, model: str, scenario: str, concurrency: int, folder: Path, *, held_out: bool = False
    ) -> LoadPoint:
        level = folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', scenario).strip('_')}-c{concurrency}"
        await asyncio.to_thread(_empty, level)
        kept, workload = level / requests.NAME, self.workload
        order = {
            "seed": _seed(scenario, concurrency),
            "records": str(kept),
            "url": url,
            "order": asdict(self._order(concurrency)),
            "ignore_eos": workload.additional_params.get("ignore_eos"),
            "arguments": self.arguments(url, model, scenario, concurrency, level, held_out),
        }
        try:
            await self._warm()
            outcome = await self._ask(order)
        except BaseException:  # a cancelled or broken level: whatever still sends requests has to go
            await self.stop()
            raise
        if outcome.error is not None:
            raise BenchmarkError(outcome.kind, f"genai-bench: {outcome.error}", self._lines())
        return await asyncio.to_thread(self._point, scenario, concurrency, outcome, kept, folder)

    def _order(self, concurrency: int) -> Order:
        workload = self.workload
        return Order(
            concurrency=concurrency,
            unmeasured=concurrency,
            wanted=window.requests_for(concurrency, workload.far, workload.max_requests),
            time_s=workload.max_time_s,
            patience_s=pacing.LEAST_PATIENCE_S,
            processes=max(1, min(os.cpu_count() or 1, math.ceil(concurrency / CLIENTS_EACH))),
        )

    def _point(self, scenario: str, concurrency: int, outcome: DriverReply, kept: Path, folder: Path) -> LoadPoint:
        processes, sent = _parts(kept, outcome.parts)
        level = Level(
            generator="genai-bench",
            ended_at=outcome.ended_at,
            ending=outcome.ending,
            unmeasured=concurrency,
            wanted=self._order(concurrency).wanted,
            lag_s=max(one.lag_s for one in processes),
            busy=max(one.busy for one in processes),
            cpu_s=math.fsum(one.cpu_s for one in processes),
        )
        requests.write(kept, level, sent)
        raw = str(kept.relative_to(folder.parent))
        return summarize(scenario, concurrency, level, sent, self.workload.slos, raw=raw)

    def arguments(
        self, url: str, model: str, scenario: str, concurrency: int, level: Path, held_out: bool = False
    ) -> list[str]:
        """Of `genai-bench benchmark`, for one level, its files in the folder `level`."""
        workload = self.workload
        dataset = workload.held_out if held_out and workload.held_out else workload.dataset
        # An explicit ignore_eos stays out: genai-bench asks a question about false, and replaces it by the scenario's.
        extra = {name: value for name, value in workload.additional_params.items() if name != "ignore_eos"}
        arguments = {
            "--api-backend": "vllm",  # for any engine: OpenAI's protocol, with ignore_eos
            "--api-base": url,
            "--api-key": "none",
            "--api-model-name": workload.model_name or model,
            "--task": "text-to-text",
            "--model-tokenizer": workload.tokenizer,
            "--num-concurrency": concurrency,
            "--traffic-scenario": scenario,
            "--max-time-per-run": 1,  # as the next one: asked for, and not used
            "--max-requests-per-run": 1,
            "--additional-request-params": json.dumps({"temperature": 0.0, **extra}),
            "--experiment-base-dir": level.parent,
            "--experiment-folder-name": level.name,
            # By default it sorts everything measured so far after each request, for a screen that nobody sees.
            "--metrics-refresh-interval": 3600,
            "--dataset-path": dataset if scenario == "dataset" else None,
            "--prefix-len": workload.prefix_len,
            "--prefix-ratio": workload.prefix_ratio,
        }
        return [text for name, value in arguments.items() if value is not None for text in (name, str(value))]

    async def _warm(self) -> None:
        if self._process is None or self._process.returncode is not None:
            await self.stop()
            await self.start()
        if self._ready:
            return
        outcome = await self._answer(WARM_LIMIT_S, "to get ready")
        if outcome.error is not None:
            raise UnavailableError(
                f"The tokenizer {self.workload.tokenizer} cannot be loaded: {outcome.error} Without one nothing can be "
                "measured; name a folder or a hub id that has one in benchmark.model_tokenizer."
            )
        self._ready = True

    async def _ask(self, order: dict[str, object]) -> DriverReply:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._answer(self.workload.max_time_s + GRACE_S, "for this level")

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
            message = f"genai-bench took more than {limit_s:.0f} s {purpose} and was stopped; its log is {self.log}."
            raise BenchmarkError(FailureKind.BENCHMARK_FAILED, message, self._lines()) from error
        if line:
            return DriverReply.model_validate_json(line)
        code = await self._process.wait()
        message = f"The load generator's process died with exit code {code}; its log is {self.log}."
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, message, self._lines())

    def _lines(self) -> tuple[str, ...]:
        return tuple(tail(self.log, failures.LINES))


class ProcessLine(BaseModel):
    """What one of the level's processes says of itself, in the first line of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lag_s: float
    busy: float
    cpu_s: float


def _parts(kept: Path, count: int) -> tuple[list[ProcessLine], list[Request]]:
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


def _empty(folder: Path) -> None:
    """Makes the folder of a level, or empties it where the level runs again."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"{folder} cannot be written: {error}") from error


def _seed(scenario: str, concurrency: int) -> int:
    """The same for a level wherever it is run, another for another level."""
    return zlib.crc32(f"{scenario} × {concurrency}".encode())
