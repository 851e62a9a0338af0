"""How long a page of 100 tasks takes among 10,000 tasks with 100,000 experiments, on SQLite.

    python -m tests.perf.listing [--tasks 10000] [--experiments 10] [--rounds 50]

Exits 1 where a page takes more than 50 ms, at the median or at the 95th percentile.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from tuner.domain import Experiment, ExperimentState, LoadPoint, Params, Role, Stats, TaskState
from tuner.schema import EXPERIMENT, TASK, experiment_values, task_values
from tuner.spec import TaskSpec
from tuner.store import Store

LIMIT_MS = 50

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


async def measure(store: Store, rounds: int) -> bool:
    """Prints a line per kind of page; whether all were fast enough."""
    fast = True
    for name, filters in PAGES.items():
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            rows, total = await store.tasks(limit=100, **filters)
            times.append((time.perf_counter() - began) * 1000)
        median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        fast = fast and p95 <= LIMIT_MS
        verdict = "PASS" if p95 <= LIMIT_MS else "FAIL"
        print(f"{verdict}  {name:17} {len(rows):3} of {total:5}   median {median:5.1f} ms   p95 {p95:5.1f} ms")
    return fast


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
            size = file.stat().st_size / 2**20
            print(
                f"{options.tasks} tasks, {options.experiments} experiments each, {size:.0f} MiB; {LIMIT_MS} ms allowed"
            )
            return 0 if await measure(store, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
