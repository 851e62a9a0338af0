"""The winning configuration's launch: as a line for a shell, and in parts."""

import shlex

from tuner.analysis.result import Result
from tuner.domain import Experiment
from tuner.engines import ENGINES
from tuner.errors import ConflictError
from tuner.launch import LOOPBACK, Image, Launch
from tuner.spec.task import TaskSpec

PORT = 8000
"""Instead of the port that happened to be free while measuring."""


def command(result: Result) -> str:
    """The shell command that serves the winning configuration.

    Raises:
        ConflictError: no configuration has won.
    """
    winner = winning(result)
    rewritten = "" if winner.launch else "# Written anew: an older version measured it and kept no template of it.\n"
    return f"{label(result)}{rewritten}{shell(result.spec, winner)}\n"


def winning(result: Result) -> Experiment:
    """
    Raises:
        ConflictError: no configuration has won.
    """
    if result.winner is None:
        raise ConflictError(f"Task {result.task_id} has no configuration to export. {result.verdict.text}")
    return result.experiment(result.winner)


def label(result: Result) -> str:
    return "# Found on the simulated engine; real hardware will differ.\n" if result.simulated else ""


def shell(spec: TaskSpec, experiment: Experiment) -> str:
    """One experiment's launch as a line for a POSIX shell, on port 8000; empty where nothing was launched."""
    if not experiment.command:
        return ""
    launch = template(spec, experiment)
    # Without a target of this machine, the program is what the shell finds on its path.
    words = launch.command(experiment.target or Image(""), LOOPBACK, PORT)
    env = [f"{name}={shlex.quote(value)}" for name, value in launch.env.items()]
    return " ".join([*env, *map(shlex.quote, words)])


def template(spec: TaskSpec, experiment: Experiment) -> Launch:
    """What an experiment was launched from; of one that kept none, what its engine launches by convention."""
    if experiment.launch is not None:
        return experiment.launch
    target = Image("", cpu_only=not experiment.gpus)
    return ENGINES[spec.base_runtime].launch(spec.model.id_or_path, experiment.params, target, None)
