"""The command line as a user's shell runs it, in a data folder of the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    """`autotuner`, with the quick load generator in its table."""

    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def close(self) -> None:
        """Ends what a failed test left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    @property
    def env(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTOTUNER_")}
        return {**inherited, "AUTOTUNER_HOME": str(self.home), "COLUMNS": "120"}

    def run(self, *args: str, expect: int | None = 0, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fakes.main", *args],
            env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if expect is not None:
            assert done.returncode == expect, f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *args: str) -> Any:
        return json.loads(self.run(*args, "--json").stdout)

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.main", *args],
            env={**self.env, **(env or {})}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def file(self, name: str, task: dict[str, Any]) -> str:
        path = self.home.parent / f"{name}.yaml"
        path.write_text(yaml.safe_dump(task))
        return str(path)

    def tasks(self) -> list[dict[str, Any]]:
        return list(self.json("list")["tasks"])

    def experiments(self, task_id: str) -> list[dict[str, Any]]:
        return list(self.json("show", task_id)["experiments"])


def small_task(**changes: Any) -> dict[str, Any]:
    """A task on the simulated engine that takes a few seconds: 4 candidates, two levels, no confirmation."""
    return {
        "task_name": "small",
        "base_runtime": "simulated",
        "model": "any",
        "parameters": {"max-num-seqs": [2, 8, 16, 32], "sim-speed": 20},
        "optimization": {"strategy": "grid_search", "confirm": 0, "timeout_per_iteration": 60},
        "benchmark": {
            "tool": "quick",
            "traffic_scenarios": ["D(64,16)"],
            "num_concurrency": [1, 8],
            "max_requests_per_iteration": 16,
            "max_time_per_iteration": 0.5,
            "warmup_requests": 1,
        },
        **changes,
    }
