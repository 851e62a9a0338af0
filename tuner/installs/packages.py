"""pip in an environment of ours: what it would install, installing it, and what went wrong."""

import json
import logging
import re
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import UnavailableError
from tuner.machine import processes

log = logging.getLogger(__name__)

OnLine = Callable[[str], None]
"""Told of each step, in a line."""


@dataclass(frozen=True)
class Pip:
    """Of one environment."""

    python: Path
    on_line: OnLine

    def install(self, arguments: Sequence[str]) -> None:
        run((*self._command, *arguments), self.on_line)

    def resolve(self, arguments: Sequence[str]) -> dict[str, str]:
        """What pip would install for this, name to version, with nothing installed yet."""
        report = self.python.parent.parent / "resolved.json"
        run((*self._command, "--dry-run", "--quiet", "--report", str(report), *arguments), self.on_line)
        found = json.loads(report.read_text())["install"]
        return {normal(item["metadata"]["name"]): item["metadata"]["version"] for item in found}

    @property
    def _command(self) -> tuple[str, ...]:
        quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
        return (str(self.python), "-m", "pip", "install", *quiet)

    def asks_for(self, distribution: str) -> list[str]:
        """The requirements of an installed distribution, as it writes them."""
        code = "import importlib.metadata as m, json, sys; print(json.dumps(m.requires(sys.argv[1]) or []))"
        return list(json.loads(run((str(self.python), "-c", code, distribution))[-1]))


def run(argv: Sequence[str], on_line: OnLine = log.debug) -> list[str]:
    """Runs a program to its end and gives its last lines.

    Raises:
        UnavailableError: it failed; with what it said.
    """
    inherited = processes.inherited().items()
    env = {key: value for key, value in inherited if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    said: deque[str] = deque(maxlen=200)
    try:
        started = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise UnavailableError(f"{argv[0]} cannot be started: {error}") from error
    with started as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said.append(line.rstrip())
                if line.startswith(("Collecting ", "Downloading ", "Building ", "Installing ", "Successfully ")):
                    on_line(line.rstrip()[:160])
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        errors = [line for line in said if "error" in line.lower()] or [line for line in said if line.strip()]
        program = " ".join(argv[:3]) if argv[1] == "-m" else argv[0]
        raise UnavailableError(f"{program} ended with code {process.returncode}:\n" + "\n".join(errors[-8:]))
    return list(said)


def name_of(requirement: str) -> str:
    """Of the distribution that a requirement asks for."""
    return normal(re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
