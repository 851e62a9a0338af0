"""What can be taken away from a task and used elsewhere. To add an artifact: write it, list it in ARTIFACTS."""

import shlex
from collections.abc import Callable

from tuner import taskfile
from tuner.domain import Experiment
from tuner.errors import ConflictError
from tuner.result import Result

PORT = "8000"
"""Instead of the port that happened to be free while measuring."""
INTERNAL = ("AUTOTUNER_", "VLLM_SERVER_DEV_MODE")
"""Beginnings of environment variables that serve the tuner, not the engine's user."""


def command(result: Result) -> str:
    """The shell command that serves the winning configuration.

    Raises:
        ConflictError: no configuration has won.
    """
    if result.winner is None:
        raise ConflictError(f"Task {result.task_id} has no configuration to export. {result.verdict.text}")
    label = "# Found on the simulated engine; real hardware will differ.\n" if result.simulated else ""
    return f"{label}{shell(result.experiment(result.winner))}\n"


def task(result: Result) -> str:
    """The task file, ready to be run again or changed."""
    return taskfile.dump(result.spec)


ARTIFACTS: dict[str, Callable[[Result], str]] = {"command": command, "task": task}


def shell(experiment: Experiment) -> str:
    """One experiment's launch as a line for a POSIX shell, on port 8000; empty where nothing was launched."""
    if not experiment.command:
        return ""
    env = [f"{name}={shlex.quote(value)}" for name, value in experiment.env.items() if not name.startswith(INTERNAL)]
    return " ".join([*env, *map(shlex.quote, _on_port(experiment.command))])


def _on_port(argv: tuple[str, ...]) -> list[str]:
    """The command with its port replaced, written `--port N` or `--port=N`."""
    parts = []
    for before, part in zip(("", *argv), argv, strict=False):
        parts.append(PORT if before == "--port" else f"--port={PORT}" if part.startswith("--port=") else part)
    return parts
