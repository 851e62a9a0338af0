"""What a task would do here, found out before anything is taken: experiments, commands, GPUs, problems."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import environments, hardware, score, space
from tuner.benchmarks import BENCHMARKS
from tuner.deployers import DEPLOYERS
from tuner.domain import Params
from tuner.engines import ENGINES, flags
from tuner.engines.quantization import QUANT_PRESETS, checkpoint_quantization
from tuner.errors import InvalidSpecError, Problem
from tuner.objectives import Objective
from tuner.protocols import Engine, Flag, Installation, Launch, Strategy
from tuner.settings import Settings
from tuner.spec import DeploymentMode, TaskSpec
from tuner.strategies import STRATEGIES
from tuner.values import Domain, Frozen

DEMO = "demo"
"""The model that a task may name before it exists: it is made when first needed (`autotuner demo model`)."""
LISTED_COMMANDS = 3


class Skipped(Frozen):
    reason: str
    count: int


class PlanSummary(Frozen):
    """A plan for people and programs."""

    task_name: str
    engine: str
    engine_version: str | None
    experiments: int
    """At most: baseline, candidates and confirmations."""
    baseline: bool
    candidates: int
    """To be tried."""
    valid: int | None
    """Candidates in the space; None: too many to count."""
    confirmations: int
    levels: tuple[str, ...]
    """Load levels of each experiment."""
    gpus: int
    """The most that one experiment needs."""
    at_most_s: float
    """If every experiment took its whole time limit."""
    skipped: tuple[Skipped, ...]
    commands: tuple[str, ...]
    """The first few, as they will be run."""
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    """What must be there before the task can run here, and how to get it."""


@dataclass(frozen=True)
class Plan:
    """A task, resolved on this machine."""

    spec: TaskSpec
    engine: Engine
    strategy: Strategy
    objectives: tuple[Objective, ...]
    installation: Installation | None
    schema: Mapping[str, Flag] | None
    space: space.SearchSpace
    model: str
    tokenizer: str
    warnings: tuple[str, ...]
    missing: tuple[str, ...]

    def launch(self, params: Params) -> Launch:
        installation = self.installation or Installation("not installed", Path("python"), "unknown")
        return self.engine.launch(self.model, params, installation, self.schema)

    def summary(self) -> PlanSummary:
        spec, listed = self.spec, self.space.candidates
        tried = min(spec.optimization.max_iterations, spec.budget.max_experiments or sys.maxsize)
        tried = 0 if not self.space.varied else tried if listed is None else min(tried, len(listed))
        baseline = int(spec.optimization.baseline)
        if spec.budget.max_experiments is not None:
            tried = min(tried, spec.budget.max_experiments - baseline)
        confirmations = spec.optimization.confirm * (1 + baseline) if tried else 0
        experiments = baseline + tried + confirmations
        shown = [*([self.space.fixed] if baseline else []), *(listed or ())[:LISTED_COMMANDS]]
        return PlanSummary(
            task_name=spec.task_name,
            engine=spec.base_runtime,
            engine_version=self.installation.version if self.installation else None,
            experiments=experiments,
            baseline=bool(baseline),
            candidates=tried,
            valid=None if listed is None else len(listed),
            confirmations=confirmations,
            levels=tuple(
                f"{s} × {c}" for s in spec.benchmark.traffic_scenarios for c in spec.benchmark.num_concurrency
            ),
            gpus=max((self.launch(params).gpus for params in shown), default=0),
            at_most_s=experiments * spec.optimization.timeout_per_iteration,
            skipped=tuple(Skipped(reason=s.reason, count=s.count) for s in self.space.skipped),
            commands=tuple(" ".join(self.launch(params).argv) for params in shown),
            warnings=self.warnings,
            missing=self.missing,
        )


async def plan(spec: TaskSpec, settings: Settings) -> Plan:
    """Checks everything that can be known before a start.

    Raises:
        InvalidSpecError: with every problem of the task, not the first only.
    """
    engine = ENGINES.get(spec.base_runtime)
    if engine is None:
        raise InvalidSpecError(
            [Problem(f"no engine {spec.base_runtime!r}; there are {', '.join(ENGINES)}", "base_runtime")]
        )
    problems: list[Problem] = []
    warnings: list[str] = []
    missing = _missing(spec, settings)
    installation = environments.find(settings.home, engine.environments)
    if installation is None:
        missing.append(
            f"{spec.base_runtime} is not installed here; run: autotuner engine install {engine.environments[-1]}"
        )
        warnings.append(f"{spec.base_runtime} is not installed here, so its flags could not be checked.")
    schema = await flags.load(engine, installation, settings.engines) if installation else None
    problems += _flag_problems(spec, engine, schema)
    model, model_warnings = _model(spec, settings, problems)
    built: space.SearchSpace | None = None
    try:
        built = space.build(
            spec,
            parallel_presets=engine.parallel_presets,
            quant_presets=QUANT_PRESETS,
            refusal=_Refusal(engine, spec.model.quantization or checkpoint_quantization(model), installation),
        )
    except InvalidSpecError as error:
        problems += error.problems
    problems += _benchmark_problems(spec)
    if problems or built is None:
        raise InvalidSpecError(problems)
    on_gpus = installation is not None and not installation.cpu_only
    sizes = {engine.world_size(params) for params in (built.candidates or ())} if on_gpus else set()
    return Plan(
        spec=spec,
        engine=engine,
        strategy=STRATEGIES[spec.optimization.strategy],
        objectives=score.effective_objectives(spec, sizes),
        installation=installation,
        schema=schema,
        space=built,
        model=model,
        tokenizer=_tokenizer(spec, model, settings),
        warnings=(*warnings, *model_warnings, *_cautions(spec, built)),
        missing=tuple(missing),
    )


def _missing(spec: TaskSpec, settings: Settings) -> list[str]:
    missing = []
    if spec.deployment_mode not in DEPLOYERS:
        available = ", ".join(DEPLOYERS)
        missing.append(
            f"Deployment mode {spec.deployment_mode} is not available in this version; use {available} "
            f"(autotuner tune FILE --mode {next(iter(DEPLOYERS))})."
        )
    if (make := BENCHMARKS.get(spec.benchmark.tool)) is not None and (lacks := make(settings.home).missing()):
        missing.append(lacks)
    return missing


@dataclass(frozen=True)
class _Refusal:
    """Why a candidate cannot run: the engine says so, or this machine has too few GPUs."""

    engine: Engine
    quantization: str | None
    installation: Installation | None

    def __call__(self, params: Params) -> str | None:
        if (reason := self.engine.refusal(params, self.quantization)) is not None:
            return reason
        if self.installation is None or self.installation.cpu_only:
            return None
        needed, there = self.engine.world_size(params), len(_gpus())
        return f"needs {needed} GPUs, this machine has {there}" if needed > there else None


def _gpus() -> Sequence[hardware.GPU]:
    return hardware.survey().gpus


def _flag_problems(spec: TaskSpec, engine: Engine, schema: Mapping[str, Flag] | None) -> list[Problem]:
    return [
        Problem(message, f"parameters.{name}")
        for name, domain in spec.parameters.items()
        for message in flags.check(schema, name, values(domain), reserved=engine.reserved)
    ]


def values(domain: Domain) -> tuple[bool | int | float | str, ...]:
    """The values of a domain that can be checked one by one; of a range, its bounds."""
    if isinstance(domain, bool | int | float | str):
        return (domain,)
    if isinstance(domain, tuple):
        return domain
    return domain.values if domain.type == "choice" else (domain.low, domain.high)


def _benchmark_problems(spec: TaskSpec) -> list[Problem]:
    problems = []
    benchmark = spec.benchmark
    if benchmark.tool not in BENCHMARKS:
        there = ", ".join(BENCHMARKS)
        problems.append(Problem(f"no load generator {benchmark.tool!r}; there are {there}", "benchmark.tool"))
    if benchmark.task != "text-to-text":
        problems.append(Problem(f"task {benchmark.task!r} cannot be measured; only text-to-text can", "benchmark.task"))
    url = benchmark.dataset_url
    if url and "://" not in url and not Path(url).expanduser().is_file():
        problems.append(Problem(f"there is no file {url!r}; give a path or an http(s) URL", "benchmark.dataset_url"))
    return problems


def _model(spec: TaskSpec, settings: Settings, problems: list[Problem]) -> tuple[str, list[str]]:
    """The folder or hub id to serve. A name that is a folder under the data folder's `models` means that folder."""
    name, where = spec.model.id_or_path, "model.id_or_path"
    own = settings.models / name
    if name == DEMO:
        warnings = [] if own.is_dir() else [f"The model {DEMO!r} is made first, in {own}."]
        return str(own), warnings
    path = Path(name).expanduser()
    folder = own if ".." not in path.parts and own.is_dir() else path
    looks_like_path = name.startswith(("/", "./", "../", "~")) or folder.exists()
    if spec.deployment_mode is not DeploymentMode.LOCAL:
        return name, []
    if not looks_like_path:
        return name, [f"{name!r} is no folder here; it is taken as the id of a model on the hub."]
    folder = folder.resolve()
    config = folder / "config.json"
    if not folder.exists():
        problems.append(Problem(f"there is no folder {folder}; give a model's folder or its hub id", where))
    elif not config.is_file() and not list(folder.glob("*.gguf")):
        problems.append(Problem(f"{folder} is no model: it has no config.json", where))
    else:
        try:
            config.read_text() if config.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"{config} cannot be read: {error}", where))
    return str(folder), []


def _tokenizer(spec: TaskSpec, model: str, settings: Settings) -> str:
    name = spec.benchmark.model_tokenizer
    if name is None:
        return model
    if name == DEMO:
        return str(settings.models / DEMO)
    path = Path(name).expanduser()
    return str(path.resolve()) if path.is_dir() else name


def _cautions(spec: TaskSpec, built: space.SearchSpace) -> list[str]:
    cautions = []
    if not built.varied:
        cautions.append("Nothing is varied, so only the baseline is measured; give parameters lists or ranges.")
    levels = len(spec.benchmark.num_concurrency) * len(spec.benchmark.traffic_scenarios)
    longest_s = levels * spec.benchmark.max_time_per_iteration * 60
    if longest_s > spec.optimization.timeout_per_iteration:
        cautions.append(
            f"{levels} load levels of up to {spec.benchmark.max_time_per_iteration:g} min can outlast "
            f"timeout_per_iteration ({spec.optimization.timeout_per_iteration:g} s); levels not measured by then fail."
        )
    if spec.optimization.objective and not spec.optimization.baseline:
        cautions.append("Without the baseline nothing is proven better than the engine's defaults.")
    return cautions
