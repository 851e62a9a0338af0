"""One experiment: launch the engine, wait for it, send every load level, and say what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from tuner.analysis import score
from tuner.benchmarks import warmup
from tuner.domain import Experiment, ExperimentState, Failure, Label, LoadPoint
from tuner.errors import DeploymentError, ExperimentError, FailureKind
from tuner.logs import failures
from tuner.logs.cleaning import clean
from tuner.logs.files import set_aside
from tuner.logs.tail import tail
from tuner.machine import hardware
from tuner.protocols import Deployer, Launch, LoadGenerator
from tuner.runner.plan import Plan
from tuner.runner.watch import Watch


@dataclass(frozen=True)
class Rig:
    """What all experiments of a task are measured with."""

    task_id: str
    owner: str
    plan: Plan
    deployer: Deployer
    load: LoadGenerator
    folder: Path
    """Everything the task writes; experiment n under `n/`."""
    tell: Callable[[str, Mapping[str, JsonValue]], Awaitable[None]]
    """Records an event."""
    starts_s: list[float] = field(default_factory=list)
    """How long its engines took to be ready so far."""


@dataclass(frozen=True)
class Level:
    scenario: str
    concurrency: int

    def failed(self, kind: FailureKind, why: str) -> LoadPoint:
        return LoadPoint(scenario=self.scenario, concurrency=self.concurrency, failure=kind, error=clean(why))


@dataclass
class Attempt:
    """An experiment while it is measured: what is known of it so far, whatever ends it."""

    rig: Rig
    number: int
    launch: Launch
    deadline: float
    """By the event loop's clock."""
    gpu_ids: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    start_s: float | None = None
    points: list[LoadPoint] = field(default_factory=list)
    lines: tuple[str, ...] = ()
    """The decisive lines of the first level that failed with any."""

    @property
    def folder(self) -> Path:
        return self.rig.folder / str(self.number)

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    @property
    def model(self) -> str:
        return self.rig.plan.spec.benchmark.model_name or self.launch.served_model

    @property
    def left(self) -> list[Level]:
        """The levels without an outcome, in rising concurrency."""
        done = {(point.scenario, point.concurrency) for point in self.points}
        benchmark = self.rig.plan.spec.benchmark
        return [
            Level(scenario, concurrency)
            for scenario in benchmark.traffic_scenarios
            for concurrency in sorted(benchmark.num_concurrency)
            if (scenario, concurrency) not in done
        ]

    async def tell(self, kind: str, payload: Mapping[str, JsonValue]) -> None:
        await self.rig.tell(kind, {"number": self.number, **payload})


async def measure(rig: Rig, experiment: Experiment) -> Experiment:
    """The experiment with its outcome. A configuration that fails is a result, not an exception.

    Levels that were measured before something failed are kept; without any, the experiment has failed.
    """
    spec, launch = rig.plan.spec, rig.plan.launch(experiment.params)
    limit_s = spec.optimization.timeout_per_iteration
    attempt = Attempt(rig, experiment.number, launch, asyncio.get_running_loop().time() + limit_s, command=launch.argv)
    stop: Failure | None = None
    try:
        with _gpus(launch) as gpus:
            attempt.gpu_ids = tuple(gpu.id for gpu in gpus)
            await _levels(attempt)
    except TimeoutError:
        stop = _late(attempt, limit_s)
    except ExperimentError as error:
        stop = Failure(kind=error.kind, message=clean(str(error)), lines=tuple(map(clean, error.lines)))
    failure = _failure(attempt, stop)
    if stop is not None and failure is None:
        attempt.points += [level.failed(stop.kind, stop.message) for level in attempt.left]
    return experiment.model_copy(
        update={
            "state": ExperimentState.FAILED if failure else ExperimentState.COMPLETED,
            "gpus": launch.gpus,
            "gpu_ids": attempt.gpu_ids,
            "command": attempt.command,
            "env": dict(launch.env),
            "points": tuple(attempt.points),
            "scores": () if failure else score.judge(spec, rig.plan.objectives, attempt.points, launch.gpus),
            "failure": failure,
            "start_s": attempt.start_s,
        }
    )


@contextmanager
def _gpus(launch: Launch) -> Iterator[tuple[hardware.GPU, ...]]:
    with hardware.hold(launch.gpus) as held:
        if isinstance(held, hardware.Short):
            message = f"GPUs needed: {held.needed}; not held by another experiment: {held.free}."
            raise DeploymentError(FailureKind.INFRASTRUCTURE, message)
        yield held


def _late(attempt: Attempt, limit_s: float) -> Failure:
    limit = f"{limit_s:g} s (optimization.timeout_per_iteration)"
    if attempt.start_s is None:
        return Failure(kind=FailureKind.START_TIMEOUT, message=f"The engine was not ready after {limit}.")
    return Failure(kind=FailureKind.BENCHMARK_FAILED, message=f"The experiment reached its limit of {limit}.")


def _failure(attempt: Attempt, stop: Failure | None) -> Failure | None:
    """Why the experiment as a whole failed; None where some level counts."""
    if stop is not None and stop.kind is FailureKind.INFRASTRUCTURE:
        return stop
    if any(point.valid for point in attempt.points):
        return None
    if attempt.points:
        first = attempt.points[0]
        kind, message = first.failure or FailureKind.BENCHMARK_FAILED, first.error or "No level counts."
        stop = Failure(kind=kind, message=message, lines=attempt.lines)
    assert stop is not None, "every level has an outcome, unless something stopped them"
    lines = stop.lines or tuple(tail(attempt.log, failures.LINES))
    return stop.model_copy(update={"lines": lines})


async def _levels(attempt: Attempt) -> None:
    """Measures every load level as they come.

    An engine that dies under a level takes the higher levels of that scenario with it; it is started again for the
    scenarios that are left.

    Raises:
        TimeoutError: the deadline has come.
    """
    label = Label(attempt.rig.task_id, attempt.number, attempt.rig.owner)
    while attempt.left:
        await attempt.tell("phase", {"phase": "starting"})
        set_aside(attempt.log)
        began = time.monotonic()
        # The deadline ends what is measured, never the farewell: ports and GPUs are held until the engine is gone.
        async with attempt.rig.deployer.deploy(attempt.launch, label, attempt.log, attempt.gpu_ids) as deployment:
            attempt.command = deployment.argv
            watch = Watch(deployment, attempt.launch, attempt.rig.plan.engine.failures)
            async with asyncio.timeout_at(attempt.deadline):
                await watch.until_ready(min(attempt.rig.starts_s, default=0.0))
                start_s = round(time.monotonic() - began, 3)
                attempt.rig.starts_s.append(start_s)
                attempt.start_s = attempt.start_s or start_s
                await _warm_up(attempt, watch)
                await _while_it_lives(attempt, watch)


async def _while_it_lives(attempt: Attempt, watch: Watch) -> None:
    """The levels that are left, until the engine dies under one."""
    for level in attempt.left:
        point = await _level(attempt, watch, level)
        attempt.points.append(point)
        await attempt.tell("load_point", point.model_dump(mode="json"))
        if await watch.deployment.exit_code() is not None:
            why = f"Not run: the engine died at concurrency {level.concurrency}."
            higher = [one for one in attempt.left if one.scenario == level.scenario]
            attempt.points += [one.failed(point.failure or FailureKind.CRASHED, why) for one in higher]
            return


async def _warm_up(attempt: Attempt, watch: Watch) -> None:
    if count := attempt.rig.plan.spec.benchmark.warmup_requests:
        await attempt.tell("phase", {"phase": "warming up"})
        async with watch.client(warmup.TIMEOUT_S) as client:
            await watch.alongside(warmup.send(client, attempt.model, count, attempt.left[0].scenario))


async def _level(attempt: Attempt, watch: Watch, level: Level) -> LoadPoint:
    """One load level, measured or failed with a reason.

    Raises:
        ExperimentError: infrastructure failed, so that nothing can be said of this configuration.
    """
    phase: dict[str, JsonValue] = {"scenario": level.scenario, "concurrency": level.concurrency}
    await attempt.tell("phase", {"phase": "measuring", **phase})
    try:
        point = await watch.alongside(_send(attempt, watch, level))
        if not point.valid:
            await watch.rule_out_death()
    except ExperimentError as error:
        if error.kind is FailureKind.INFRASTRUCTURE:
            raise
        attempt.lines = attempt.lines or tuple(map(clean, error.lines))
        return level.failed(error.kind, str(error))
    return point if point.error is None else point.model_copy(update={"error": clean(point.error)})


async def _send(attempt: Attempt, watch: Watch, level: Level) -> LoadPoint:
    await watch.reset_cache()
    return await attempt.rig.load.measure(
        watch.deployment.url, attempt.model, level.scenario, level.concurrency, attempt.folder
    )
