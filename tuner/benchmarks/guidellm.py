"""guidellm as the load generator, in an environment of its own: closed and open loops, traces and conversations.

What is sent and when is decided here (`schedule`); a warm process, `guidellm_driver`, has guidellm send it.
"""

import asyncio
import math
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from tuner.benchmarks import pacing, requests, schedule, traces, warm_process, window
from tuner.benchmarks.schedule import Conversation
from tuner.benchmarks.statistics import summarize
from tuner.benchmarks.warm_process import DriverReply, WarmProcess
from tuner.domain import Label, Level, LoadPoint
from tuner.errors import BenchmarkError, FailureKind
from tuner.protocols import Recipe, Workload

ENVIRONMENT = "guidellm"
DRIVER = Path(__file__).with_name("guidellm_driver.py")
TOKENS_EACH = 2000
"""Output tokens per second that one worker process is given, as far as there are processors."""
START_LIMIT_S = 45.0
"""From the order of a level to its first request, on a machine where much else runs."""
UNKNOWN_TOKENS = 100
"""Of an answer, where its length is open."""


@dataclass(frozen=True)
class Guidellm:
    home: Path
    """The data folder."""
    recipes: ClassVar[Mapping[str, Recipe]] = {
        ENVIRONMENT: Recipe(
            requirement="guidellm==0.8.1",
            module="guidellm.backends",
            disk_gib=0.5,
            first=("jinja2", "msgspec", "orjson"),
            # For data sets, reports and a server of its own, none of which are used: 600 MB, and with torch 7 GB.
            without=frozenset(
                {"torch", "datasets", "sanic", "faker", "tabulate", "ftfy", "eval-type-backport", "protobuf", "rich"}
            ),
        )
    }
    shapes: ClassVar[frozenset[str]] = frozenset({"request_rate", "trace", "turns"})

    def missing(self) -> str | None:
        return warm_process.missing(self.home, ENVIRONMENT)

    @asynccontextmanager
    async def open(self, workload: Workload, log: Path, label: Label) -> AsyncIterator["WarmGuidellm"]:
        """Raises:
        UnavailableError: it is not installed.
        """
        python = warm_process.interpreter(self.home, ENVIRONMENT)
        registry = self.home / "processes"
        process = WarmProcess(ENVIRONMENT, python, DRIVER, workload.tokenizer, log, label, registry)
        try:
            await process.start()
            yield WarmGuidellm(process, workload)
        finally:
            await process.stop()


@dataclass(frozen=True)
class WarmGuidellm:
    """Measures one level at a time, by a warm process."""

    process: WarmProcess
    workload: Workload

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
        level = Level(scenario, concurrency, rate)
        place = folder / re.sub(r"[^A-Za-z0-9.]+", "_", level.name.replace("×", "c")).strip("_")
        await asyncio.to_thread(warm_process.empty, place)
        planned = await asyncio.to_thread(self._planned, level, place)
        order = self.order(url, model, level, planned, place, held_out)
        outcome = await self.process.run(order, self.workload.max_time_s)
        return await asyncio.to_thread(self._point, level, order, outcome, place, folder)

    def _planned(self, level: Level, place: Path) -> list[Conversation]:
        """The schedule of a level, written down for the driver.

        Raises:
            BenchmarkError: it cannot be written, or the trace cannot be read.
        """
        trace: Sequence[traces.TraceRequest] = ()
        try:
            if level.scenario == "trace" and self.workload.trace is not None:
                trace = traces.read(self.workload.trace)
            planned = schedule.conversations(
                level, self.workload, warm_process.seed(level.name), self._wanted(level), trace
            )
            (place / "schedule.jsonl").write_text("".join(f"{one.line}\n" for one in planned))
        except traces.TraceError as error:
            raise BenchmarkError(FailureKind.BENCHMARK_FAILED, str(error)) from error
        except OSError as error:
            raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"{place} cannot be written: {error}") from error
        return planned

    def order(
        self, url: str, model: str, level: Level, planned: Sequence[Conversation], place: Path, held_out: bool = False
    ) -> dict[str, object]:
        """A level, for the driver."""
        workload = self.workload
        extra = {"temperature": 0.0, **workload.additional_params}
        prompts = workload.held_out if held_out and workload.held_out else workload.dataset
        return {
            "seed": warm_process.seed(level.name),
            "schedule": str(place / "schedule.jsonl"),
            "records": str(place / requests.NAME),
            "url": url,
            "body": {
                "model": workload.model_name or model,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            "extra": extra,
            "prefix_tokens": self._prefix(level),
            "dataset": str(prompts) if level.scenario == "dataset" and prompts else None,
            "streams": level.concurrency,
            "finite": _finite(level),
            "turns": max(len(one.turns) for one in planned),
            "planned": sum(len(one.turns) for one in planned),
            "unmeasured": self._unmeasured(level),
            "wanted": sum(len(one.turns) for one in planned) if _finite(level) else self._wanted(level),
            "start_s": START_LIMIT_S,
            "time_s": workload.max_time_s,
            "patience_s": pacing.LEAST_PATIENCE_S,
            "processes": self._processes(level, planned),
        }

    def _unmeasured(self, level: Level) -> int | None:
        """None: the driver finds out, by when the first answer comes."""
        if _finite(level):
            return 0
        return None if level.open else level.concurrency

    def _wanted(self, level: Level) -> int:
        return window.requests_for(level.concurrency, self.workload.far, self.workload.max_requests)

    def _prefix(self, level: Level) -> int:
        if self.workload.prefix_ratio is not None:
            return int(self.workload.prefix_ratio * int(re.findall(r"\d+", level.scenario)[0]))
        return self.workload.prefix_len or 0

    def _processes(self, level: Level, planned: Sequence[Conversation]) -> int:
        """Workers: by the tokens that are to come each second, as far as that can be told."""
        if not level.open:
            wanted = math.ceil(level.concurrency / 32)
        else:
            sizes = [turn.output_tokens or UNKNOWN_TOKENS for one in planned[:1000] for turn in one.turns]
            last_s = planned[-1].turns[0].due_s or 1.0
            rate = level.rate or sum(len(one.turns) for one in planned) / last_s
            wanted = math.ceil(rate * fmean(sizes) / TOKENS_EACH)
        return max(1, min((os.cpu_count() or 2) // 2, wanted))

    def _point(
        self, level: Level, order: Mapping[str, object], outcome: DriverReply, place: Path, folder: Path
    ) -> LoadPoint:
        kept = place / requests.NAME
        processes, sent = warm_process.parts(kept, outcome.parts)
        (place / "schedule.jsonl").unlink(missing_ok=True)
        said = requests.Level(
            generator=ENVIRONMENT,
            ended_at=outcome.ended_at,
            ending=outcome.ending,
            unmeasured=outcome.unmeasured or 0,
            wanted=int(str(order["wanted"])),
            trace=_finite(level),
            unsent=outcome.unsent,
            lag_s=max(one.lag_s for one in processes),
            busy=max(one.busy for one in processes),
            cpu_s=math.fsum(one.cpu_s for one in processes),
        )
        requests.write(kept, said, sent)
        raw = str(kept.relative_to(folder.parent))
        slos = self.workload.slos
        return summarize(level.scenario, level.concurrency, said, sent, slos, rate=level.rate, raw=raw)


def _finite(level: Level) -> bool:
    """A trace with its times: all of it is sent and measured."""
    return level.open and level.scenario == "trace"
