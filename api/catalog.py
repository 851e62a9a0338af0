"""What can be chosen here, from the tables: names for tasks, and what their results can be written as."""

from collections.abc import Mapping

from fastapi import APIRouter

from api.deps import TunerDep
from tuner.benchmarks import BENCHMARKS
from tuner.engines import ENGINES
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.report.rendering import Rendering
from tuner.search.load_policies import LOAD_POLICIES
from tuner.search.strategies import STRATEGIES
from tuner.settings import Settings
from tuner.spec.names import PLANNED, named
from tuner.spec.objectives import NAMED_OBJECTIVES, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen

router = APIRouter(prefix="/catalog", tags=["catalog"])


class EngineEntry(Frozen):
    name: str
    aliases: tuple[str, ...]
    """Other spellings that task files may use."""
    simulated: bool
    """Its numbers say nothing about real hardware."""
    default: bool
    """Of tasks that name no engine."""


class StrategyEntry(Frozen):
    name: str
    title: str
    description: str


class LoadGeneratorEntry(Frozen):
    name: str


class LoadPolicyEntry(Frozen):
    name: str


class DeploymentModeEntry(Frozen):
    name: str
    title: str
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
    load_policies: tuple[LoadPolicyEntry, ...]
    deployment_modes: tuple[DeploymentModeEntry, ...]
    objectives: tuple[ObjectiveEntry, ...]
    report_formats: tuple[RenderingEntry, ...]
    artifacts: tuple[RenderingEntry, ...]


@router.get("")
async def get_catalog(tuner: TunerDep) -> Catalog:
    """The names that tasks can choose from, report formats and artifacts, with words for people."""
    return catalog(tuner.settings)


def catalog(settings: Settings) -> Catalog:
    return Catalog(
        engines=tuple(
            EngineEntry(
                name=name,
                aliases=one.aliases,
                simulated=one.simulated,
                default=name == TaskSpec.model_fields["base_runtime"].default,
            )
            for name, one in ENGINES.items()
        ),
        strategies=tuple(
            StrategyEntry(name=name, title=one.title, description=one.description) for name, one in STRATEGIES.items()
        ),
        load_generators=tuple(LoadGeneratorEntry(name=name) for name in BENCHMARKS),
        load_policies=tuple(LoadPolicyEntry(name=name) for name in LOAD_POLICIES),
        deployment_modes=tuple(
            DeploymentModeEntry(
                name=name,
                title=make(settings).title if make else PLANNED["deployment mode"][name],
                available=make is not None,
            )
            for name, make in named("deployment mode")().items()
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
