"""Presets: parts of tasks under a name, to begin a task with."""

from typing import Annotated

import yaml
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, JsonValue

from api import bodies
from api.deps import TunerDep
from api.problems import documented
from tuner.spec.presets import Preset
from tuner.spec.reader import Dumper
from tuner.spec.values import Frozen

router = APIRouter(prefix="/presets", tags=["presets"])

Name = Annotated[str, Path(min_length=1, max_length=64, examples=["chat-slo"])]
Replace = Annotated[bool, Query(description="Write over a preset of that name.")]


class PresetBody(Frozen):
    """What of a preset is the author's own; `name` is left out where the address has it."""

    name: str | None = Field(default=None, examples=["chat-slo"])
    description: str = ""
    engine: str | None = None
    """The one it is for; null: any."""
    task: dict[str, JsonValue] = Field(default={}, examples=[{"slo": {"ttft": {"p90": {"threshold": 0.5}}}}])
    """Any part of a task but its `task_name`."""


class Import(Frozen):
    """What `GET /api/presets/export` gave: several presets as one document."""

    presets: tuple[PresetBody, ...] = Field(max_length=1000)


class Merge(Frozen):
    """Presets, and what is to stand on top of them."""

    presets: tuple[str, ...] = Field(max_length=50, examples=[["quick-check", "chat-slo"]])
    task: dict[str, JsonValue] = {}


class Merged(Frozen):
    task: dict[str, JsonValue]
    """Not checked: POST it to /api/tasks/plan."""


@router.get("")
async def list_presets(tuner: TunerDep) -> list[Preset]:
    return await tuner.presets()


@router.post("", status_code=201, responses=documented(409, 422), openapi_extra=bodies.declared("PresetBody"))
async def create_preset(request: Request, response: Response, tuner: TunerDep) -> Preset:
    """Saves a new preset; it can be no name that is taken."""
    body = await bodies.model(request, PresetBody)
    saved = await tuner.save_preset(await _preset(body, body.name))
    response.headers["Location"] = f"/api/presets/{saved.name}"
    return saved


@router.get("/export", response_class=Response, responses={200: bodies.sent("PresetImport")})
async def export_presets(tuner: TunerDep) -> Response:
    """Every saved preset, to be imported elsewhere."""
    return _yaml("presets", {"presets": [_plain(one) for one in await tuner.presets() if not one.built_in]})


@router.post("/import", responses=documented(409, 422), openapi_extra=bodies.declared("PresetImport"))
async def import_presets(request: Request, tuner: TunerDep, replace: Replace = False) -> list[Preset]:
    """Saves the presets of a document, in order, up to the first that cannot be saved."""
    body = await bodies.model(request, Import)
    presets = [await _preset(one, one.name) for one in body.presets]
    return [await tuner.save_preset(one, replace=replace) for one in presets]


@router.post("/merge", responses=documented(404, 422), openapi_extra=bodies.declared("PresetMerge"))
async def merge_presets(request: Request, tuner: TunerDep) -> Merged:
    """Presets in their order, then the task's own keys: blocks are merged, lists and plain values replaced."""
    body = await bodies.model(request, Merge)
    return Merged(task=await tuner.merged(body.presets, body.task))


@router.get("/{name}", responses=documented(404))
async def get_preset(name: Name, tuner: TunerDep) -> Preset:
    return await tuner.preset(name)


@router.put("/{name}", responses=documented(409, 422), openapi_extra=bodies.declared("PresetBody"))
async def save_preset(name: Name, request: Request, tuner: TunerDep) -> Preset:
    """Saves a preset, new or in the place of the one of this name."""
    body = await bodies.model(request, PresetBody)
    return await tuner.save_preset(await _preset(body, name), replace=True)


@router.delete("/{name}", status_code=204, response_class=Response, responses=documented(404, 409))
async def delete_preset(name: Name, tuner: TunerDep) -> None:
    await tuner.delete_preset(name)


@router.get("/{name}/export", response_class=Response, responses={200: bodies.sent("PresetBody"), **documented(404)})
async def export_preset(name: Name, tuner: TunerDep) -> Response:
    return _yaml(name, _plain(await tuner.preset(name)))


async def _preset(body: PresetBody, name: str | None) -> Preset:
    data = body.model_dump(exclude_none=True) | ({} if name is None else {"name": name})
    return bodies.checked(Preset, data)


def _plain(preset: Preset) -> dict[str, JsonValue]:
    kept: dict[str, JsonValue] = preset.model_dump(
        mode="json", include={"name", "description", "engine", "task"}, exclude_none=True
    )
    return kept


def _yaml(name: str, data: dict[str, JsonValue]) -> Response:
    text = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type=bodies.YAML, headers=headers)
