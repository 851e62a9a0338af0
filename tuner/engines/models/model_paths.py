"""The model and the tokenizer that a task names: folders of this machine, or ids on the hub."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import Problem
from tuner.spec.task import LOCAL, TaskSpec

DEMO = "demo"
"""The model that a task may name before it exists: it is made when first needed (`autotuner demo model`)."""

_HUB_ID = re.compile(r"(?:[\w-][\w.-]{0,95}/)?[\w-][\w.-]{0,95}", re.ASCII)
_PATH = re.compile(r"[/~]|\.{1,2}(?:/|$)")
"""How a name begins that can only be a path."""
_TOKENIZERS = ("token*", "vocab*", "*.tiktoken", "tekken.json", "spiece.model")


@dataclass(frozen=True)
class Checkpoint:
    """What is served, and what counts its tokens."""

    model: str
    """Absolute path, or the id on the hub; outside of local mode as the task writes it."""
    tokenizer: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def find(spec: TaskSpec, models: Path) -> Checkpoint:
    """Resolves both names. One that is a folder under `models` (the data folder's) means that folder."""
    problems: list[Problem] = []
    warnings: list[str] = []
    model = _model(spec, models, problems, warnings)
    own = spec.benchmark.model_tokenizer
    # A model with a problem is not blamed once more for its tokenizer.
    tokenizer = model if own is None and problems else _tokenizer(own or model, own is not None, models, problems)
    return Checkpoint(model, tokenizer, tuple(problems), tuple(warnings))


def existing(name: str | Path) -> Path | None:
    """Where a path leads, absolute; None where nothing is that can be looked at."""
    try:
        path = Path(name).expanduser()
        return path.resolve() if path.exists() else None
    except (OSError, RuntimeError):  # too long for a path, no such user, or in a folder that may not be entered
        return None


def _model(spec: TaskSpec, models: Path, problems: list[Problem], warnings: list[str]) -> str:
    name, where = spec.model.id_or_path, "model.id_or_path"
    if name == DEMO:
        if not (models / DEMO).is_dir():
            warnings.append(f"The model {DEMO!r} is made first, in {models / DEMO}.")
        return str(models / DEMO)
    if spec.deployment_mode != LOCAL:
        return name
    path = _here(name, models)
    if path is None and _is_hub_id(name):
        warnings.append(f"{name!r} is no folder here; it is taken as the id of a model on the hub.")
    elif path is None:
        problems.append(Problem(f"there is no folder {name!r:.200}; give a model's folder or its hub id", where))
    elif flaw := _flaw(path):
        problems.append(Problem(f"{flaw}; give a model's folder or its hub id", where))
    return str(path or name)


def _flaw(path: Path) -> str | None:
    """Why this cannot be a model."""
    config = path / "config.json"
    try:
        if config.is_file():
            json.loads(config.read_text(encoding="utf-8"))
        elif not (path.suffix == ".gguf" and path.is_file()) and not any(path.glob("*.gguf")):
            return f"{path} is no model: it has no config.json"
    except (OSError, ValueError, RecursionError) as error:
        return f"{config} cannot be read: {error}"
    return None


def _tokenizer(name: str, asked_for: bool, models: Path, problems: list[Problem]) -> str:
    where = "benchmark.model_tokenizer"
    if name == DEMO:
        return str(models / DEMO)
    path = _here(name, models)
    if path is None:
        if asked_for and not _is_hub_id(name):
            problems.append(
                Problem(f"there is no folder {name!r:.200}; give a tokenizer's folder or its hub id", where)
            )
        return name
    if not any(any(path.glob(pattern)) for pattern in _TOKENIZERS):
        problems.append(Problem(f"{path} has no tokenizer; name a folder or a hub id that has one", where))
    return str(path)


def _here(name: str, models: Path) -> Path | None:
    own = None if _PATH.match(name) or ".." in Path(name).parts else existing(models / name)
    return own or existing(name)


def _is_hub_id(name: str) -> bool:
    return _HUB_ID.fullmatch(name) is not None
