"""One experiment: launch the engine, wait for it, send every load level, and say what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import JsonValue

from tuner.analysis import score
from tuner.benchmarks import warmup
from tuner.domain import Experiment, ExperimentState, Failure, Label, Level, LoadPoint, Role
from tuner.errors import ExperimentError, FailureKind
from tuner.launch import Launch
from tuner.logs import failures
from tuner.logs.cleaning import clean
from tuner.logs.files import set_aside
from tuner.logs.tail import tail
from tuner.machine import load as machine_load
from tuner.machine.addresses import is_loopback
from tuner.protocols import Deployer, LoadGenerator
from tuner.runner.plan import Plan
from tuner.runner.watch import Watch
from tuner.search.load_policies import LOAD_POLICIES


@dataclass(frozen=True)
class Rig:
    """What all experiments of a task are measured with."""

    task_id: str
    owner: str
    plan: Plan
    deployer: Deployer
    open: Callable[[int], AbstractAsyncContextManager[LoadGenerator]]
    """Opens a load generator, as `Benchmark.open` does: one for each experiment that is under way, numbered from 0."""
    gpus: int
    """GPUs for all experiments that are under way together."""
    folder: Path
    """Everything the task writes; experiment n under `n/`."""
    tell: Callable[[str, Mapping[str, JsonValue]], Awaitable[object]]
    """Records an event."""
    starts_s: list[float] = field(default_factory=list)
    """How long its engines took to be ready so far."""


StopReason = Callable[[Experiment], str | None]
"""Asked after each level, with the points so far: why the levels that are left are not measured; None: they are."""


@dataclass
class Attempt:
    """An experiment while it is measured: what is known of it so far, whatever ends it."""

    rig: Rig
    load: LoadGenerator
    experiment: Experiment
    stop_reason: StopReason
    launch: Launch
    deadline: float
    """By the event loop's clock."""
    gpu_ids: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    start_s: float | None = None
    points: list[LoadPoint] = field(default_factory=list)
    deadly: dict[str, LoadPoint] = field(default_factory=dict)
    """By scenario, the level that the engine died under."""
    lines: tuple[str, ...] = ()
    """The decisive lines of the first level that failed with any."""

    @property
    def folder(self) -> Path:
        return self.rig.folder / str(self.experiment.number)

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    @property
    def model(self) -> str:
        return self.rig.plan.spec.benchmark.model_name or self.launch.served_model

    def next(self) -> Level | None:
        """The level to send now. Those that would only kill the engine again have their outcome without being sent."""
        spec = self.rig.plan.spec
        while (level := LOAD_POLICIES[spec.benchmark.load_policy].next(spec, self.points)) is not None:
            deadly = self.deadly.get(level.scenario)
            if deadly is None or level.load < deadly.level.load:
                return level
            why = f"Not run: the engine died at {_load(deadly.level)}."
            self.points.append(level.failed(deadly.failure or FailureKind.CRASHED, why))
        return None

    def give_up(self, kind: FailureKind, why: str) -> None:
        """The levels that are left fail for a reason that lies outside of them."""
        while (level := self.next()) is not None:
            self.points.append(level.failed(kind, why))

    async def tell(self, kind: str, payload: Mapping[str, JsonValue]) -> None:
        await self.rig.tell(kind, {"number": self.experiment.number, **payload})


async def measure(rig: Rig, load: LoadGenerator, experiment: Experiment, stop_reason: StopReason) -> Experiment:
    """The experiment with its outcome. A configuration that fails is a result, not an exception.

    Levels that were measured before something failed are kept; without any, the experiment has failed.
    """
    spec, launch = rig.plan.spec, rig.plan.launch(experiment.params)
    limit_s = spec.optimization.timeout_per_iteration
    deadline = asyncio.get_running_loop().time() + limit_s
    command = rig.plan.command(launch)
    attempt = Attempt(rig, load, experiment, stop_reason, launch, deadline, command=command)
    stop: Failure | None = None
    try:
        with rig.deployer.reserve(launch.gpus) as attempt.gpu_ids:
            await _levels(attempt)
    except TimeoutError:
        stop = _late(attempt, limit_s)
    except ExperimentError as error:
        stop = Failure(kind=error.kind, message=clean(str(error)), lines=tuple(map(clean, error.lines)))
    failure = _failure(attempt, stop)
    if stop is not None and failure is None:
        attempt.give_up(stop.kind, stop.message)
    return experiment.model_copy(
        update={
            "state": ExperimentState.FAILED if failure else ExperimentState.COMPLETED,
            "gpus": launch.gpus,
            "gpu_ids": attempt.gpu_ids,
            "launch": launch,
            "target": rig.plan.resolved.target,
            "command": attempt.command,
            "env": {**launch.measuring_env, **launch.env},
            "points": tuple(attempt.points),
            "scores": () if failure else score.judge(spec, rig.plan.objectives, attempt.points, launch.gpus),
            "failure": failure,
            "start_s": attempt.start_s,
        }
    )


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

    An engine that dies under a level takes the higher levels of that scenario with it; it is started again for what is
    left.

    Raises:
        TimeoutError: the deadline has come.
    """
    rig, target = attempt.rig, attempt.rig.plan.resolved.target
    label = Label(rig.task_id, attempt.experiment.number, rig.owner)
    while (level := attempt.next()) is not None:
        await attempt.tell("phase", {"phase": "starting"})
        set_aside(attempt.log)
        began = time.monotonic()
        # The deadline ends what is measured, never the farewell: ports and GPUs are held until the engine is gone.
        async with rig.deployer.deploy(attempt.launch, target, label, attempt.log, attempt.gpu_ids) as deployment:
            attempt.command = deployment.argv
            watch = Watch(deployment, attempt.launch, attempt.log, rig.plan.engine.failures)
            async with asyncio.timeout_at(attempt.deadline):
                await watch.until_ready(min(attempt.rig.starts_s, default=0.0))
                start_s = round(time.monotonic() - began, 3)
                attempt.rig.starts_s.append(start_s)
                attempt.start_s = attempt.start_s or start_s
                await _warm_up(attempt, watch, level.scenario)
                await _while_it_lives(attempt, watch)


async def _while_it_lives(attempt: Attempt, watch: Watch) -> None:
    """The levels that are left, until the engine dies under one or a stop rule ends the experiment."""
    while (level := attempt.next()) is not None:
        point = await _level(attempt, watch, level)
        attempt.points.append(point)
        await attempt.tell("load_point", point.model_dump(mode="json"))
        if await watch.deployment.exit_code() is not None:
            attempt.deadly[level.scenario] = point
            return
        so_far = attempt.experiment.model_copy(update={"points": tuple(attempt.points)})
        if (reason := attempt.stop_reason(so_far)) is not None:
            attempt.give_up(FailureKind.STOPPED, f"Not run: {reason}")


async def _warm_up(attempt: Attempt, watch: Watch, scenario: str) -> None:
    if count := attempt.rig.plan.spec.benchmark.warmup_requests:
        await attempt.tell("phase", {"phase": "warming up"})
        async with watch.client(warmup.TIMEOUT_S) as client:
            await watch.alongside(warmup.send(client, attempt.model, count, scenario))


async def _level(attempt: Attempt, watch: Watch, level: Level) -> LoadPoint:
    """One load level, measured or failed with a reason.

    Raises:
        ExperimentError: infrastructure failed, so that nothing can be said of this configuration.
    """
    phase: dict[str, JsonValue] = {
        "scenario": level.scenario,
        "concurrency": level.concurrency,
        "rate": level.rate,
    }
    await attempt.tell("phase", {"phase": "measuring", **phase})
    try:
        point = await _recorded(attempt, watch, level)
        if not point.valid:
            await watch.rule_out_death()
    except ExperimentError as error:
        if error.kind is FailureKind.INFRASTRUCTURE:
            raise
        attempt.lines = attempt.lines or tuple(map(clean, error.lines))
        return level.failed(error.kind, clean(str(error)))
    return point if point.error is None else point.model_copy(update={"error": clean(point.error)})


async def _recorded(attempt: Attempt, watch: Watch, level: Level) -> LoadPoint:
    """A load level as it is measured, with what this machine did beside it where the engine runs here."""
    if not is_loopback(urlsplit(watch.deployment.url).hostname or ""):
        return await watch.alongside(_send(attempt, watch, level))
    # Around, not within: a level that was measured counts, also where the engine dies right after it.
    async with machine_load.recorded(attempt.gpu_ids) as beside:
        point = await watch.alongside(_send(attempt, watch, level))
    return point.model_copy(update={"machine": beside.load, "notes": (*point.notes, *machine_load.notes(beside.load))})


def _load(level: Level) -> str:
    return level.name if level.open else f"concurrency {level.concurrency}"


async def _send(attempt: Attempt, watch: Watch, level: Level) -> LoadPoint:
    await watch.reset_cache()
    return await attempt.load.measure(
        watch.deployment.url,
        attempt.model,
        level.scenario,
        level.concurrency,
        attempt.folder,
        rate=level.rate,
        held_out=attempt.experiment.role is Role.CONFIRMATION,
    )
