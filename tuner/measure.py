"""One experiment: launch the engine, wait for it, send every load level, and say what came of it."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import JsonValue

from tuner import failures, hardware, score
from tuner.benchmarks import warmup
from tuner.domain import Experiment, ExperimentState, Failure, Label, LoadPoint
from tuner.errors import BenchmarkError, DeploymentError, ExperimentError, FailureKind
from tuner.plan import Plan
from tuner.protocols import Deployer, Deployment, Launch, LoadGenerator

READY_EVERY_S = 0.05
LAST_BREATHS = 20
T = TypeVar("T")


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


@dataclass(frozen=True)
class Level:
    scenario: str
    concurrency: int

    def failed(self, kind: FailureKind, why: str) -> LoadPoint:
        return LoadPoint(scenario=self.scenario, concurrency=self.concurrency, failure=kind, error=why)


async def measure(rig: Rig, experiment: Experiment) -> Experiment:
    """The experiment with its outcome. A configuration that fails is a result, not an exception.

    Levels that were measured before something failed are kept; without any, the experiment has failed.
    """
    limit_s = rig.plan.spec.optimization.timeout_per_iteration
    launch = rig.plan.launch(experiment.params)
    facts: dict[str, object] = {"gpus": launch.gpus, "env": dict(launch.env), "command": launch.argv}
    points: list[LoadPoint] = []
    stop: Failure | None = None
    try:
        with _gpus(launch) as gpus:
            facts["gpu_ids"] = tuple(gpu.id for gpu in gpus)
            async with asyncio.timeout(limit_s):
                await _levels(rig, experiment, launch, points, facts)
    except TimeoutError:
        limit = f"{limit_s:g} s (optimization.timeout_per_iteration)"
        stop = (
            Failure(kind=FailureKind.BENCHMARK_FAILED, message=f"The experiment reached its limit of {limit}.")
            if "start_s" in facts
            else Failure(kind=FailureKind.START_TIMEOUT, message=f"The engine was not ready after {limit}.")
        )
    except ExperimentError as error:
        stop = Failure(kind=error.kind, message=str(error), lines=error.lines)
    failure = _failure(rig, experiment, points, stop)
    if stop is not None and failure is None:
        points += [level.failed(stop.kind, stop.message) for level in _left(rig.plan, points)]
    return experiment.model_copy(
        update={
            **facts,
            "points": tuple(points),
            "failure": failure,
            "state": ExperimentState.FAILED if failure else ExperimentState.COMPLETED,
            "scores": () if failure else score.judge(rig.plan.spec, rig.plan.objectives, points, launch.gpus),
        }
    )


def _failure(rig: Rig, experiment: Experiment, points: Sequence[LoadPoint], stop: Failure | None) -> Failure | None:
    """Why the experiment as a whole failed; None where some level counts."""
    if stop is not None and stop.kind is FailureKind.INFRASTRUCTURE:
        return stop
    if any(point.valid for point in points):
        return None
    if stop is None:
        first = points[0]
        stop = Failure(kind=first.failure or FailureKind.BENCHMARK_FAILED, message=first.error or "No level counts.")
    if not stop.lines and (log := rig.folder / str(experiment.number) / "engine.log").exists():
        stop = stop.model_copy(update={"lines": tuple(failures.tail(log, lines=8))})
    return stop


@contextmanager
def _gpus(launch: Launch) -> Iterator[tuple[hardware.GPU, ...]]:
    with hardware.hold(launch.gpus) as held:
        if isinstance(held, hardware.Short):
            raise DeploymentError(
                FailureKind.INFRASTRUCTURE,
                f"{held.needed} GPUs are needed and {held.free} are free; another experiment holds the rest.",
            )
        yield held


async def _levels(
    rig: Rig, experiment: Experiment, launch: Launch, points: list[LoadPoint], facts: dict[str, object]
) -> None:
    """Measures every load level, in rising concurrency, into `points` as they come.

    An engine that dies under a level takes the higher levels of that scenario with it; it is started again for the
    scenarios that are left.
    """
    folder = rig.folder / str(experiment.number)
    label = Label(rig.task_id, experiment.number, rig.owner)
    gpu_ids = [str(gpu) for gpu in facts.get("gpu_ids", ())]  # type: ignore[attr-defined]
    while left := _left(rig.plan, points):
        await rig.tell("phase", {"number": experiment.number, "phase": "starting"})
        began = time.monotonic()
        async with rig.deployer.deploy(launch, label, folder / "engine.log", gpu_ids) as deployment:
            facts["command"] = deployment.argv
            await ready(deployment, launch, rig.plan)
            facts.setdefault("start_s", round(time.monotonic() - began, 3))
            await _warm_up(rig, experiment, deployment, launch)
            for level in left:
                point = await _level(rig, experiment, deployment, launch, level)
                points.append(point)
                await rig.tell("load_point", {"number": experiment.number, **point.model_dump(mode="json")})
                if await deployment.exit_code() is not None:
                    why = f"Not run: the engine died at concurrency {level.concurrency}."
                    higher = [x for x in left if x.scenario == level.scenario and x.concurrency > level.concurrency]
                    points += [x.failed(point.failure or FailureKind.CRASHED, why) for x in higher]
                    break


def _left(plan: Plan, points: Sequence[LoadPoint]) -> list[Level]:
    done = {(point.scenario, point.concurrency) for point in points}
    benchmark = plan.spec.benchmark
    return [
        Level(scenario, concurrency)
        for scenario in benchmark.traffic_scenarios
        for concurrency in sorted(benchmark.num_concurrency)
        if (scenario, concurrency) not in done
    ]


async def ready(deployment: Deployment, launch: Launch, plan: Plan) -> None:
    """Waits until the server answers its health path with success.

    Raises:
        DeploymentError: the process ended; with its class and its decisive lines.
    """
    async with httpx.AsyncClient(base_url=deployment.url, timeout=5, trust_env=False) as client:
        while await deployment.exit_code() is None:
            try:
                if (await client.get(launch.health_path)).is_success:
                    return
            except httpx.HTTPError:
                pass  # not listening yet, or busy with starting
            await asyncio.sleep(READY_EVERY_S)
    raise await _death(deployment, plan)


async def _death(deployment: Deployment, plan: Plan) -> DeploymentError:
    """Why the engine ended. Killed from outside, and not for its memory, says nothing about the configuration."""
    code, starved = await deployment.exit_code(), await deployment.out_of_memory()
    if code == -signal.SIGKILL and not starved:
        return DeploymentError(FailureKind.INFRASTRUCTURE, "The engine was killed from outside (SIGKILL).")
    lines = await asyncio.to_thread(failures.tail, deployment.log)
    failure = failures.classify(plan.engine.failures, exit_code=code, out_of_memory=starved, lines=lines)
    return DeploymentError(failure.kind, failure.message, failure.lines)


async def _alongside(deployment: Deployment, plan: Plan, work: Coroutine[None, None, T]) -> T:
    """The outcome of `work`, unless the engine dies first.

    Raises:
        DeploymentError: it did; with its class.
    """
    busy = asyncio.ensure_future(work)
    try:
        while not busy.done():
            await asyncio.wait([busy], timeout=0.2)
            if await deployment.exit_code() is not None:
                raise await _death(deployment, plan)
        return busy.result()
    finally:
        busy.cancel()
        await asyncio.wait([busy])


async def _warm_up(rig: Rig, experiment: Experiment, deployment: Deployment, launch: Launch) -> None:
    benchmark = rig.plan.spec.benchmark
    if benchmark.warmup_requests:
        await rig.tell("phase", {"number": experiment.number, "phase": "warming up"})
        model = benchmark.model_name or launch.served_model
        sending = warmup.send(deployment.url, model, benchmark.warmup_requests, benchmark.traffic_scenarios[0])
        await _alongside(deployment, rig.plan, sending)


async def _level(rig: Rig, experiment: Experiment, deployment: Deployment, launch: Launch, level: Level) -> LoadPoint:
    """One load level, measured or failed with a reason.

    Raises:
        ExperimentError: infrastructure failed, so that nothing can be said of this configuration.
    """
    await rig.tell(
        "phase",
        {
            "number": experiment.number,
            "phase": "measuring",
            "scenario": level.scenario,
            "concurrency": level.concurrency,
        },
    )
    model = rig.plan.spec.benchmark.model_name or launch.served_model
    folder = rig.folder / str(experiment.number)
    try:
        await _reset_cache(deployment, launch)
        sending = rig.load.measure(deployment.url, model, level.scenario, level.concurrency, folder)
        point = await _alongside(deployment, rig.plan, sending)
        if not point.valid:
            await _still_alive(deployment, rig.plan)
        return point
    except ExperimentError as error:
        if error.kind is FailureKind.INFRASTRUCTURE:
            raise
        return level.failed(error.kind, str(error))


async def _still_alive(deployment: Deployment, plan: Plan) -> None:
    """The load can fail a moment before the engine that failed it is seen to have ended.

    Raises:
        DeploymentError: it has ended, which is the cause.
    """
    for _ in range(LAST_BREATHS):
        if await deployment.exit_code() is not None:
            raise await _death(deployment, plan)
        await asyncio.sleep(READY_EVERY_S)


async def _reset_cache(deployment: Deployment, launch: Launch) -> None:
    """Empties the prefix cache, so that no level is served from what an earlier one left there."""
    if launch.reset_cache_path is None:
        return
    try:
        async with httpx.AsyncClient(base_url=deployment.url, timeout=30, trust_env=False) as client:
            answer = await client.post(launch.reset_cache_path)
    except httpx.HTTPError as error:
        raise BenchmarkError(
            FailureKind.BENCHMARK_FAILED, f"POST {launch.reset_cache_path} failed: {error!r}; the cache is not empty."
        ) from error
    if not answer.is_success:
        raise BenchmarkError(
            FailureKind.BENCHMARK_FAILED,
            f"POST {launch.reset_cache_path} answered {answer.status_code}; the prefix cache may not be empty.",
        )
