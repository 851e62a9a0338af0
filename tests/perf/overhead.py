"""What tuning costs beyond what it measures: wall time, own work, memory, start-up.

    .venv/bin/python tests/perf/overhead.py [--simulated-only]

Prints each number beside its limit and exits with 1 if one is missed. Ratios are of one run, so that a noisy machine
tilts both sides.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tuner.settings import Settings

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
            peak_mib, work_s, experiments_work = 0.0, 0.0, 0.0
            tuner = psutil.Process(process.pid)
            first: float | None = None
            while process.poll() is None:
                try:
                    used = tuner.cpu_times()
                    peak_mib = max(peak_mib, tuner.memory_info().rss / 2**20)
                except psutil.Error:
                    break
                work_s = used.user + used.system
                if first is None and list(Path(home).glob("runs/*/0")):
                    first = work_s  # what came before is start-up: imports, the plan
                time.sleep(0.05)
        wall_s = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"{file.name} ended with {process.returncode}")
        experiments = _experiments(env)
    experiments_work = (work_s - (first or 0.0)) / len(experiments)
    start_s = sum(e["start_s"] or 0.0 for e in experiments)
    load_s = sum(point["duration_s"] for e in experiments for point in e["points"])
    print(
        f"{file.name}: {len(experiments)} experiments in {wall_s:.1f} s; engine starts {start_s:.1f} s, "
        f"measured load {load_s:.1f} s, rest {wall_s - start_s - load_s:.1f} s "
        f"({(wall_s - start_s - load_s) / len(experiments):.2f} s an experiment)"
    )
    name = file.stem
    costs = [
        Cost(f"{name}: the tuner's own work", experiments_work, 0.2, "s an experiment"),
        Cost(f"{name}: the tuner's memory", peak_mib, 250, "MiB"),
    ]
    if wall_limit is not None:
        costs.append(Cost(f"{name}: wall ÷ (starts + load)", wall_s / (start_s + load_s), wall_limit, "×"))
    return costs


def _experiments(env: dict[str, str]) -> list[dict[str, Any]]:
    listed = subprocess.run([*AUTOTUNER, "list", "--json"], env=env, check=True, capture_output=True, text=True)
    task_id = json.loads(listed.stdout)["tasks"][0]["id"]
    shown = subprocess.run([*AUTOTUNER, "show", task_id, "--json"], env=env, check=True, capture_output=True, text=True)
    return list(json.loads(shown.stdout)["experiments"])


if __name__ == "__main__":
    sys.exit(main())
