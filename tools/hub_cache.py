"""Models on this machine: in the folder of models, and in the cache of Hugging Face's library."""

import asyncio
from datetime import datetime
from pathlib import Path

from huggingface_hub import scan_cache_dir
from huggingface_hub.errors import CacheNotFound

from tools.answers import shown
from tools.context import Runtime
from tools.hub_target import amount, folder_bytes, free_bytes, note
from tools.tool import tool
from tuner.spec.values import Frozen

FOLDERS = 50
"""That are listed."""


class CachedModel(Frozen):
    id: str
    kind: str
    size: str
    commits: tuple[str, ...]
    last_used: datetime


class ModelFolder(Frozen):
    name: str
    """A task names the model like this."""
    size: str
    downloaded_from: str | None = None
    """Model and commit, where hf_download brought it."""
    unfinished: bool | None = None
    """Its download broke off; the same hf_download goes on with it."""


class CacheAnswer(Frozen):
    models_folder: str
    free: str
    folders_shown: str
    folders: tuple[ModelFolder, ...]
    cache_shown: str
    cache: tuple[CachedModel, ...]
    """Of Hugging Face's own library: engines find these by their id, the largest first."""
    damaged: int = 0
    """Entries of the cache that cannot be read."""


@tool
async def hf_cache_scan(runtime: Runtime) -> CacheAnswer:
    """Models that are on this machine: in the folder of models, and in the cache of Hugging Face's library. Free.

    Use it before a download, and to find what a task can name without one. Also says how much room is left.
    """
    settings, models = runtime.context.settings, runtime.context.tuner.settings.models
    return await asyncio.to_thread(_scan, models, settings.hf_cache)


def _scan(models: Path, cache: Path | None) -> CacheAnswer:
    folders = sorted(_folders(models))
    try:
        found = scan_cache_dir(cache)
        repos, damaged = sorted(found.repos, key=lambda repo: -repo.size_on_disk), len(found.warnings)
    except CacheNotFound:
        repos, damaged = [], 0
    return CacheAnswer(
        models_folder=str(models),
        free=amount(free_bytes(models)),
        folders_shown=shown(min(FOLDERS, len(folders)), len(folders)),
        folders=tuple(_folder(models, folder) for folder in folders[:FOLDERS]),
        cache_shown=shown(min(FOLDERS, len(repos)), len(repos)),
        cache=tuple(
            CachedModel(
                id=repo.repo_id,
                kind=repo.repo_type,
                size=amount(repo.size_on_disk),
                commits=tuple(sorted(one.commit_hash for one in repo.revisions))[:5],
                last_used=datetime.fromtimestamp(int(repo.last_accessed)).astimezone(),
            )
            for repo in repos[:FOLDERS]
        ),
        damaged=damaged,
    )


def _folders(models: Path) -> list[Path]:
    """Those that hold a model: it has a configuration, weights in one file, or a note of ours."""
    if not models.is_dir():
        return []
    near = [path for path in (*models.glob("*/"), *models.glob("*/*/")) if path.is_dir()]
    return [path for path in near if (path / "config.json").is_file() or any(path.glob("*.gguf")) or note(path)]


def _folder(models: Path, folder: Path) -> ModelFolder:
    here = note(folder)
    return ModelFolder(
        name=folder.relative_to(models).as_posix(),
        size=amount(folder_bytes(folder)),
        downloaded_from=f"{here.repo} at {here.revision}" if here else None,
        unfinished=True if here and not here.finished else None,
    )


READ = (hf_cache_scan,)
