"""What can be taken away from a task and used elsewhere. To add an artifact: write it, list it here."""

from collections.abc import Callable

from tuner.analysis.result import Result
from tuner.report.command import command
from tuner.report.containers import compose, kubernetes
from tuner.spec import taskfile


def task(result: Result) -> str:
    """The task file, ready to be run again or changed."""
    return taskfile.dump(result.spec)


ARTIFACTS: dict[str, Callable[[Result], str]] = {
    "command": command,
    "compose": compose,
    "kubernetes": kubernetes,
    "task": task,
}
