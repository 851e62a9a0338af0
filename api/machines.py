"""What there is to run on and with: engines, hardware, workers, and what runs now."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.deps import TunerDep
from api.problems import documented
from tuner.installs.installations import EngineInfo
from tuner.logs.tail import LogExcerpt
from tuner.machine.hardware import Hardware
from tuner.protocols import Flag, Running
from tuner.runner.heartbeats import WorkerInfo

router = APIRouter(tags=["machines"])

EngineName = Annotated[str, Path(min_length=1, max_length=100, examples=["vllm"])]
DeploymentId = Annotated[str, Path(min_length=1, max_length=100)]


@router.get("/engines")
async def list_engines(tuner: TunerDep) -> list[EngineInfo]:
    """The engines that tasks can name, whether they are installed, and the command that installs them."""
    return await tuner.engines()


@router.get("/engines/{engine}/flags", responses=documented(404, 409))
async def list_engine_flags(
    engine: EngineName,
    tuner: TunerDep,
    search: Annotated[str, Query(max_length=200, description="A part of the flag's name or description.")] = "",
) -> list[Flag]:
    """The flags of an installed engine, as its own help describes them. The first time takes seconds."""
    return await tuner.engine_flags(engine, search)


@router.get("/hardware")
async def get_hardware(tuner: TunerDep) -> Hardware:
    """GPUs, processors and memory of this machine, now."""
    return await tuner.hardware()


@router.get("/deployments")
async def list_deployments(tuner: TunerDep) -> list[Running]:
    """Engines and load generators that tuners with this data folder started, and that still run."""
    return await tuner.deployments()


@router.get("/deployments/{id}", responses=documented(404))
async def get_deployment(id: DeploymentId, tuner: TunerDep) -> Running:  # noqa: A002
    return await tuner.deployment(id)


@router.delete("/deployments/{id}", status_code=204, response_class=Response, responses=documented(404, 409))
async def stop_deployment(id: DeploymentId, tuner: TunerDep) -> None:  # noqa: A002
    """Stops it and all it started. Its task goes on: a running experiment is tried again."""
    await tuner.stop_deployment(id)


@router.get("/deployments/{id}/logs", responses=documented(404, 409))
async def get_deployment_logs(
    id: DeploymentId,  # noqa: A002
    tuner: TunerDep,
    lines: Annotated[int, Query(ge=1, le=5000, description="At most so many, the last ones.")] = 200,
    search: Annotated[str | None, Query(max_length=500, description="Only lines with this text.")] = None,
) -> LogExcerpt:
    found = await tuner.deployment(id)
    benchmark = found.kind == "benchmark"
    return await tuner.logs(
        found.task_id, None if benchmark else found.experiment, benchmark=benchmark, lines=lines, search=search
    )


@router.get("/workers")
async def list_workers(tuner: TunerDep) -> list[WorkerInfo]:
    """Processes that run tasks, and holders of tasks that may be dead."""
    return await tuner.workers()
