"""Presets: parts of a task with a name, to begin tasks with."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from tools.answers import shown
from tools.arguments import Limit, LooseTask, Offset
from tools.context import Context, Runtime
from tools.tool import tool
from tuner.errors import NotFoundError
from tuner.spec.presets import Preset
from tuner.spec.values import Frozen


def _name(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", raw):
        raise ValueError(
            f"{raw!r:.80} is no name for a preset; use up to 64 letters, digits, dots, dashes and underscores"
        )
    return raw


Name = Annotated[str, Field(description="The preset's name: letters, digits, - . _"), AfterValidator(_name)]


class PresetAnswer(Frozen):
    name: str
    description: str
    engine: str | None = None
    built_in: bool
    task: dict[str, JsonValue]


class PresetList(Frozen):
    shown: str
    presets: tuple[PresetAnswer, ...]


class Saved(Frozen):
    name: str
    replaced: bool


class SavePreview(Frozen):
    replaces: PresetAnswer | None = None
    """What is there under this name now."""


class Removed(Frozen):
    name: str
    note: str = "Deleted. Tasks made with it stay as they are."


async def _save_preview(
    context: Context, name: str, task: dict[str, JsonValue], description: str, engine: str | None, replace: bool
) -> SavePreview:
    there = await _find(context, name)
    return SavePreview(replaces=None if there is None else _answer(there))


async def _delete_preview(context: Context, name: str) -> PresetAnswer:
    return _answer(await context.tuner.preset(name))


@tool
async def list_presets(
    runtime: Runtime,
    engine: Annotated[
        str | None, Field(max_length=253, description="Only presets for this engine, and for any.")
    ] = None,
    text: Annotated[str | None, Field(max_length=100, description="A part of the name or the description.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> PresetList:
    """Presets with what they set: ready parts of tasks, ours and the user's own.

    Use it before create_task when the user names a goal but no flags, or asks what there is. Give their names to
    create_task as `presets`. Costs nothing.
    """
    word = (text or "").casefold()
    found = [
        one
        for one in await runtime.context.tuner.presets()
        if (engine is None or one.engine in (None, engine)) and word in f"{one.name}\n{one.description}".casefold()
    ]
    page = found[offset : offset + limit]
    return PresetList(shown=shown(len(page), len(found), offset), presets=tuple(map(_answer, page)))


@tool(preview=_save_preview)
async def save_preset(
    runtime: Runtime,
    name: Name,
    task: LooseTask,
    description: Annotated[str, Field(max_length=2000, description="When to use it, in a sentence.")] = "",
    engine: Annotated[str | None, Field(max_length=253, description="The engine it is for; leave out for any.")] = None,
    replace: Annotated[bool, Field(description="Overwrite a preset of that name.")] = False,
) -> Saved:
    """Keep a part of a task (flags, load, SLOs, anything but its name) as a preset, for later tasks.

    Use it when the user wants to reuse something. Everybody who uses this tuner sees it.
    """
    context = runtime.context
    there = await _find(context, name)
    preset = Preset(name=name, description=description, engine=engine, task=task)
    saved = await context.tuner.save_preset(preset, replace=replace)
    return Saved(name=saved.name, replaced=there is not None)


@tool(preview=_delete_preview)
async def delete_preset(runtime: Runtime, name: Name) -> Removed:
    """Delete a preset of the user's, for good. Those that come with the tuner cannot be deleted."""
    await runtime.context.tuner.delete_preset(name)
    return Removed(name=name)


async def _find(context: Context, name: str) -> Preset | None:
    try:
        return await context.tuner.preset(name)
    except NotFoundError:
        return None


def _answer(preset: Preset) -> PresetAnswer:
    return PresetAnswer(**preset.model_dump(include=set(PresetAnswer.model_fields)))


READ = (list_presets,)
ACT = (save_preset, delete_preset)
