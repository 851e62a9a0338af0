"""How long a page of 100 tasks, or of 100 experiments, takes among 10,000 tasks with 100,000 experiments, on SQLite.

    python -m tests.perf.listing [--tasks 10000] [--experiments 10] [--rounds 50]

Exits 1 where a page of tasks takes more than 30 ms, or one of experiments more than 100 ms, at the 95th percentile.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from tuner.domain import Experiment, ExperimentState, LoadPoint, Params, Role, Stats, TaskState
from tuner.spec.task import TaskSpec
from tuner.storage.schema import EXPERIMENT, TASK, experiment_values, task_values
from tuner.storage.store import Store

LIMIT_MS = 30
EXPERIMENTS_LIMIT_MS = 100
"""A page of experiments has all they measured, so that most of its time goes into reading that."""

Page = Callable[..., Awaitable[tuple[Sequence[object], int]]]

START = datetime(2026, 1, 1, tzinfo=UTC)

PAGES: dict[str, dict[str, Any]] = {
    "newest": {},
    "by state": {"state": TaskState.FAILED},
    "by engine": {"engine": "sglang"},
    "by text, many": {"text": "TEAM 7"},
    "by text, few": {"text": "task 123 of"},
    "by text, none": {"text": "nowhere"},
    "by all three": {"state": TaskState.FAILED, "engine": "sglang", "text": "team"},
    "in the middle": {"offset": 5_000},
    "the last": {"offset": 9_900},
    "the last by text": {"text": "llama", "offset": 9_900},
}

EXPERIMENT_PAGES: dict[str, dict[str, Any]] = {
    "newest": {},
    "of a task": {"task_id": f"{123:08x}"},
    "by state": {"state": ExperimentState.FAILED},
    "by role": {"role": Role.CANDIDATE},
    "by role, none": {"role": Role.BASELINE},
    "in the middle": {"offset": 50_000},
    "the last": {"offset": 99_900},
}


def task_rows(tasks: int) -> Iterator[dict[str, object]]:
    states, engines = list(TaskState), ("vllm", "sglang", "tensorrt-llm")
    for number in range(tasks):
        spec = TaskSpec.model_validate(
            {
                "task_name": f"task {number} of team {number % 97}",
                "description": "Finds flags for the nightly load. " * 10,
                "base_runtime": engines[number // 6 % 3],
                "model": f"/models/llama-{number % 13}b",
                "parameters": {f"flag-{name}": list(range(1, 9)) for name in range(8)},
                "slo": {"ttft": {"p90": {"threshold": 0.3}}},
            }
        )
        yield {
            "id": f"{number:08x}",
            "state": states[number % 6].value,
            "created_at": START + timedelta(minutes=number),
            "gain": 0.2,
            **task_values(spec),
        }


def experiment_rows(task_id: str, experiments: int) -> Iterator[dict[str, object]]:
    stats = Stats(mean=0.1, p50=0.1, p90=0.2, p95=0.2, p99=0.3, min=0.0, max=0.4)
    levels = tuple(
        LoadPoint(scenario="D(256,32)", concurrency=level, requests=64, ttft=stats, tpot=stats, e2e_latency=stats)
        for level in (1, 4, 8)
    )
    for number in range(experiments):
        experiment = Experiment(
            number=number,
            role=Role.CANDIDATE,
            params=Params(flags={f"flag-{name}": number for name in range(8)}),
            state=ExperimentState.FAILED if number % 5 == 4 else ExperimentState.COMPLETED,
            points=levels,
            started_at=START,
        )
        yield {"task_id": task_id, "number": number, **experiment_values(experiment)}


def fill(file: Path, tasks: int, experiments: int) -> None:
    engine = create_engine(f"sqlite:///{file}")
    rows = list(task_rows(tasks))
    with engine.begin() as connection:
        connection.execute(insert(TASK), rows)
        for row in rows:
            connection.execute(insert(EXPERIMENT), list(experiment_rows(str(row["id"]), experiments)))
    engine.dispose()


async def measure(
    what: str, page: Page, filters: Mapping[str, Any], *,
    rounds: int, limit_ms: float,
) -> bool:  # fmt: skip
    """Prints a line for a kind of page; whether it was fast enough."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        rows, total = await page(limit=100, **filters)
        times.append((time.perf_counter() - began) * 1000)
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    verdict = "PASS" if p95 <= limit_ms else "FAIL"
    print(
        f"{verdict}  {what:29} {len(rows):3} of {total:6}   median {median:5.1f} ms   p95 {p95:5.1f} ms   "
        f"({limit_ms:g} ms allowed)"
    )
    return p95 <= limit_ms


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--experiments", type=int, default=10, help="per task")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "autotuner.db"
        async with Store(f"sqlite:///{file}") as store:
            await asyncio.to_thread(fill, file, options.tasks, options.experiments)
            gc.freeze()  # as the service does once it has started: a full collection takes longer than a page
            size = file.stat().st_size / 2**20
            print(f"{options.tasks} tasks, {options.experiments} experiments each, {size:.0f} MiB")
            kinds: list[tuple[str, Page, Mapping[str, Mapping[str, Any]], float]] = [
                ("tasks", store.tasks, PAGES, LIMIT_MS),
                ("experiments", store.experiments_page, EXPERIMENT_PAGES, EXPERIMENTS_LIMIT_MS),
            ]
            fast = [
                await measure(f"{kind}, {name}", page, filters, rounds=options.rounds, limit_ms=limit_ms)
                for kind, page, pages, limit_ms in kinds
                for name, filters in pages.items()
            ]
            return 0 if all(fast) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
