"""What tuning costs beyond what it measures: wall time, own work, memory, start-up.

    .venv/bin/python tests/perf/overhead.py [--simulated-only]

Own work is what adds to the wall time: choosing, launching, stopping, scoring, recording. What the tuner does while an
engine starts or load is measured (health, heartbeat, progress) adds nothing, but shares the machine with what is
measured: it is given as a part of one core.

Prints each number beside its limit and exits with 1 if one is missed. Ratios are of one run, so that a noisy machine
tilts both sides.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

from tuner.domain import Event
from tuner.settings import Settings
from tuner.storage.store import Store

ROOT = Path(__file__).parents[2]
AUTOTUNER = (sys.executable, "-m", "tuner.cli")


@dataclass(frozen=True)
class Cost:
    name: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        mark = "ok  " if self.kept else "OVER"
        return f"{mark} {self.name}: {self.value:.2f} {self.unit} (limit {self.limit:g})"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--simulated-only", action="store_true", help="leave the real engine out")
    simulated_only = options.parse_args().simulated_only
    costs = [_help_time(), *_task(ROOT / "examples" / "simulated.yaml", wall_limit=None)]
    if not simulated_only:
        costs += _task(ROOT / "examples" / "demo.yaml", wall_limit=1.10)
    print("\n".join(map(str, costs)))
    return 0 if all(cost.kept for cost in costs) else 1


def _help_time() -> Cost:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([*AUTOTUNER, "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return Cost("autotuner --help, best of 5", min(times), 0.5, "s")


def _task(file: Path, wall_limit: float | None) -> list[Cost]:
    """Runs a task in a fresh data folder beside the installed engines, and takes its costs apart."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "engines").symlink_to(Settings().engines)
        env = {**os.environ, "AUTOTUNER_HOME": home}
        began = time.monotonic()
        with (
            (Path(home) / "result.json").open("w") as out,
            subprocess.Popen([*AUTOTUNER, "tune", str(file), "--yes", "--json"], env=env, stdout=out) as process,
        ):
            usage = _observed(process)
        wall_s = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"{file.name} ended with {process.returncode}")
        result = json.loads((Path(home) / "result.json").read_text())
        events = asyncio.run(_events(Settings(home=Path(home)), result["task_id"]))
    experiments = result["experiments"]
    start_s = sum(e["start_s"] or 0.0 for e in experiments)
    load_s = sum(point["duration_s"] for e in experiments for point in e["points"])
    waits = list(_waits(events))
    waited_s, watching_s = (sum(map(part, waits)) for part in (lambda w: w[1] - w[0], usage.work_s))
    begun = next(event.at.timestamp() for event in events if event.kind == "task_started")
    work_s = usage.work_s((begun, events[-1].at.timestamp())) - watching_s
    print(
        f"{file.name}: {len(experiments)} experiments in {wall_s:.1f} s; engine starts {start_s:.1f} s, "
        f"measured load {load_s:.1f} s, rest {wall_s - start_s - load_s:.1f} s "
        f"({(wall_s - start_s - load_s) / len(experiments):.2f} s an experiment)"
    )
    name = file.stem
    costs = [
        Cost(f"{name}: the tuner's own work, processor time", work_s / len(experiments), 0.2, "s an experiment"),
        Cost(f"{name}: watching while engines start and load runs", 100 * watching_s / waited_s, 3, "% of a core"),
        Cost(f"{name}: the tuner's memory", usage.peak_mib, 250, "MiB"),
    ]
    if wall_limit is not None:
        costs.append(Cost(f"{name}: wall ÷ (starts + load)", wall_s / (start_s + load_s), wall_limit, "×"))
    return costs


@dataclass
class Usage:
    """Of a process, as it was looked at twenty times a second."""

    at: list[float]
    cpu_s: list[float]
    peak_mib: float = 0.0

    def work_s(self, between: tuple[float, float]) -> float:
        """Processor time, user and system, between two moments."""
        begun, ended = np.interp(between, self.at, self.cpu_s)
        return float(ended - begun)


def _observed(process: subprocess.Popen[bytes]) -> Usage:
    tuner, usage = psutil.Process(process.pid), Usage([], [])
    while process.poll() is None:
        try:
            used, memory = tuner.cpu_times(), tuner.memory_info()
        except psutil.Error:
            break
        usage.at.append(time.time())
        usage.cpu_s.append(used.user + used.system)
        usage.peak_mib = max(usage.peak_mib, memory.rss / 2**20)
        time.sleep(0.05)
    return usage


async def _events(settings: Settings, task_id: str) -> list[Event]:
    async with Store(settings.store_url) as store:
        return await store.events(task_id, limit=100_000)


def _waits(events: Sequence[Event]) -> Iterator[tuple[float, float]]:
    """When the tuner did nothing but watch: an engine that starts or warms up, a load level that is measured."""
    for event, following in pairwise(events):
        if event.kind == "phase":
            yield event.at.timestamp(), following.at.timestamp()


if __name__ == "__main__":
    sys.exit(main())
