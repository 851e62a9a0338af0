"""genai-bench as the load generator, run as a command by an environment of its own.

What takes time once (seconds of imports, the tokenizer) is paid by a warm process, `genai_bench_driver`, that starts
while the engine does. Prompts and requests are genai-bench's; when they are sent, and what is kept of them, is ours.
"""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from tuner.benchmarks import pacing, requests, warm_process, window
from tuner.benchmarks.clients import Order
from tuner.benchmarks.requests import Level
from tuner.benchmarks.statistics import summarize
from tuner.benchmarks.warm_process import DriverReply, WarmProcess
from tuner.domain import Label, LoadPoint
from tuner.protocols import Recipe, Workload

ENVIRONMENT = "genai-bench"
DRIVER = Path(__file__).with_name("genai_bench_driver.py")
CLIENTS_EACH = 32
"""More clients than this are shared by several processes, as far as there are processors."""


@dataclass(frozen=True)
class GenaiBench:
    home: Path
    """The data folder."""
    recipes: ClassVar[Mapping[str, Recipe]] = {
        ENVIRONMENT: Recipe(requirement=None, module="genai_bench", disk_gib=1.5, python_below=(3, 13))
    }
    shapes: ClassVar[frozenset[str]] = frozenset()

    def missing(self) -> str | None:
        return warm_process.missing(self.home, ENVIRONMENT)

    @asynccontextmanager
    async def open(self, workload: Workload, log: Path, label: Label) -> AsyncIterator["WarmGenaiBench"]:
        """Raises:
        UnavailableError: it is not installed.
        """
        python = warm_process.interpreter(self.home, ENVIRONMENT)
        warm = WarmGenaiBench(python, workload, log, label, self.home / "processes")
        try:
            await warm.start()
            yield warm
        finally:
            await warm.stop()


@dataclass
class WarmGenaiBench:
    """Measures one level at a time, by a warm process."""

    python: Path
    workload: Workload
    log: Path
    label: Label
    registry: Path

    def __post_init__(self) -> None:
        tokenizer = self.workload.tokenizer
        self.process = WarmProcess(ENVIRONMENT, self.python, DRIVER, tokenizer, self.log, self.label, self.registry)

    async def start(self) -> None:
        """Returns at once; the process gets ready by itself."""
        await self.process.start()

    async def stop(self) -> None:
        await self.process.stop()

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
        assert concurrency, "open loops are refused when a task is planned"
        level = folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', scenario).strip('_')}-c{concurrency}"
        await asyncio.to_thread(warm_process.empty, level)
        kept, workload = level / requests.NAME, self.workload
        order = {
            "seed": warm_process.seed(f"{scenario} × {concurrency}"),
            "records": str(kept),
            "url": url,
            "order": asdict(self._order(concurrency)),
            "ignore_eos": workload.additional_params.get("ignore_eos"),
            "arguments": self.arguments(url, model, scenario, concurrency, level, held_out),
        }
        outcome = await self.process.run(order, workload.max_time_s)
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
        processes, sent = warm_process.parts(kept, outcome.parts)
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
