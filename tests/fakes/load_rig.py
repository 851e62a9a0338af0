"""A real load generator, warm, in a data folder of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.fakes.genai_home import genai_home
from tests.fakes.simulated_process import MODEL
from tests.fakes.watching import owned
from tuner.benchmarks import BENCHMARKS
from tuner.domain import Label, LoadPoint
from tuner.protocols import LoadGenerator, Workload

TRIES = 4


async def unspoiled(measure: Callable[[], Awaitable[LoadPoint]]) -> LoadPoint:
    """Measures again where the load generator was kept from its work by what else runs on this machine."""
    for _ in range(TRIES):
        point = await measure()
        if "The load generator was the bottleneck" not in (point.error or ""):
            break
    return point


@dataclass(frozen=True)
class LoadRig:
    home: Path
    load: LoadGenerator
    concurrency: int = 0
    """Of a level, unless it is said."""

    @property
    def folder(self) -> Path:
        """Of an experiment."""
        return self.home / "runs" / "task" / "3"

    async def measure(
        self, url: str, scenario: str = "D(40,8)", concurrency: int | None = None, rate: float | None = None
    ) -> LoadPoint:
        at = self.concurrency if concurrency is None else concurrency
        return await unspoiled(lambda: self.load.measure(url, MODEL, scenario, at, self.folder, rate=rate))

    def file(self, raw: str | None) -> Path:
        assert raw is not None
        return self.folder.parent / raw

    def processes(self) -> list[psutil.Process]:
        return owned(self.home)


@asynccontextmanager
async def load_rig(
    name: str, tmp_path: Path, tokenizer: Path, concurrency: int = 0, **changes: Any
) -> AsyncIterator[LoadRig]:
    """Skips the test where the load generator is not installed."""
    home = genai_home(tmp_path / "home", name)
    given = {"task_id": "task", "scenarios": (), "concurrencies": (), "tokenizer": str(tokenizer), "max_time_s": 60.0}
    log = home / "runs" / "task" / "benchmark.log"
    label = Label("task", -1, str(home))
    async with BENCHMARKS[name](home).open(Workload(**{**given, **changes}), log, label) as load:
        yield LoadRig(home, load, concurrency)
