"""Environments under the data folder that are complete: an interpreter with an engine, or a load generator, in each."""

import importlib.metadata
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from tuner.launch import Installation
from tuner.spec.values import Frozen


class Record(Frozen):
    """`environment.json`: written last, so that what has none is unfinished."""

    name: str
    version: str
    python: str
    """Relative to the environment's folder, or the absolute path of an interpreter that was there before."""
    installed_at: datetime
    cpu_only: bool = False


def find(home: Path, names: Sequence[str]) -> Installation | None:
    """The first of these environments that is complete; with no names, our own interpreter, for what is built in."""
    if not names:
        return Installation("built in", Path(sys.executable), importlib.metadata.version("autotuner"), cpu_only=True)
    return next((there for there in (read(home, name) for name in names) if there is not None), None)


def read(home: Path, name: str) -> Installation | None:
    place = folder(home, name)
    try:
        record = Record.model_validate_json((place / "environment.json").read_bytes())
    except (OSError, ValidationError):
        return None  # never begun, unfinished or damaged: an install starts it over
    python = place / record.python
    if not python.exists():
        return None
    return Installation(name=record.name, python=python, version=record.version, cpu_only=record.cpu_only)


def folder(home: Path, name: str) -> Path:
    return home.absolute() / "engines" / name
