"""Which engines are there, which flags they have, and how another one is installed."""

import asyncio
import os
import sys
from dataclasses import dataclass

from tuner.engines import ENGINES, flags
from tuner.engines.quantization import QUANT_PRESETS
from tuner.errors import NotFoundError, UnavailableError
from tuner.installs import environments
from tuner.installs.packages import OnLine
from tuner.launch import Installation
from tuner.machine import processes
from tuner.machine.environments import find
from tuner.protocols import Flag
from tuner.settings import Settings
from tuner.spec.problems import alternatives
from tuner.spec.values import Frozen

COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "tuner.cli", "engine", "install")
"""`-P`: a folder `tuner` where it happens to be started is not ours."""
FAREWELL_S = 5.0
"""For pip, which is in the same process group, to end by itself."""
LINE_LIMIT = 2**20


@dataclass(frozen=True)
class Environment:
    """One that is there, or could be."""

    name: str
    engine: str | None
    """None: it holds no engine."""
    version: str | None
    """None: it is not installed."""
    python: str | None
    cpu_only: bool


class EngineInfo(Frozen):
    """An engine that task files can name."""

    name: str
    environments: tuple[str, ...]
    """Those that can hold it, the preferred one first; empty: it is built in."""
    installed: bool
    version: str | None = None
    cpu_only: bool = False
    install: str = ""
    """The command that brings it; empty: there is nothing to install."""
    parallel_presets: tuple[str, ...] = ()
    quant_presets: tuple[str, ...] = ()


def listed(settings: Settings) -> list[Environment]:
    there = {installation.name: installation for installation in environments.installed(settings.home)}
    return [_environment(name, there.get(name)) for name in environments.RECIPES]


def _environment(name: str, there: Installation | None) -> Environment:
    return Environment(
        name=name,
        engine=next((key for key, one in ENGINES.items() if name in one.recipes), None),
        version=there.version if there else None,
        python=str(there.python) if there else None,
        cpu_only=there.cpu_only if there else environments.RECIPES[name].cpu_only,
    )


def engines(settings: Settings) -> list[EngineInfo]:
    found = []
    for name, engine in ENGINES.items():
        there = find(settings.home, tuple(engine.recipes))
        info = EngineInfo(
            name=name,
            environments=tuple(engine.recipes),
            installed=there is not None,
            version=there.version if there else None,
            cpu_only=there.cpu_only if there else False,
            install=f"autotuner engine install {' | '.join(engine.recipes)}" if engine.recipes else "",
            parallel_presets=tuple(engine.parallel_presets),
            quant_presets=tuple(QUANT_PRESETS) if engine.recipes else (),
        )
        found.append(info)
    return found


async def engine_flags(settings: Settings, name: str, search: str = "") -> list[Flag]:
    """The flags that a task may set, each once, by its own name.

    Args:
        search: only those with this text in their name or description.

    Raises:
        NotFoundError: no such engine.
        UnavailableError: it is not installed, or prints no help.
    """
    if name not in ENGINES:
        raise NotFoundError(f"No engine {name!r:.60}; {alternatives(name, ENGINES)}.")
    engine = ENGINES[name]
    installation = find(settings.home, tuple(engine.recipes))
    if installation is None:
        raise UnavailableError(
            f"{name} is not installed here; run: autotuner engine install {' | '.join(engine.recipes)}"
        )
    schema = await flags.load(engine, installation, settings.engines)
    if schema is None:
        raise UnavailableError(f"{name} {installation.version} printed no help; try {installation.python} yourself.")
    own = {flag.name: flag for flag in schema.values() if flag.name not in engine.reserved}
    return [own[key] for key in sorted(own) if search.lower() in f"{key} {own[key].help}".lower()]


async def install(
    settings: Settings, name: str, *, torch_index: str | None = None, on_line: OnLine = environments.log.info
) -> Installation:
    """Makes an environment, in minutes, or gives the one that is there; a second caller waits for the first.

    A process of its own does it, so that a cancellation ends pip too, wherever it is; the next install starts over.

    Raises:
        NotFoundError: no such environment.
        UnavailableError: it could not be made; with what was said.
    """
    if name not in environments.RECIPES:
        raise NotFoundError(f"No environment {name!r:.60}; {alternatives(name, environments.RECIPES)}.")
    options = () if torch_index is None else (f"--torch-index={torch_index}",)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, name,
        env={**os.environ, "AUTOTUNER_HOME": str(settings.home)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True, limit=LINE_LIMIT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    complaint = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            on_line(line.decode(errors="replace").rstrip())
        code, said = await process.wait(), (await complaint).decode(errors="replace").strip()
    finally:
        complaint.cancel()
        await processes.stop(process, FAREWELL_S)
    there = await asyncio.to_thread(find, settings.home, [name])
    if code != 0 or there is None:
        raise UnavailableError(said.removeprefix("Error: ") or f"The install of {name} ended with code {code}.")
    return there
