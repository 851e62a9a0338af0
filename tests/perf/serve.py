"""What `autotuner serve` costs: its start, its idle memory, the task list and task detail among 10,000 tasks.

    .venv/bin/python tests/perf/serve.py [--tasks 10000] [--experiments 10] [--rounds 100]

Prints each number beside its limit and exits with 1 if one is missed.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.perf.listing import fill
from tests.perf.overhead import Cost

SERVE = (sys.executable, "-m", "tuner.cli", "serve", "--port", "0")
TOKEN = "a-token-for-measuring-only"
STARTS = 3
IDLE_S = 10.0
"""Until the assistant is loaded and nothing happens any more."""

REQUESTS: Mapping[str, str] = {
    "task list, newest": "/api/tasks?limit=100",
    "task list, by state": "/api/tasks?limit=100&state=failed",
    "task list, by text": "/api/tasks?limit=100&text=team%207",
    "task list, in the middle": "/api/tasks?limit=100&offset=5000",
    "task detail": "/api/tasks/00000{number:03x}",
    "task experiments": "/api/tasks/00000{number:03x}/experiments",
}


@dataclass(frozen=True)
class Service:
    process: subprocess.Popen[str]
    address: str
    healthy_after_s: float

    @property
    def memory_mib(self) -> float:
        """Of the service itself, without its worker."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


@contextmanager
def service(home: Path) -> Iterator[Service]:
    env = {**os.environ, "AUTOTUNER_HOME": str(home), "AUTOTUNER_TOKEN": TOKEN}
    began = time.perf_counter()
    with subprocess.Popen(SERVE, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            assert found, "the service did not start"
            httpx.get(f"{found[0]}/api/system/health").raise_for_status()
            yield Service(process, found[0], time.perf_counter() - began)
        finally:
            process.terminate()


def starts(home: Path) -> Cost:
    after = []
    for _ in range(STARTS):
        with service(home) as started:
            after.append(started.healthy_after_s)
    return Cost(f"from start to health, worst of {STARTS}", max(after), 2.5, "s")


def idle(home: Path) -> Cost:
    with service(home) as started:
        time.sleep(IDLE_S)
        return Cost("idle memory", started.memory_mib, 300, "MiB")


def requests(home: Path, rounds: int) -> Iterator[Cost]:
    with service(home) as started, httpx.Client(base_url=started.address) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        time.sleep(IDLE_S)
        for name, path in REQUESTS.items():
            times = []
            for number in range(rounds):
                began = time.perf_counter()
                answer = client.get(path.format(number=number))
                times.append((time.perf_counter() - began) * 1000)
                answer.raise_for_status()
            yield Cost(
                f"{name}, p95 (median {statistics.median(times):.1f})", statistics.quantiles(times, n=20)[-1], 30, "ms"
            )


def measure(home: Path, tasks: int = 10_000, experiments: int = 10, rounds: int = 100) -> list[Cost]:
    """In a data folder that is empty yet."""
    costs = [starts(home), idle(home)]
    fill(home / "autotuner.db", tasks, experiments)
    return [*costs, *requests(home, rounds)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--experiments", type=int, default=10, help="per task")
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(Path(folder), options.tasks, options.experiments, options.rounds)
    print("\n".join(map(str, costs)))
    return 0 if all(cost.kept for cost in costs) else 1


if __name__ == "__main__":
    sys.exit(main())
