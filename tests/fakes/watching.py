"""What a test sees of a command line that runs beside it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.fakes.command import Command


def wait_for(what: Callable[[], Any], why: str, patience_s: float = 60) -> Any:
    """What the function gives, as soon as it is something."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never came: {why}")


def owned(home: Path) -> list[psutil.Process]:
    """Processes that carry the label of tuners of this data folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTOTUNER_OWNER") == str(home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def labelled(command: Command) -> list[psutil.Process]:
    """The live processes that tuners of this data folder have started."""
    found = []
    for process in psutil.process_iter():
        try:
            env = process.environ()
            if "AUTOTUNER_TASK" in env and env.get("AUTOTUNER_HOME") == str(command.home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def only_task(command: Command) -> dict[str, Any]:
    (task,) = command.tasks()
    return task
