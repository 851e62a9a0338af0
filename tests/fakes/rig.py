"""A tuner without processes: servers are objects with a port, load is a law of the flags, the store is the real one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.results import point
from tuner.benchmarks import BENCHMARKS
from tuner.deploy import DEPLOYERS
from tuner.deploy.local import Local
from tuner.domain import Label, LoadPoint
from tuner.engines import ENGINES
from tuner.engines.quantization import QUANT_PRESETS
from tuner.errors import BenchmarkError, FailureKind
from tuner.launch import LOOPBACK, Installation, Launch, Target
from tuner.protocols import Engine, Recipe, Resolved, Running, Workload
from tuner.runner import watch
from tuner.runner.measure import Rig
from tuner.runner.plan import Plan
from tuner.search import space
from tuner.search.strategies import STRATEGIES
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.task import LOCAL, TaskSpec

SCENARIO = "D(64,16)"
HERE = Installation("fake", Path("python"), "1")


@dataclass(frozen=True)
class Death:
    """A server ends by itself, or is ended."""

    code: int
    log: str = ""
    starved: bool = False


@dataclass(frozen=True)
class Silence:
    """No answer ever comes."""


Flags = Mapping[str, str]
Law = Callable[[Flags, str, int], LoadPoint | Death | Silence]
"""What a load level gives with these flags."""


def throughput(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
    """Best in the middle of both flags, and better for more at once up to the batch."""
    speed, batch = int(flags.get("speed", 1)), int(flags.get("batch", 4))
    rate = 1000 / (1 + (speed - 6) ** 2) * min(batch, concurrency) / (1 + (batch - 4) ** 2)
    return point(concurrency, scenario=scenario, rate=rate, ttft=0.01 * batch, e2e=1 / rate)


def failed_level(flags: Flags, scenario: str, concurrency: int) -> LoadPoint:
    return point(concurrency, scenario=scenario, failure=FailureKind.UNHEALTHY_OUTPUT)


@dataclass
class FakeDeployment:
    url: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    deployer: "FakeDeployer"
    code: int | None = None
    starved: bool = False

    @property
    def flags(self) -> Flags:
        pairs = self.argv[5:]
        return {name.removeprefix("--"): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}

    async def exit_code(self) -> int | None:
        return self.code

    async def wait(self) -> int:
        while self.code is None:
            await asyncio.sleep(0.002)
        return self.code

    async def out_of_memory(self) -> bool:
        return self.starved

    def die(self, death: Death) -> None:
        with self.log.open("a") as log:
            log.write(death.log)
        self.code, self.starved = death.code, death.starved

    def answer(self, path: str) -> int:
        """The status of an answer, which is written down but for the health that is asked for all the time."""
        if path == "/health":
            return 200 if self.deployer.healthy else 503
        self.deployer.journal.append(path.strip("/").replace("v1/chat/completions", "warm-up request"))
        return self.deployer.reset_status if path == "/reset" else self.deployer.warm_up_status


class Server(ThreadingHTTPServer):
    """What a deployment answers by. Closing it waits for its threads."""

    daemon_threads = False

    def __init__(self, deployment: FakeDeployment) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.deployment = deployment


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.deployment.answer(self.path))
        self.end_headers()
        self.wfile.write(b'{"usage": {"completion_tokens": 1}}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.deployment.deployer.deaf:
            self.rfile.read()  # until the client gives up
        self.do_GET()

    def handle(self) -> None:
        with suppress(ConnectionError):  # clients that are cancelled leave
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base calls it
        return


@dataclass
class FakeDeployer:
    """Keeps a journal of what happens to its servers, in order."""

    title: ClassVar[str] = "Fake"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    starts: Sequence[Death | None] = ()
    """How the first servers end while they start; None: not at all, as all later ones."""
    healthy: bool = True
    reset_status: int = 200
    warm_up_status: int = 200
    deaf: bool = False
    """No completion is ever answered."""
    farewell_s: float = 0.0
    """How long a server takes to stop."""
    leaving: int = 0
    """Servers that were told to stop."""
    journal: list[str] = field(default_factory=list)
    started: list[FakeDeployment] = field(default_factory=list)
    up: list[FakeDeployment] = field(default_factory=list)
    gpus: list[Sequence[str]] = field(default_factory=list)
    """Ids that each server was given."""
    reaped: list[str | None] = field(default_factory=list)

    async def resolve(self, engine: Engine, spec: TaskSpec) -> Resolved:
        return await Local(self.settings).resolve(engine, spec)

    @contextmanager
    def reserve(self, gpus: int) -> Iterator[tuple[str, ...]]:
        with Local(self.settings).reserve(gpus) as ids:
            yield ids

    @asynccontextmanager
    async def deploy(
        self, launch: Launch, target: Target, label: Label, log: Path, gpu_ids: Sequence[str]
    ) -> AsyncIterator[FakeDeployment]:
        deployment = FakeDeployment("", (), launch.env, log, self)
        server = Server(deployment)
        listening = Thread(target=server.serve_forever, args=(0.005,))
        listening.start()
        deployment.url = f"http://127.0.0.1:{server.server_port}"
        deployment.argv = launch.command(target, LOOPBACK, server.server_port)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("started\n")
        if death := next(chain(self.starts[len(self.started) :], repeat(None))):
            deployment.die(death)
        self.gpus.append(gpu_ids)
        self.started.append(deployment)
        self.up.append(deployment)
        self.journal.append("start")
        try:
            yield deployment
        finally:
            server.shutdown()
            server.server_close()
            listening.join()
            self.leaving += 1
            await asyncio.sleep(self.farewell_s)
            self.up.remove(deployment)
            self.journal.append("stop")

    async def running(self) -> list[Running]:
        return []

    async def stop(self, running_id: str) -> bool:
        return False

    async def reap(self, task_id: str | None) -> list[str]:
        self.reaped.append(task_id)
        return []


@dataclass
class FakeLoad:
    deployer: FakeDeployer
    law: Law
    busy: bool = False
    held_out: list[bool] = field(default_factory=list)
    """Of each level in turn."""

    async def measure(
        self,
        url: str,
        model: str,
        scenario: str,
        concurrency: int,
        folder: Path,
        *,
        rate: float | None = None,
        held_out: bool = False,
    ) -> LoadPoint:
        assert not self.busy, "one load generator for two experiments at once"
        self.busy = True
        self.held_out.append(held_out)
        try:
            return await self._measure(url, scenario, concurrency)
        finally:
            self.busy = False

    async def _measure(self, url: str, scenario: str, concurrency: int) -> LoadPoint:
        deployment = next(one for one in self.deployer.up if one.url == url)
        self.deployer.journal.append(f"{scenario} × {concurrency}")
        outcome = self.law(deployment.flags, scenario, concurrency)
        match outcome:
            case Death():
                asyncio.get_running_loop().call_later(0.01, deployment.die, outcome)
                raise BenchmarkError(FailureKind.BENCHMARK_FAILED, "the connection was lost")
            case Silence():
                await asyncio.Event().wait()
        assert isinstance(outcome, LoadPoint)
        return outcome


@dataclass
class FakeBenchmark:
    recipes: ClassVar[Mapping[str, Recipe]] = {}
    shapes: ClassVar[frozenset[str]] = frozenset()
    deployer: FakeDeployer
    law: Law
    lacks: str | None = None
    workloads: list[Workload] = field(default_factory=list)
    opened: list[tuple[str, Label]] = field(default_factory=list)
    """Name of the log, and label."""
    loads: list[FakeLoad] = field(default_factory=list)

    def missing(self) -> str | None:
        return self.lacks

    @asynccontextmanager
    async def open(self, workload: Workload, log: Path, label: Label) -> AsyncIterator[FakeLoad]:
        self.workloads.append(workload)
        self.opened.append((log.name, label))
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("load generator\n")
        load = FakeLoad(self.deployer, self.law)
        self.loads.append(load)
        yield load


@dataclass
class Tables:
    """What stands in the product's tables while a test runs: `fake` as engine, load generator and local deployer."""

    engine: FakeEngine
    deployer: FakeDeployer
    benchmark: FakeBenchmark


def install(monkeypatch: pytest.MonkeyPatch, law: Law = throughput) -> Tables:
    deployer = FakeDeployer()
    tables = Tables(FakeEngine(), deployer, FakeBenchmark(deployer, law))
    monkeypatch.setitem(ENGINES, "fake", tables.engine)

    def at(settings: Settings) -> FakeDeployer:
        deployer.settings = settings
        return deployer

    monkeypatch.setitem(DEPLOYERS, LOCAL, at)
    monkeypatch.setitem(BENCHMARKS, "fake", lambda _: tables.benchmark)
    hurry(monkeypatch)
    return tables


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here takes the time that a process takes."""
    monkeypatch.setattr(watch, "READY_EVERY_S", 0.002)
    monkeypatch.setattr(watch, "LAST_BREATH_S", 0.02)


def spec(**changes: Any) -> TaskSpec:
    """Speeds 1 to 9 with two load levels; grid search, nothing confirmed."""
    base: dict[str, Any] = {
        "task_name": "fake task",
        "base_runtime": "fake",
        "model": "org/model",
        "parameters": {"speed": [1, 2, 3, 4, 5, 6, 7, 8, 9]},
        "optimization": {"strategy": "grid_search", "confirm": 0, **changes.pop("optimization", {})},
        "benchmark": {
            "tool": "fake",
            "traffic_scenarios": [SCENARIO],
            "num_concurrency": [1, 8],
            "warmup_requests": 0,
            **changes.pop("benchmark", {}),
        },
    }
    return taskfile.validate({**base, **changes})


def plan_of(made: TaskSpec, engine: FakeEngine | None = None) -> Plan:
    """As `plan.plan` makes it, without looking at this machine."""
    engine = engine or FakeEngine()
    built = space.build(
        made, parallel_presets=engine.parallel_presets, quant_presets=QUANT_PRESETS, refusal=lambda _: None
    )
    return Plan(
        spec=made,
        engine=engine,
        strategy=STRATEGIES[made.optimization.strategy],
        objectives=made.optimization.objective,
        resolved=Resolved(HERE),
        space=built,
        model="org/model",
        tokenizer="org/model",
        gpus=0,
        warnings=(),
        missing=(),
    )


@dataclass
class Bench:
    """A rig with its parts within reach, and the events it has told."""

    rig: Rig
    load: "FakeLoad"
    """What `measure` is given where one experiment is measured; `run` opens its own."""
    deployer: FakeDeployer
    told: list[tuple[str, Mapping[str, object]]]

    @property
    def phases(self) -> list[object]:
        return [payload["phase"] for kind, payload in self.told if kind == "phase"]


def bench(
    folder: Path,
    made: TaskSpec,
    law: Law = throughput,
    *,
    engine: FakeEngine | None = None,
    gpus: int = 0,
    **deployer: Any,
) -> Bench:
    told: list[tuple[str, Mapping[str, object]]] = []

    async def tell(kind: str, payload: Mapping[str, object]) -> None:
        told.append((kind, payload))

    servers = FakeDeployer(**deployer)
    rig = Rig(
        task_id="0123abcd",
        owner="owner",
        plan=plan_of(made, engine),
        deployer=servers,
        open=lambda slot: nullcontext(FakeLoad(servers, law)),
        gpus=gpus,
        folder=folder,
        tell=tell,
    )
    return Bench(rig, FakeLoad(servers, law), servers, told)
