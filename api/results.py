"""What a task came to: experiments, result, reports, pictures, artifacts."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from api.deps import Limit, Number, Offset, Ref, TunerDep
from api.headers import DOCUMENT_CSP
from api.problems import documented
from tuner.analysis.result import Result
from tuner.domain import Experiment, ExperimentState, Role
from tuner.errors import ConflictError, NotFoundError
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.report.rendering import Rendering
from tuner.spec.values import Frozen, OneOf

if TYPE_CHECKING:
    from tuner.report.plots import Plot

router = APIRouter(tags=["results"])

SVG = "image/svg+xml"
SCHEMAS = {"json": "Result", "task": "TaskSpecInput"}
"""Of formats and artifacts that are more than text."""


def _content(table: Mapping[str, Rendering]) -> dict[str, Any]:
    """What a response may hold, by content type."""
    return {
        one.media_type: {
            "schema": {"$ref": f"#/components/schemas/{SCHEMAS[name]}"} if name in SCHEMAS else {"type": "string"}
        }
        for name, one in table.items()
    }


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
    responses={200: {"description": "The report.", "content": _content(FORMATS)}, **documented(404)},
)
async def get_report(
    task: Ref,
    tuner: TunerDep,
    format: Annotated[str, OneOf(lambda: FORMATS), Query(description="How it is written.")] = "json",  # noqa: A002
) -> Response:
    """The result as a file; `html` holds its pictures and fetches nothing."""
    return await _file(await tuner.result(task), FORMATS[format])


@router.get(
    "/tasks/{task}/export",
    response_class=Response,
    responses={200: {"description": "The artifact.", "content": _content(ARTIFACTS)}, **documented(404, 409)},
)
async def export_task(
    task: Ref,
    tuner: TunerDep,
    kind: Annotated[str, OneOf(lambda: ARTIFACTS), Query(description="What to take away.")] = "command",
) -> Response:
    """The best configuration to be used elsewhere, or the task itself as a task file."""
    return await _file(await tuner.result(task), ARTIFACTS[kind])


@router.get("/tasks/{task}/artifacts", responses=documented(404))
async def list_artifacts(task: Ref, tuner: TunerDep) -> list[ArtifactInfo]:
    """All that can be taken away from a task: artifacts to be used elsewhere, and reports."""
    result = await tuner.result(task)
    at = f"/api/tasks/{result.task_id}"
    missing = await asyncio.to_thread(lambda: {name: _missing(result, one) for name, one in ARTIFACTS.items()})
    return [
        ArtifactInfo(name=name, type=one.media_type, url=f"{at}/{url}={name}", missing=missing.get(name))
        for url, table in (("export?kind", ARTIFACTS), ("report?format", FORMATS))
        for name, one in table.items()
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


def _missing(result: Result, artifact: Rendering) -> str | None:
    try:
        artifact.render(result)
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


async def _file(result: Result, form: Rendering) -> Response:
    content: str | bytes = await asyncio.to_thread(form.render, result)
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", result.task_name).strip("-.") or "task"
    ending = form.suffix
    called = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(result.task_name)}.{ending}"
    headers = {"Content-Disposition": called, "Content-Security-Policy": DOCUMENT_CSP}
    return Response(content, media_type=form.media_type, headers=headers)
