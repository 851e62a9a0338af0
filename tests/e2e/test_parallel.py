"""Three experiments at once on the simulated engine: the same as one at a time, also when the tuner is killed."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.command import Command, small_task
from tests.fakes.watching import labelled, only_task, wait_for

pytestmark = pytest.mark.slow

FIVE: dict[str, Any] = {"max-num-seqs": [2, 4, 8, 16, 32], "sim-speed": 20}


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path / "home")
    yield command
    command.close()


def task(slots: int, **parameters: Any) -> dict[str, Any]:
    searching = {"strategy": "grid_search", "confirm": 0, "timeout_per_iteration": 60, "parallel_experiments": slots}
    return small_task(parameters={**FIVE, **parameters}, optimization=searching)


def later_engines(command: Command) -> dict[int, str]:
    """The ports of three engines that serve at once, by experiment; one of them was started when another had ended."""
    engines: dict[int, str] = {}
    for process in labelled(command):
        with suppress(psutil.Error):  # it has ended meanwhile
            argv, number = process.cmdline(), int(process.environ()["AUTOTUNER_EXPERIMENT"])
            if "--port" in argv:
                engines[number] = argv[argv.index("--port") + 1]
    return engines if len(engines) == 3 and max(engines) > 2 else {}


def flags(experiments: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return sorted(sorted(one["params"]["flags"].items()) for one in experiments)


def test_three_at_once_measure_what_one_at_a_time_measures(command: Command, tmp_path: Path) -> None:
    alone = Command(tmp_path / "alone")
    alone.run("tune", alone.file("alone", task(1)))
    command.run("tune", command.file("together", task(3)))
    one = alone.experiments(only_task(alone)["id"])
    three = command.experiments(only_task(command)["id"])
    assert flags(three) == flags(one)
    assert [e["number"] for e in three] == list(range(6))
    assert {(e["state"], e["attempt"]) for e in three} == {("completed", 1)}
    assert labelled(command) == []


def test_killed_with_three_under_way_all_three_run_again_and_nothing_else(command: Command) -> None:
    running = command.start("tune", command.file("task", task(3, **{"sim-start-time": 6})))
    launched = wait_for(lambda: later_engines(command), "three engines, after the first ones have ended")
    running.kill()
    running.communicate()
    assert len(set(launched.values())) == 3, "a port each"
    task_id = only_task(command)["id"]
    before = {e["number"]: e for e in command.experiments(task_id)}
    cut_off = [number for number, e in before.items() if e["state"] == "running"]
    assert cut_off == sorted(launched)
    assert all(before[number]["holder"] for number in cut_off)
    command.run("resume", task_id)
    after = command.experiments(task_id)
    assert [e["number"] for e in after] == list(range(6))
    assert {e["state"] for e in after} == {"completed"}
    assert {e["number"]: e["attempt"] for e in after} == {number: 1 + (number in cut_off) for number in range(6)}
    assert len({str(one) for one in flags(after)}) == 6
    assert all(after[number] == e for number, e in before.items() if number not in cut_off)
    assert {e["holder"] for e in after} == {None}
    assert labelled(command) == []
