"""What a task came to: experiments, result, reports, pictures, artifacts."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator

from api.deps import Limit, Number, Offset, Ref, TunerDep
from api.headers import DOCUMENT_CSP
from api.problems import documented
from tuner.analysis.result import Result
from tuner.domain import Experiment, ExperimentState, Role
from tuner.errors import ConflictError, NotFoundError
from tuner.report import FORMATS
from tuner.report.artifacts import ARTIFACTS
from tuner.spec.values import Frozen

if TYPE_CHECKING:
    from tuner.report.plots import Plot

router = APIRouter(tags=["results"])

TEXT = "text/plain; charset=utf-8"
KINDS = {
    "table": TEXT,
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "command": TEXT,
    "compose": "application/yaml",
    "kubernetes": "application/yaml",
    "task": "application/yaml",
}
"""Content types of formats and artifacts."""
ENDINGS = {"table": "txt", "command": "sh", "compose": "yaml", "kubernetes": "yaml", "task": "yaml"}
"""Of file names, where a format's own name is none."""
SVG = "image/svg+xml"
RESULT = {"$ref": "#/components/schemas/Result"}
SPEC = {"$ref": "#/components/schemas/TaskSpecInput"}


def _one_of(names: Iterable[str]) -> AfterValidator:
    there = tuple(names)

    def known(name: str) -> str:
        if name not in there:
            raise ValueError(f"there is no {name!r:.40}; there are {', '.join(there)}")
        return name

    return AfterValidator(known)


class TaskExperiment(Frozen):
    task_id: str
    experiment: Experiment


class ExperimentPage(Frozen):
    items: list[TaskExperiment]
    total: int
    """In all, not on this page."""


class ArtifactInfo(Frozen):
    name: str
    """Of an artifact or of a report's format."""
    type: str
    """Its content type."""
    url: str
    missing: str | None
    """Why there is none of this task."""


class PlotInfo(Frozen):
    name: str
    title: str
    caption: str
    url: str


State = Annotated[ExperimentState | None, Query(description="Only experiments in this state.")]
OfRole = Annotated[Role | None, Query(description="Only experiments of this role.")]


@router.get("/experiments", responses=documented(404))
async def list_experiments(
    tuner: TunerDep,
    task: Annotated[str | None, Query(max_length=100, description="Only of this task.")] = None,
    state: State = None,
    role: OfRole = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ExperimentPage:
    """Experiments of every task, those of the newest task first."""
    found, total = await tuner.experiments_page(task=task, state=state, role=role, limit=limit, offset=offset)
    return ExperimentPage(items=[TaskExperiment(task_id=one, experiment=it) for one, it in found], total=total)


@router.get("/tasks/{task}/experiments", responses=documented(404))
async def list_task_experiments(
    task: Ref, tuner: TunerDep, state: State = None, role: OfRole = None, limit: Limit = 100, offset: Offset = 0
) -> ExperimentPage:
    """The experiments of a task, by number."""
    return await list_experiments(tuner, task, state, role, limit, offset)


@router.get("/tasks/{task}/experiments/{number}", responses=documented(404))
async def get_experiment(task: Ref, number: Number, tuner: TunerDep) -> Experiment:
    return await tuner.experiment(task, number)


@router.get("/tasks/{task}/result", responses=documented(404))
async def get_result(task: Ref, tuner: TunerDep) -> Result:
    """Verdict, standings, effects; before the task has ended, as things stand."""
    return await tuner.result(task)


@router.get(
    "/tasks/{task}/report",
    response_class=Response,
    responses={
        200: {
            "description": "The report.",
            "content": {KINDS[name]: {"schema": RESULT if name == "json" else {"type": "string"}} for name in FORMATS},
        },
        **documented(404),
    },
)
async def get_report(
    task: Ref,
    tuner: TunerDep,
    format: Annotated[  # noqa: A002
        str, _one_of(FORMATS), Query(description="How it is written.", json_schema_extra={"enum": [*FORMATS]})
    ] = "json",
) -> Response:
    """The result as a file; `html` holds its pictures and fetches nothing."""
    return await _file(await tuner.result(task), format, FORMATS[format])


@router.get(
    "/tasks/{task}/export",
    response_class=Response,
    responses={
        200: {
            "description": "The artifact.",
            "content": {KINDS[name]: {"schema": SPEC if name == "task" else {"type": "string"}} for name in ARTIFACTS},
        },
        **documented(404, 409),
    },
)
async def export_task(
    task: Ref,
    tuner: TunerDep,
    kind: Annotated[
        str, _one_of(ARTIFACTS), Query(description="What to take away.", json_schema_extra={"enum": [*ARTIFACTS]})
    ] = "command",
) -> Response:
    """The best configuration to be used elsewhere, or the task itself as a task file."""
    return await _file(await tuner.result(task), kind, ARTIFACTS[kind])


@router.get("/tasks/{task}/artifacts", responses=documented(404))
async def list_artifacts(task: Ref, tuner: TunerDep) -> list[ArtifactInfo]:
    """All that can be taken away from a task: artifacts to be used elsewhere, and reports."""
    result = await tuner.result(task)
    at = f"/api/tasks/{result.task_id}"
    missing = await asyncio.to_thread(lambda: {name: _missing(result, make) for name, make in ARTIFACTS.items()})
    return [
        ArtifactInfo(name=name, type=KINDS[name], url=url, missing=missing.get(name))
        for name, url in (
            *((name, f"{at}/export?kind={name}") for name in ARTIFACTS),
            *((name, f"{at}/report?format={name}") for name in FORMATS),
        )
    ]


@router.get("/tasks/{task}/plots", responses=documented(404))
async def list_plots(task: Ref, tuner: TunerDep) -> list[PlotInfo]:
    """Which pictures there are; none before something was measured."""
    result = await tuner.result(task)
    return [
        PlotInfo(
            name=plot.name,
            title=plot.title,
            caption=plot.caption,
            url=f"/api/tasks/{result.task_id}/plots/{plot.name}.svg",
        )
        for plot in await asyncio.to_thread(_plots, result)
    ]


@router.get(
    "/tasks/{task}/plots/{name}.svg",
    response_class=Response,
    responses={200: {"description": "SVG.", "content": {SVG: {"schema": {"type": "string"}}}}, **documented(404)},
)
async def get_plot(task: Ref, name: Annotated[str, Path(max_length=100)], tuner: TunerDep) -> Response:
    """A picture that stands alone, for light and dark."""
    drawn = await asyncio.to_thread(_plots, await tuner.result(task))
    for plot in drawn:
        if plot.name == name:
            picture = await asyncio.to_thread(_picture, plot)
            return Response(picture, media_type=SVG, headers={"Content-Security-Policy": DOCUMENT_CSP})
    there = f"there are {', '.join(plot.name for plot in drawn)}" if drawn else "nothing has been measured yet"
    raise NotFoundError(f"Task {task} has no picture {name!r:.60}; {there}.")


def _missing(result: Result, make: Callable[[Result], str]) -> str | None:
    try:
        make(result)
    except ConflictError as error:
        return str(error)
    return None


def _plots(result: Result) -> "list[Plot]":
    # Matplotlib takes a second and 50 MiB: only where a picture is wanted.
    from tuner.report.plots import plots

    return plots(result)


def _picture(plot: "Plot") -> str:
    from tuner.report import svg

    return svg.standalone(plot.svg)


async def _file(result: Result, name: str, render: Callable[[Result], str | bytes]) -> Response:
    content: str | bytes = await asyncio.to_thread(render, result)
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", result.task_name).strip("-.") or "task"
    ending = ENDINGS.get(name, name)
    called = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(result.task_name)}.{ending}"
    headers = {"Content-Disposition": called, "Content-Security-Policy": DOCUMENT_CSP}
    return Response(content, media_type=KINDS[name], headers=headers)
