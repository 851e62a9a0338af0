"""A model from the Hugging Face hub into the folder of models. Listed here: all tools that are about models."""

import time
from typing import Annotated

from pydantic import Field

from tools import hub_cache, hub_search
from tools.context import Context, Runtime, teller
from tools.hub_api import Wanted
from tools.hub_download import Fetch, decide, run
from tools.hub_search import SEGMENT, Repo, Revision
from tools.hub_target import amount, free_bytes, shortage
from tools.tool import tool
from tuner.analysis.formatting import duration
from tuner.spec.values import Frozen

Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    Field(max_length=30, description='File patterns, such as "*.safetensors" or "original/*".'),
]
Folder = Annotated[
    str | None,
    Field(
        max_length=200,
        pattern=rf"^{SEGMENT}(?:/{SEGMENT}){{0,3}}$",
        description="Name in the folder of models; by default the model's id, so that a task names it the same way.",
    ),
]


class DownloadPlan(Frozen):
    repo: str
    commit: str
    folder: str
    files: int
    bytes: int
    size: str
    to_fetch: str
    """Of which so much is not here yet."""
    free: str
    problem: str | None = None
    """Why it would fail now."""


class Downloaded(Frozen):
    model: str
    """The name for a task's model."""
    folder: str
    repo: str
    commit: str
    files: int
    size: str
    took: str


async def preview(
    context: Context,
    repo: str,
    revision: str | None,
    folder: str | None,
    allow: tuple[str, ...],
    ignore: tuple[str, ...],
) -> DownloadPlan:
    """What hf_download would do. Raises what it would raise, but for a full disk, which is one of the facts."""
    models = context.tuner.settings.models
    fetch = await _decide(context, Wanted(repo, revision), folder, allow, ignore)
    return DownloadPlan(
        repo=repo,
        commit=fetch.note.revision,
        folder=str(fetch.target),
        files=len(fetch.files),
        bytes=fetch.total_bytes,
        size=amount(fetch.total_bytes),
        to_fetch=amount(fetch.missing_bytes),
        free=amount(free_bytes(models)),
        problem=shortage(models, repo, fetch.missing_bytes),
    )


async def _decide(
    context: Context, wanted: Wanted, folder: str | None, allow: tuple[str, ...], ignore: tuple[str, ...]
) -> Fetch:
    models = context.tuner.settings.models
    return await decide(context.settings, models, wanted, folder=folder or wanted.repo, allow=allow, ignore=ignore)


@tool(preview=preview, untrusted=True)
async def hf_download(
    runtime: Runtime,
    repo: Repo,
    revision: Revision = None,
    folder: Folder = None,
    allow: Patterns = (),
    ignore: Patterns = (),
) -> Downloaded:
    """Downloads a model from the Hugging Face hub into the folder of models. Needs approval: gigabytes, and minutes.

    Look first (hf_model_info): many models bring their weights in several formats, and engines need only *.safetensors
    (ignore "*.bin", "*.pth", "original/*"). What is finished is kept: after a break the same call goes on. Returns the
    name by which a task then finds the model.
    """
    context, began = runtime.context, time.monotonic()
    fetch = await _decide(context, Wanted(repo, revision), folder, allow, ignore)
    tell, total = teller(runtime), fetch.total_bytes

    def on_bytes(done: int) -> None:
        message = f"{repo}: {amount(done)} of {amount(total)}"
        tell({"done": done, "total": total, "unit": "bytes", "message": message})

    await run(fetch, context.settings, context.tuner.settings.models, on_bytes)
    return Downloaded(
        model=fetch.target.relative_to(context.tuner.settings.models).as_posix(),
        folder=str(fetch.target),
        repo=repo,
        commit=fetch.note.revision,
        files=len(fetch.files),
        size=amount(total),
        took=duration(time.monotonic() - began),
    )


READ = (*hub_search.READ, *hub_cache.READ)
ACT = (hf_download,)
