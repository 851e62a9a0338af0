"""What this machine has, and what of ours runs on it: workers, engines, load generators."""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from tools.answers import shown
from tools.arguments import Limit, Offset
from tools.context import Context, Runtime
from tools.tool import tool
from tuner.analysis.formatting import duration
from tuner.errors import UnavailableError
from tuner.machine.hardware import Hardware
from tuner.protocols import Running
from tuner.runner.heartbeats import WorkerInfo
from tuner.spec.values import Frozen

FRESH = timedelta(minutes=1)
"""A worker on another machine, which cannot be looked at, says that it lives several times a minute."""

Id = Annotated[str, Field(min_length=1, max_length=200, description="The deployment's id, by list_deployments.")]


class WorkerLine(Frozen):
    host: str
    pid: int
    alive: bool | None = None
    """None: on another machine; only `seen_at` tells."""
    task: str | None = None
    """What it runs; none: it waits for a task."""
    seen_at: datetime | None = None


class OwnWorker(Frozen):
    """The one that the service keeps alive."""

    alive: bool
    pid: int | None = None
    restarts: int
    started_at: datetime | None = None


class WorkerStatus(Frozen):
    alive: int
    busy: int
    own: OwnWorker | None = None
    """None: this is no service, so workers are started by hand."""
    workers: tuple[WorkerLine, ...]
    note: str | None = None


class DeploymentLine(Frozen):
    id: str
    kind: str
    task: str
    task_name: str
    experiment: int | None = None
    pid: int
    running: str
    url: str | None = None
    command: str
    cpu_percent: float
    """100 is one core."""
    memory_gib: float
    gpus: tuple[str, ...] = ()


class DeploymentList(Frozen):
    shown: str
    deployments: tuple[DeploymentLine, ...]


class Stopped(Frozen):
    id: str
    note: str = "Stopped. Its task sees a machine that failed, and tries again; cancel_task ends the task itself."


async def _status(context: Context) -> WorkerStatus:
    workers = await context.tuner.workers()
    living = [one for one in workers if alive(one)]
    own = None if context.supervisor is None else context.supervisor.status()
    nobody = not living and not (own and own.alive)
    return WorkerStatus(
        alive=len(living),
        busy=sum(one.task_id is not None for one in living),
        own=None
        if own is None
        else OwnWorker(alive=own.alive, pid=own.pid, restarts=own.restarts, started_at=own.started_at),
        workers=tuple(
            WorkerLine(host=one.host, pid=one.pid, alive=one.alive, task=one.task_id, seen_at=one.seen_at)
            for one in workers[:50]
        ),
        note="No worker is alive here: queued tasks wait." if nobody else None,
    )


async def _deployment_preview(context: Context, deployment: str) -> DeploymentLine:
    return _line(await context.tuner.deployment(deployment))


@tool
async def hardware_status(runtime: Runtime) -> Hardware:
    """This machine: processors, memory, GPUs with their free memory and use right now.

    Use it before proposing parallel degrees or a model's size, or when the user asks what there is. Costs nothing.
    """
    found = await runtime.context.tuner.hardware()
    gpus = tuple(one.model_copy(update=_rounded(one, "memory_gib", "free_gib", "utilization")) for one in found.gpus)
    return found.model_copy(update={**_rounded(found, "memory_gib", "available_gib"), "gpus": gpus})


@tool
async def worker_status(runtime: Runtime) -> WorkerStatus:
    """Who runs tasks: the living workers and what each is doing.

    Use it when a task stays queued. Costs nothing.
    """
    return await _status(runtime.context)


@tool(preview=_status)
async def restart_worker(runtime: Runtime) -> WorkerStatus:
    """Stop the service's own worker and start a new one. A task that it runs is interrupted and taken up again; its
    experiment starts over.

    Use it when worker_status shows no living worker, or one that hangs.
    """
    supervisor = runtime.context.supervisor
    if supervisor is None:
        raise UnavailableError("There is no service here that keeps a worker; start one by hand: autotuner worker")
    await supervisor.restart()
    return await _status(runtime.context)


@tool
async def list_deployments(runtime: Runtime, limit: Limit = 20, offset: Offset = 0) -> DeploymentList:
    """The engines and load generators that run now for tasks of this tuner: id, task, address, memory, processors.

    Costs nothing. Only what this tuner started is listed.
    """
    found = await runtime.context.tuner.deployments()
    page = found[offset : offset + limit]
    return DeploymentList(shown=shown(len(page), len(found), offset), deployments=tuple(map(_line, page)))


@tool(preview=_deployment_preview)
async def stop_deployment(runtime: Runtime, deployment: Id) -> Stopped:
    """Kill one running engine or load generator, by its id in list_deployments.

    Only for one that hangs: its experiment is tried again. To end a task use cancel_task.
    """
    await runtime.context.tuner.stop_deployment(deployment)
    return Stopped(id=deployment)


def alive(worker: WorkerInfo) -> bool:
    """As far as can be told: of one on another machine, that it said so a moment ago."""
    if worker.alive is None:
        return worker.seen_at is not None and datetime.now(UTC) - worker.seen_at < FRESH
    return worker.alive


def _rounded(of: Frozen, *names: str) -> dict[str, float]:
    return {name: round(getattr(of, name), 2) for name in names}


def _line(one: Running) -> DeploymentLine:
    return DeploymentLine(
        id=one.id,
        kind=one.kind,
        task=one.task_id,
        task_name=one.task_name,
        experiment=one.experiment,
        pid=one.pid,
        running=duration((datetime.now(UTC) - one.started_at).total_seconds()),
        url=one.url,
        command=shlex.join(one.argv),
        cpu_percent=one.cpu_percent,
        memory_gib=one.memory_gib,
        gpus=one.gpus,
    )


READ = (hardware_status, worker_status, list_deployments)
ACT = (restart_worker, stop_deployment)
