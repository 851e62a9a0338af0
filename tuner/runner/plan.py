"""What a task would do here, found out before anything is taken: experiments, commands, GPUs, problems."""

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from tuner.analysis import confirmation, gains, score
from tuner.analysis.formatting import percent
from tuner.benchmarks import BENCHMARKS
from tuner.deploy import DEPLOYERS, images
from tuner.domain import Params
from tuner.engines import ENGINES, flags, variables, written
from tuner.engines.models import model_paths
from tuner.engines.quantization import QUANT_PRESETS, checkpoint_quantization
from tuner.errors import InvalidSpecError, Problem
from tuner.launch import Image, Launch
from tuner.protocols import Engine, Flag, Resolved, Strategy
from tuner.runner import shapes, traffic
from tuner.search import space
from tuner.search.strategies import STRATEGIES
from tuner.settings import Settings
from tuner.spec.objectives import Objective
from tuner.spec.problems import alternatives
from tuner.spec.task import LOCAL, TaskSpec
from tuner.spec.values import Domain, Frozen, Value

LISTED_COMMANDS = 3
ASSUMED_NOISE = 0.1
"""Of measurements from run to run, before any was repeated here: a shared machine; one of its own has about 0.02."""


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
    """At most: every round, with all contenders."""
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
    slos: tuple[str, ...] = ()
    """What must hold, each with its unit: `p90 time to first token ≤ 300 ms (hard)`."""
    missing: tuple[str, ...]
    """What must be there before the task can run here, and how to get it."""
    expected_confirmations: int = 0
    """About as many as it takes, as `docs/trust.md` has it; most races end early."""
    noise: float | None = None
    """From run to run, as a part, as past tasks had it here; None: not known yet, and `ASSUMED_NOISE` is taken."""
    visible_gain: float | None = None
    """The gain that 4 of 5 tasks would show at that noise, as a part; None: nothing is compared, so none."""

    @property
    def expected(self) -> int:
        """Experiments, with as many confirmations as it takes about."""
        return self.experiments - self.confirmations + self.expected_confirmations

    @property
    def confirming(self) -> str:
        """`about 12 confirmations, at most 32; a gain of +28 % or more shows at 10 % noise from run to run`."""
        if not self.confirmations:
            return "no confirmations"
        text = f"about {self.expected_confirmations} confirmations"
        if self.confirmations != self.expected_confirmations:
            text += f", at most {self.confirmations}"
        if self.visible_gain is None:
            return f"{text}; they prove no gain"
        noise = percent(self.noise or ASSUMED_NOISE)
        known = "as past tasks had it here" if self.noise is not None else "if that is the noise here"
        return f"{text}; a gain of {percent(self.visible_gain)} or more shows at {noise} from run to run, {known}"


@dataclass(frozen=True)
class Plan:
    """A task, resolved on this machine."""

    spec: TaskSpec
    engine: Engine
    strategy: Strategy
    objectives: tuple[Objective, ...]
    resolved: Resolved
    """Where the engine's program is, which flags it has, how many GPUs are there."""
    space: space.SearchSpace
    model: str
    tokenizer: str
    gpus: int
    """The most that one experiment needs, as far as candidates can be listed."""
    warnings: tuple[str, ...]
    missing: tuple[str, ...]

    def launch(self, params: Params) -> Launch:
        return self.engine.launch(self.model, params, self.resolved.target, self.resolved.schema)

    def command(self, launch: Launch) -> tuple[str, ...]:
        """As it will be run, its port left open."""
        target = self.resolved.target
        return launch.command(target, target.host, "{port}")

    def summary(self, noise: float | None = None) -> PlanSummary:
        """Args:
        noise: of measurements from run to run, where past tasks tell it: 0.1 is 10 %.
        """
        spec, listed = self.spec, self.space.candidates
        baseline = int(spec.optimization.baseline)
        candidates = self._candidates()
        rules = confirmation.rules(spec, self.objectives, baseline=0 if baseline else None)
        about, confirmations = gains.expected(rules, candidates)
        alone = self.objectives[0] if len(self.objectives) == 1 else None
        experiments = baseline + candidates + confirmations
        shown = [*([self.space.fixed] if baseline else []), *(listed or ())[:LISTED_COMMANDS]]
        return PlanSummary(
            task_name=spec.task_name,
            engine=spec.base_runtime,
            engine_version=self.resolved.target.version or None,
            experiments=experiments,
            baseline=bool(baseline),
            candidates=candidates,
            valid=None if listed is None else len(listed),
            confirmations=confirmations,
            levels=tuple(level.name for level in shapes.levels(spec)),
            gpus=self.gpus,
            at_most_s=experiments * spec.optimization.timeout_per_iteration,
            skipped=tuple(Skipped(reason=s.reason, count=s.count) for s in self.space.skipped),
            commands=tuple(shlex.join(self.command(self.launch(params))) for params in shown),
            warnings=self.warnings,
            slos=traffic.slo_texts(spec),
            missing=self.missing,
            expected_confirmations=about,
            noise=noise,
            visible_gain=gains.visible(noise or ASSUMED_NOISE, rules, alone) if baseline and candidates else None,
        )

    def _candidates(self) -> int:
        """How many may be tried: a candidate that is the baseline itself is not measured twice."""
        if not self.space.varied:
            return 0
        optimization, budget, listed = self.spec.optimization, self.spec.budget, self.space.candidates
        limits = [optimization.max_iterations]
        if budget.max_experiments is not None:
            limits.append(budget.max_experiments - optimization.baseline)
        if listed is not None:
            place = self.space.values(self.space.fixed)
            again = optimization.baseline and place is not None and self.space.point(place) is not None
            limits.append(len(listed) - again)
        return min(limits)


async def plan(spec: TaskSpec, settings: Settings) -> Plan:
    """Checks everything that can be known before a start.

    Raises:
        InvalidSpecError: with every problem of the task, not the first only.
        StorageError: the data folder cannot be written.
    """
    checkpoint = model_paths.find(spec, settings.models)
    problems = [*checkpoint.problems, *traffic.problems(spec)]
    engine = ENGINES.get(spec.base_runtime)
    if engine is None:
        said = f"no engine {spec.base_runtime!r}; {alternatives(spec.base_runtime, ENGINES)}"
        raise InvalidSpecError([Problem(said, "base_runtime"), *problems])
    dataset = await _dataset_cautions(spec, settings, problems)
    resolved = await _resolved(spec, settings, engine)
    problems += _flag_problems(spec, engine, resolved.schema)
    try:
        built = await asyncio.to_thread(
            space.build,
            _as_written(spec, resolved.schema),
            parallel_presets=engine.parallel_presets,
            quant_presets=QUANT_PRESETS,
            refusal=_refusal(engine, _quantization(spec, checkpoint.model), resolved.gpus),
            aliases={name: written.own_name(name, resolved.schema) for name in spec.parameters},
        )
    except InvalidSpecError as error:
        raise InvalidSpecError([*problems, *error.problems]) from None
    if problems:
        raise InvalidSpecError(problems)
    sizes = set()
    if engine.launch(checkpoint.model, built.fixed, resolved.target, resolved.schema).gpus:
        sizes = await asyncio.to_thread(_world_sizes, engine, built)
    lacks = (resolved.missing, BENCHMARKS[spec.benchmark.tool](settings.home).missing())
    return Plan(
        spec=spec,
        engine=engine,
        strategy=STRATEGIES[spec.optimization.strategy],
        objectives=score.effective_objectives(spec, sizes),
        resolved=resolved,
        space=built,
        model=checkpoint.model,
        tokenizer=checkpoint.tokenizer,
        gpus=max(sizes, default=0),
        warnings=(
            *_unchecked(spec, resolved),
            *checkpoint.warnings,
            *traffic.cautions(spec),
            *dataset,
            *_cautions(spec, built),
        ),
        missing=tuple(filter(None, lacks)),
    )


async def _dataset_cautions(spec: TaskSpec, settings: Settings, problems: list[Problem]) -> list[str]:
    """What makes a dataset unusable is added to the problems."""
    try:
        return await traffic.dataset_cautions(spec, settings)
    except InvalidSpecError as error:
        problems += error.problems
        return []


async def _resolved(spec: TaskSpec, settings: Settings, engine: Engine) -> Resolved:
    """What the deployer knows of the task's engine; of a mode without one, as much as the engine says."""
    if (make := DEPLOYERS.get(spec.deployment_mode)) is not None:
        return await make(settings).resolve(engine, spec)
    missing = (
        f"Deployment mode {spec.deployment_mode} is not available in this version; use {', '.join(DEPLOYERS)} "
        f"(autotuner tune FILE --mode {next(iter(DEPLOYERS))})."
    )
    return Resolved(Image(images.reference(engine, spec.runtime_image_tag) or engine.name), missing)


def _world_sizes(engine: Engine, built: space.SearchSpace) -> set[int]:
    """The numbers of GPUs that experiments use; of a space too large to list, only the baseline's."""
    return {engine.world_size(params) for params in (built.fixed, *(built.candidates or ()))}


def _refusal(engine: Engine, quantization: str | None, gpus: int | None) -> space.Refusal:
    """Why a candidate cannot run: the engine says so, or this machine has too few GPUs (None: their number is open)."""

    def reason(params: Params) -> str | None:
        if (refused := engine.refusal(params, quantization)) is not None:
            return refused
        if gpus is None or (needed := engine.world_size(params)) <= gpus:
            return None
        return f"needs {needed} GPU{'s' if needed > 1 else ''}, this machine has {gpus}"

    return reason


def _quantization(spec: TaskSpec, model: str) -> str | None:
    try:
        return spec.model.quantization or checkpoint_quantization(model)
    except (OSError, RuntimeError):  # a name that no file can have tells nothing of the checkpoint
        return None


def _as_written(spec: TaskSpec, schema: Mapping[str, Flag] | None) -> TaskSpec:
    """The task with its flags and variables as the engine is given them, each under one name."""
    parameters = written.parameters(spec.parameters, schema)
    return spec.model_copy(update={"parameters": parameters, "environment": written.environment(spec.environment)})


def _flag_problems(spec: TaskSpec, engine: Engine, schema: Mapping[str, Flag] | None) -> list[Problem]:
    wrong = [
        Problem(message, f"parameters.{name}")
        for name, domain in spec.parameters.items()
        for message in flags.check(schema, name, _values(domain), reserved=engine.reserved)
    ]
    wrong += [
        Problem(why, f"environment.{name}")
        for name in spec.environment
        if (why := variables.refusal(name, engine.reserved_env)) is not None
    ]
    twice = written.twice(spec.parameters, schema).items()
    return wrong + [
        Problem(f"{name} and {first} are one flag; keep one", f"parameters.{name}") for name, first in twice
    ]


def _values(domain: Domain) -> tuple[Value, ...]:
    """The values of a domain that can be checked one by one; of a range, its bounds."""
    if isinstance(domain, bool | int | float | str):
        return (domain,)
    if isinstance(domain, tuple):
        return domain
    return domain.values if domain.type == "choice" else (domain.low, domain.high)


def _unchecked(spec: TaskSpec, resolved: Resolved) -> list[str]:
    if resolved.schema is not None:
        return []
    local = spec.deployment_mode == LOCAL
    why = "is not installed here" if local else f"runs elsewhere in mode {spec.deployment_mode}"
    return [f"{spec.base_runtime} {why if resolved.missing else 'printed no help'}, so its flags could not be checked."]


def _cautions(spec: TaskSpec, built: space.SearchSpace) -> list[str]:
    cautions = []
    if not built.varied:
        cautions.append("Nothing is varied, so only the baseline is measured; give parameters lists or ranges.")
    asked = len(shapes.levels(spec))
    longest_s = asked * spec.benchmark.max_time_per_iteration * 60
    if longest_s > spec.optimization.timeout_per_iteration:
        cautions.append(
            f"{asked} load levels of up to {spec.benchmark.max_time_per_iteration:g} min can outlast "
            f"timeout_per_iteration ({spec.optimization.timeout_per_iteration:g} s); levels not measured by then fail."
        )
    tried, listed = spec.optimization.max_iterations, built.candidates
    if STRATEGIES[spec.optimization.strategy].in_order and (listed is None or len(listed) > tried):
        of = "very many" if listed is None else str(len(listed))
        cautions.append(
            f"{spec.optimization.strategy} tries only the first {tried} of {of} candidates, in order; "
            "use random or bayesian."
        )
    if spec.optimization.confirm == 1 and spec.optimization.baseline and built.varied:
        cautions.append(
            "With optimization.confirm 1 nothing is proven: it takes 2 rounds to know a spread; by default there are 8."
        )
    if not spec.optimization.baseline:
        cautions.append("Without the baseline nothing is proven better than the engine's defaults.")
    elif reason := built.refusal(built.fixed):
        cautions.append(f"The baseline cannot run ({reason}), so nothing is proven better than the engine's defaults.")
    return cautions
