"""The winning configuration's launch: as a line for a shell, and in parts."""

import shlex

from tuner.analysis.result import Result
from tuner.domain import Experiment
from tuner.errors import ConflictError

PORT = "8000"
"""Instead of the port that happened to be free while measuring."""
INTERNAL = ("AUTOTUNER_", "VLLM_SERVER_DEV_MODE")
"""Beginnings of environment variables that serve the tuner, not the engine's user."""


def command(result: Result) -> str:
    """The shell command that serves the winning configuration.

    Raises:
        ConflictError: no configuration has won.
    """
    label = "# Found on the simulated engine; real hardware will differ.\n" if result.simulated else ""
    return f"{label}{shell(winning(result))}\n"


def winning(result: Result) -> Experiment:
    """
    Raises:
        ConflictError: no configuration has won.
    """
    if result.winner is None:
        raise ConflictError(f"Task {result.task_id} has no configuration to export. {result.verdict.text}")
    return result.experiment(result.winner)


def shell(experiment: Experiment) -> str:
    """One experiment's launch as a line for a POSIX shell, on port 8000; empty where nothing was launched."""
    if not experiment.command:
        return ""
    env = [f"{name}={shlex.quote(value)}" for name, value in settings(experiment).items()]
    return " ".join([*env, *map(shlex.quote, arguments(experiment))])


def settings(experiment: Experiment) -> dict[str, str]:
    """Its environment variables, without those that only the tuner needs."""
    return {name: value for name, value in experiment.env.items() if not name.startswith(INTERNAL)}


def arguments(experiment: Experiment) -> list[str]:
    """What was launched, with the usual port, written `--port N` or `--port=N`."""
    parts = []
    for before, part in zip(("", *experiment.command), experiment.command, strict=False):
        parts.append(PORT if before == "--port" else f"--port={PORT}" if part.startswith("--port=") else part)
    return parts
