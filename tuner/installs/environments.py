"""Python environments under the data folder: one for each engine, and one for the load generator."""

import importlib.metadata
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tuner.benchmarks import BENCHMARKS
from tuner.engines import ENGINES
from tuner.errors import NotFoundError, StorageError, UnavailableError
from tuner.installs import packages
from tuner.installs.packages import OnLine
from tuner.launch import Installation
from tuner.machine import locks
from tuner.machine.environments import Record, read
from tuner.machine.environments import folder as place
from tuner.protocols import Recipe

log = logging.getLogger(__name__)


RECIPES: Mapping[str, Recipe] = {
    name: recipe
    for recipes in (
        *(engine.recipes for engine in ENGINES.values()),
        *(make(Path()).recipes for make in BENCHMARKS.values()),
    )
    for name, recipe in recipes.items()
}
"""Every environment that can be made, by name."""


def installed(home: Path) -> list[Installation]:
    return [there for there in (read(home, name) for name in RECIPES) if there is not None]


def install(
    home: Path, name: str, *, torch_index: str | None = None, force: bool = False, on_line: OnLine = log.info
) -> Installation:
    """Makes an environment, in minutes, or returns the one that is there. An interrupted one is started over.

    Args:
        torch_index: URL of a package index, or a folder of wheels, to take torch from.
        force: make it anew even if it is complete.

    Raises:
        NotFoundError: no such environment.
        StorageError: not enough disk space.
        UnavailableError: something that it needs is missing, or pip failed.
    """
    recipe, folder = _recipe(name), place(home, name)
    with _locked(folder, on_line):
        there = read(home, name)
        if there is not None and not force:
            on_line(f"{name} {there.version} is already installed in {folder}.")
            return there
        base = _interpreter(name, recipe)
        _check_space(folder, recipe)
        if folder.exists():
            on_line(f"Removing what is in {folder}.")
            shutil.rmtree(folder)
        on_line(f"Making {folder}.")
        packages.run((base, "-m", "venv", str(folder)), on_line)
        pip = packages.Pip(folder / "bin" / "python", on_line)
        if recipe.first:
            options = _torch_options(torch_index)
            _refuse_gpu_build(pip, recipe, options)
            pip.install((*options, *recipe.first))
        _install_rest(pip, _requirement(recipe), recipe.without)
        version = _verify(folder / "bin" / "python", name, recipe)
        return _write(home, name, version, "bin/python")


def register(home: Path, name: str, python: Path) -> Installation:
    """Uses an interpreter that is already there instead of an environment of ours.

    Raises:
        NotFoundError: no such environment.
        UnavailableError: it is no interpreter, or the engine cannot be imported in it.
    """
    recipe, folder = _recipe(name), place(home, name)
    python = python.expanduser().absolute()  # not resolved: a link's own folder makes it an environment
    if not python.is_file() or not os.access(python, os.X_OK):
        raise UnavailableError(f"{python} is no program; name the Python interpreter that has {recipe.module}.")
    with _locked(folder, log.info):
        return _write(home, name, _verify(python, name, recipe), str(python))


def _install_rest(pip: packages.Pip, requirement: str, without: frozenset[str]) -> None:
    if not without:
        pip.install((requirement,))
        return
    pip.install(("--no-deps", requirement))
    direct = [line for line in pip.asks_for(packages.name_of(requirement)) if packages.name_of(line) not in without]
    listed = pip.python.parent.parent / "requirements.txt"
    listed.write_text("\n".join(direct))
    # Others ask for them too, so everything is resolved first and installed without looking at dependencies.
    wanted = [f"{name}=={version}" for name, version in pip.resolve(("-r", str(listed))).items() if name not in without]
    pip.on_line(f"Installing {len(wanted)} packages.")
    listed.write_text("\n".join(wanted))
    pip.install(("--no-deps", "-r", str(listed)))


def _refuse_gpu_build(pip: packages.Pip, recipe: Recipe, options: Sequence[str]) -> None:
    """Before gigabytes are downloaded: torch for a GPU brings that vendor's libraries along."""
    if recipe.cpu_only and any(
        name.startswith(("nvidia-", "cuda-", "rocm", "triton")) for name in pip.resolve((*options, *recipe.first))
    ):
        raise UnavailableError(
            f"{recipe.first[0]} comes as a build for GPUs here, but {recipe.requirement} needs the one for CPUs. Name "
            "PyTorch's own index for CPUs, or a folder of wheels: --torch-index URL"
        )


def _torch_options(index: str | None) -> tuple[str, ...]:
    if index is None:
        return ()
    # Added to the usual index, which has what torch needs; pip prefers a local version (2.13.0+cpu) to a plain one.
    return ("--find-links" if Path(index).is_dir() or index.endswith(".html") else "--extra-index-url", index)


def _verify(python: Path, name: str, recipe: Recipe) -> str:
    """The version of what was installed, once it has been imported."""
    code = (
        "import importlib, importlib.metadata as m, sys\n"
        "importlib.import_module(sys.argv[1])\n"
        "print('\\n' + m.version(sys.argv[2]))"
    )
    try:
        printed = packages.run((str(python), "-c", code, recipe.module, packages.name_of(_requirement(recipe))))
    except UnavailableError as error:
        raise UnavailableError(f"{python} cannot serve as {name}: {error}") from error
    return printed[-1].strip()


def _interpreter(name: str, recipe: Recipe) -> str:
    """The Python to build on: this one, or an older one where this one is too new."""
    below = recipe.python_below
    if below is None or sys.version_info[:2] < below:
        return sys.executable
    for minor in range(below[1] - 1, 9, -1):
        if found := shutil.which(f"python{below[0]}.{minor}"):
            return found
    running, wanted = (".".join(map(str, pair)) for pair in (sys.version_info[:2], below))
    raise UnavailableError(f"{name} needs a Python below {wanted}, this is {running}; install an older one beside it.")


def _check_space(folder: Path, recipe: Recipe) -> None:
    free = shutil.disk_usage(folder.parent).free / 2**30
    if free < recipe.disk_gib:
        raise StorageError(
            f"{folder.name} needs {recipe.disk_gib:g} GiB, but {folder.parent} has {free:.1f} GiB free; "
            "make room, or set AUTOTUNER_HOME to a folder on another disk."
        )


@contextmanager
def _locked(folder: Path, on_line: OnLine) -> Iterator[None]:
    """Only one install of an environment at a time, of all tuners with this data folder."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        waiting = f"Another install of {folder.name} is running; waiting for it."
        with locks.wait_for(folder.parent / f"{folder.name}.lock", lambda: on_line(waiting)):
            yield
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error}; set AUTOTUNER_HOME to a folder that can.") from error


def _write(home: Path, name: str, version: str, python: str) -> Installation:
    folder = place(home, name)
    folder.mkdir(exist_ok=True)
    cpu_only = RECIPES[name].cpu_only or version.endswith("+cpu")
    record = Record(name=name, version=version, python=python, installed_at=datetime.now(UTC), cpu_only=cpu_only)
    draft = folder / ".environment.json"
    draft.write_text(record.model_dump_json(indent=2) + "\n")
    draft.replace(folder / "environment.json")
    return Installation(name=name, python=folder / python, version=version, cpu_only=cpu_only)


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise NotFoundError(f"No environment {name!r}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def _requirement(recipe: Recipe) -> str:
    if recipe.requirement is not None:
        return recipe.requirement
    ours = importlib.metadata.requires("autotuner") or []
    return next(line.split(";")[0].strip() for line in ours if re.search(r"extra == ['\"]bench['\"]", line))
