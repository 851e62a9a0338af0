"""Inference engines: which are there, which flags they have, and how another one is installed."""

import shutil
from typing import Annotated

from pydantic import Field

from tools.answers import shown
from tools.arguments import Limit, Offset
from tools.context import Context, Runtime, teller
from tools.tool import tool
from tuner.installs.environments import RECIPES
from tuner.installs.installations import EngineInfo
from tuner.logs.cleaning import printable
from tuner.protocols import Flag
from tuner.spec.values import Frozen, OneOf

MOST_HELP = 200
"""Characters of a flag's description."""
MOST_CHOICES = 20


EnvironmentName = Annotated[
    str,
    Field(description="Which environment; list_engines has those of each engine, genai-bench is the load generator."),
    OneOf(lambda: RECIPES),
]


class EngineList(Frozen):
    engines: tuple[EngineInfo, ...]


class FlagLine(Frozen):
    name: str
    """As task files spell it in `parameters`."""
    choices: tuple[str, ...] = ()
    default: str | None = None
    switch: bool | None = None
    """It takes no value: true or false."""
    help: str | None = None


class FlagList(Frozen):
    engine: str
    shown: str
    flags: tuple[FlagLine, ...]


class InstallPreview(Frozen):
    environment: str
    installed: str | None = None
    """The version that is there already; then nothing happens."""
    requirement: str
    disk_gib: float
    """It needs about this much."""
    free_gib: float


class Installed(Frozen):
    environment: str
    version: str
    cpu_only: bool


@tool
async def list_engines(runtime: Runtime) -> EngineList:
    """The inference engines that tasks can name: whether each is installed, its version, its environments, and the
    names of its presets for parallel and quantized serving.

    Use it when the user asks what can be tuned, or before a task for another engine than vllm. Costs nothing.
    """
    return EngineList(engines=tuple(await runtime.context.tuner.engines()))


@tool
async def engine_flags(
    runtime: Runtime,
    engine: Annotated[str, Field(min_length=1, max_length=253, description="vllm, sglang, …; see list_engines.")],
    search: Annotated[str, Field(max_length=100, description="A part of a flag's name or description.")] = "",
    limit: Limit = 20,
    offset: Offset = 0,
) -> FlagList:
    """The flags of an installed engine, as its own help describes them: name, choices, default.

    Use it before naming a flag in a task that you are not sure of, with a search. Takes seconds the first time.
    """
    found = await runtime.context.tuner.engine_flags(engine, search)
    page = found[offset : offset + limit]
    return FlagList(engine=engine, shown=shown(len(page), len(found), offset), flags=tuple(map(_line, page)))


async def _install_preview(
    context: Context, environment: EnvironmentName, torch_index: str | None = None
) -> InstallPreview:
    recipe, home = RECIPES[environment], context.tuner.settings.home
    there = {name: one.version for one in await context.tuner.engines() for name in one.environments if one.installed}
    return InstallPreview(
        environment=environment,
        installed=there.get(environment),
        requirement=recipe.requirement or environment,
        disk_gib=recipe.disk_gib,
        free_gib=round(shutil.disk_usage(home).free / 2**30, 1),
    )


@tool(preview=_install_preview, untrusted=True)
async def install_engine(
    runtime: Runtime,
    environment: EnvironmentName,
    torch_index: Annotated[
        str | None,
        Field(max_length=500, description="Address of a package index, or a folder of wheels, to take torch from."),
    ] = None,
) -> Installed:
    """Install an engine, or the load generator, into an environment of its own: minutes, and gigabytes of download.

    Use it when a plan says that something is missing. One that is there already is left as it is.
    """
    tell = teller(runtime)
    installation = await runtime.context.tuner.install_engine(
        environment, torch_index=torch_index, on_line=lambda line: tell({"message": printable(line)[:MOST_HELP]})
    )
    return Installed(environment=installation.name, version=installation.version, cpu_only=installation.cpu_only)


def _line(flag: Flag) -> FlagLine:
    more = len(flag.choices) - MOST_CHOICES
    choices = flag.choices if more <= 0 else (*flag.choices[:MOST_CHOICES], f"and {more} more")
    return FlagLine(
        name=flag.name,
        choices=choices,
        default=None if flag.default is None else printable(flag.default)[:MOST_HELP],
        switch=None if flag.takes_value else True,
        help=printable(" ".join(flag.help.split()))[:MOST_HELP] or None,
    )


READ = (list_engines, engine_flags)
ACT = (install_engine,)
