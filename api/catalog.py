"""What can be chosen here, from the tables: names for tasks, and what their results can be written as."""

from collections.abc import Mapping

from fastapi import APIRouter

from tuner.benchmarks import BENCHMARKS
from tuner.deploy import DEPLOYERS
from tuner.engines import ENGINES
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.report.rendering import Rendering
from tuner.search.strategies import STRATEGIES
from tuner.spec.names import named
from tuner.spec.objectives import NAMED_OBJECTIVES, Objective
from tuner.spec.values import Frozen

router = APIRouter(prefix="/catalog", tags=["catalog"])


class EngineEntry(Frozen):
    name: str
    aliases: tuple[str, ...]
    """Other spellings that task files may use."""
    simulated: bool
    """Its numbers say nothing about real hardware."""


class StrategyEntry(Frozen):
    name: str
    description: str


class LoadGeneratorEntry(Frozen):
    name: str


class DeploymentModeEntry(Frozen):
    name: str
    available: bool
    """In this version; a task that names another one can be written down, not run."""


class ObjectiveEntry(Frozen):
    name: str
    """Short for what is improved."""
    objective: Objective


class RenderingEntry(Frozen):
    name: str
    title: str
    description: str
    media_type: str
    suffix: str
    """Of file names, without the dot."""


class Catalog(Frozen):
    engines: tuple[EngineEntry, ...]
    strategies: tuple[StrategyEntry, ...]
    load_generators: tuple[LoadGeneratorEntry, ...]
    deployment_modes: tuple[DeploymentModeEntry, ...]
    objectives: tuple[ObjectiveEntry, ...]
    report_formats: tuple[RenderingEntry, ...]
    artifacts: tuple[RenderingEntry, ...]


@router.get("")
async def get_catalog() -> Catalog:
    """The names that tasks can choose from, report formats and artifacts, with words for people."""
    return Catalog(
        engines=tuple(
            EngineEntry(name=name, aliases=one.aliases, simulated=one.simulated) for name, one in ENGINES.items()
        ),
        strategies=tuple(StrategyEntry(name=name, description=one.description) for name, one in STRATEGIES.items()),
        load_generators=tuple(LoadGeneratorEntry(name=name) for name in BENCHMARKS),
        deployment_modes=tuple(
            DeploymentModeEntry(name=name, available=name in DEPLOYERS) for name in named("deployment mode")()
        ),
        objectives=tuple(ObjectiveEntry(name=name, objective=one) for name, one in NAMED_OBJECTIVES.items()),
        report_formats=_entries(FORMATS),
        artifacts=_entries(ARTIFACTS),
    )


def _entries(table: Mapping[str, Rendering]) -> tuple[RenderingEntry, ...]:
    return tuple(
        RenderingEntry(
            name=name, title=one.title, description=one.description, media_type=one.media_type, suffix=one.suffix
        )
        for name, one in table.items()
    )
