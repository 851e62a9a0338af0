"""Kill anything at any moment: finished experiments stay, the search goes on as if nothing had happened."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.command import Command, small_task
from tests.fakes.watching import labelled, only_task, wait_for

pytestmark = pytest.mark.slow

PATIENCE_S = 60


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path / "home")
    yield command
    command.close()


def sequence(command: Command, task_id: str) -> list[tuple[int, str, dict[str, Any]]]:
    return [(e["number"], e["role"], e["params"]["flags"]) for e in command.experiments(task_id)]


@pytest.mark.parametrize("strategy", ["random", "grid_search"])
def test_a_task_killed_again_and_again_ends_as_if_it_had_never_been(
    command: Command, tmp_path: Path, strategy: str
) -> None:
    task = small_task(optimization={"strategy": strategy, "confirm": 1, "timeout_per_iteration": 60, "seed": 7})
    undisturbed = Command(tmp_path / "undisturbed")
    undisturbed.run("tune", undisturbed.file("task", task))
    wanted = sequence(undisturbed, only_task(undisturbed)["id"])

    dice = random.Random(strategy)
    finished: dict[int, Any] = {}
    running = command.start("tune", command.file("task", task))
    kills = 0
    while kills < 6:
        try:
            running.wait(timeout=dice.uniform(0.6, 3.5))
            if running.returncode == 0:
                break
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            kills += 1
        running.communicate()
        rows = command.tasks()
        if not rows:  # killed before the task was written down
            running = command.start("tune", command.file("task", task))
            continue
        now = {e["number"]: e for e in command.experiments(rows[0]["id"])}
        for number, experiment in finished.items():
            assert now[number] == experiment, "a finished experiment was altered"
        finished = {number: e for number, e in now.items() if e["state"] != "running"}
        if rows[0]["state"] == "completed":  # killed after its last step
            break
        running = command.start("resume", rows[0]["id"])
    out, err = running.communicate(timeout=PATIENCE_S)
    assert only_task(command)["state"] == "completed", out + err
    task_id = only_task(command)["id"]
    candidates = [step for step in sequence(command, task_id) if step[1] != "confirmation"]
    assert candidates == [step for step in wanted if step[1] != "confirmation"]
    assert all(e["state"] == "completed" for e in command.experiments(task_id))
    assert labelled(command) == []


def test_the_parameters_recorded_are_those_on_the_command_line_of_the_running_engine(command: Command) -> None:
    task = small_task(parameters={"max-num-seqs": [2, 4], "sim-speed": 20, "sim-start-time": 2})
    running = command.start("tune", command.file("task", task))
    seen: dict[int, list[str]] = {}
    while running.poll() is None:
        for process in labelled(command):
            with suppress(psutil.Error):  # it has ended meanwhile
                argv, env = process.cmdline(), process.environ()
                if "--max-num-seqs" in argv:
                    seen[int(env["AUTOTUNER_EXPERIMENT"])] = argv
        time.sleep(0.2)
    out, err = running.communicate()
    assert running.returncode == 0, out + err
    candidates = [e for e in command.experiments(only_task(command)["id"]) if e["role"] == "candidate"]
    assert len(candidates) == 2
    for experiment in candidates:
        argv = seen[experiment["number"]]
        assert experiment["command"] == argv
        for name, value in experiment["params"]["flags"].items():
            assert argv[argv.index(f"--{name}") + 1] == str(value)


def test_an_orphaned_engine_is_stopped_when_the_task_is_taken_up_again(command: Command) -> None:
    task = small_task(parameters={"max-num-seqs": [2, 4], "sim-speed": 20, "sim-start-time": 4})
    running = command.start("tune", command.file("task", task))
    engines = wait_for(lambda: labelled(command), "an engine")
    running.kill()
    running.communicate()
    assert [engine for engine in engines if engine.is_running()]
    command.run("resume", only_task(command)["id"])
    assert not [engine for engine in engines if engine.is_running()]


def test_an_engine_killed_from_outside_is_started_again_and_the_configuration_not_blamed(command: Command) -> None:
    task = small_task(parameters={"max-num-seqs": [2, 4], "sim-speed": 5})
    running = command.start("tune", command.file("task", task))
    for engine in wait_for(lambda: labelled(command), "an engine"):
        engine.kill()
    out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, out + err
    assert "again, this machine failed it" in out
    assert all(e["state"] == "completed" for e in command.experiments(only_task(command)["id"]))


def test_cancel_from_another_process_ends_the_run_its_engine_and_says_so(command: Command) -> None:
    running = command.start("tune", command.file("task", small_task(parameters={"sim-speed": [0.2, 0.3]})))
    wait_for(lambda: labelled(command), "an engine")
    task_id = only_task(command)["id"]
    command.run("cancel", task_id)
    assert labelled(command) == []
    assert only_task(command)["state"] == "cancelled"
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    command.run("cancel", task_id, expect=1)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_cancels_and_a_second_one_at_once(command: Command, times: int) -> None:
    running = command.start("tune", command.file("task", small_task(parameters={"sim-speed": [0.2, 0.3]})))
    wait_for(lambda: labelled(command), "an engine")
    for _ in range(times):
        running.send_signal(signal.SIGINT)
        time.sleep(0.2)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert labelled(command) == []
    assert only_task(command)["state"] == "cancelled"


def test_two_workers_never_run_one_task(command: Command) -> None:
    """Both are offered three queued tasks; each experiment is started exactly once."""
    names = [f"task-{number}" for number in range(3)]
    for name in names:
        started = command.start(
            "tune", command.file(name, small_task(task_name=name, parameters={"sim-speed": [4, 5]}))
        )
        wait_for(lambda: labelled(command), "an engine")
        started.kill()
        started.communicate()
    workers = [command.start("worker") for _ in range(2)]
    wait_for(lambda: all(row["state"] == "completed" for row in command.tasks()), "three completed tasks")
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0
    for row in command.tasks():
        experiments = command.experiments(row["id"])
        assert [e["number"] for e in experiments] == [0, 1, 2]
        assert sum(e["attempt"] for e in experiments) <= 4  # the one cut off above may stand at 2
    assert labelled(command) == []


def test_a_stalled_workers_task_passes_on_and_the_old_one_stops(command: Command) -> None:
    lease = {"AUTOTUNER_LEASE_S": "5"}
    stalled = command.start("tune", command.file("task", small_task(parameters={"sim-speed": [4, 5]})), env=lease)
    wait_for(lambda: labelled(command), "an engine")
    os.kill(stalled.pid, signal.SIGSTOP)
    heir = command.start("worker", env=lease)
    wait_for(lambda: only_task(command)["state"] == "completed", "the heir to finish")
    before = command.experiments(only_task(command)["id"])
    os.kill(stalled.pid, signal.SIGCONT)
    _, err = stalled.communicate(timeout=PATIENCE_S)
    assert stalled.returncode == 1
    assert "the worker that had it must stop" in err
    heir.send_signal(signal.SIGTERM)
    heir.communicate(timeout=PATIENCE_S)
    assert command.experiments(only_task(command)["id"]) == before
    assert labelled(command) == []
