"""A model from the Hugging Face hub into the folder of models: what would be fetched, and fetching it."""

import asyncio
import errno
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]  # public, not marked so
from pydantic import BaseModel

from tools import hub_driver
from tools.hub_api import OFFLINE, Wanted, ask, refusal
from tools.hub_target import DownloadNote, claimed, missing_bytes, place, shortage
from tools.plain import plain
from tools.settings import ToolSettings
from tuner.errors import NotFoundError, StorageError, TunerError, UnavailableError
from tuner.machine import processes

LINE_BYTES = 2**20


class File(BaseModel):
    rfilename: str
    size: int | None = None


class Listing(BaseModel):
    """What the hub says of a model, as far as it matters here."""

    sha: str
    siblings: tuple[File, ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        return {file.rfilename: file.size or 0 for file in self.siblings}


@dataclass(frozen=True)
class Fetch:
    """One download, decided; nothing has been written yet."""

    note: DownloadNote
    """At a commit: what was looked at is what comes, whatever happens to the branch meanwhile."""
    target: Path
    files: tuple[tuple[str, int], ...]
    """Name and bytes of each."""
    missing_bytes: int
    """Of those that are not here yet."""

    @property
    def total_bytes(self) -> int:
        return sum(size for _, size in self.files)


async def decide(
    settings: ToolSettings, models: Path, wanted: Wanted, *, folder: str, allow: Sequence[str], ignore: Sequence[str]
) -> Fetch:
    """Asks the hub which files these are, and looks whether they may come here; not whether they fit.

    Raises:
        UnavailableError: see `hub_api.ask`.
        NotFoundError: no such model or revision, or no file that matches.
        ConflictError: the target is not free.
    """
    target = place(models, folder)
    listing = await ask(settings, model_path(wanted), {"blobs": "true"}, wanted, Listing)
    sizes = listing.sizes
    names = list(
        filter_repo_objects(sorted(sizes), allow_patterns=list(allow) or None, ignore_patterns=list(ignore) or None)
    )
    if not names:
        first = plain(", ".join(sorted(sizes)[:10]), 500) or "none"
        raise NotFoundError(
            f"No file of {wanted.repo} matches these patterns; it has {len(sizes)} files, the first: {first}."
        )
    note = DownloadNote(repo=wanted.repo, revision=listing.sha)
    files = tuple((name, sizes[name]) for name in names)
    return Fetch(note, target, files, await asyncio.to_thread(missing_bytes, target, note, files))


def model_path(wanted: Wanted) -> str:
    at = f"/revision/{quote(wanted.revision, safe='')}" if wanted.revision else ""
    return f"/api/models/{wanted.repo}{at}"


async def run(fetch: Fetch, settings: ToolSettings, models: Path, on_bytes: Callable[[int], None]) -> None:
    """Downloads it. What is finished stays, however this ends, and is not fetched again.

    Cancelled, nothing of it runs any more when this returns.

    Args:
        on_bytes: told how many are there, a few times a second.

    Raises:
        StorageError: it does not fit, or cannot be written.
        ConflictError: another download into the same folder goes on.
        UnavailableError, NotFoundError: as `decide`; gated models say so only now.
    """
    if settings.hf_offline:
        raise UnavailableError(OFFLINE)
    if problem := shortage(models, fetch.note.repo, fetch.missing_bytes):
        raise StorageError(problem)
    with claimed(fetch.target, fetch.note):
        outcome = await _drive(fetch, settings, on_bytes)
        if outcome is not None:
            raise _failure(outcome, fetch, settings)


def _failure(outcome: Mapping[str, Any], fetch: Fetch, settings: ToolSettings) -> TunerError:
    if outcome["errno"] in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"The disk of {fetch.target} is full; make room and try again: what is finished is kept.")
    return refusal(outcome, settings, Wanted(fetch.note.repo, fetch.note.revision))


async def _drive(fetch: Fetch, settings: ToolSettings, on_bytes: Callable[[int], None]) -> dict[str, Any] | None:
    """Runs the downloading process to its end: None, or its failure as `hub_driver.describe` writes it."""
    token = settings.hf_token
    job: hub_driver.Job = {
        "endpoint": settings.hf_endpoint,
        "token": token.get_secret_value() if token else None,
        "repo": fetch.note.repo,
        "revision": fetch.note.revision,
        "folder": str(fetch.target),
        "files": fetch.files,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        hub_driver.__file__,
        env=_environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LINE_BYTES,
        start_new_session=True,  # Ctrl-C in a terminal is for us, and we end it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said: deque[str] = deque(maxlen=3)
    try:
        with suppress(ConnectionError):  # it died at once: its output says why
            process.stdin.write(json.dumps(job).encode() + b"\n")
            await process.stdin.drain()
        async for raw in process.stdout:
            match _message(line := raw.decode(errors="replace").strip()):
                case {"done": int(done)}:
                    on_bytes(done)
                case {"failed": dict(failed)}:
                    return failed
                case {"finished": True}:
                    return None
                case _ if line:
                    said.append(line)
        code = await process.wait()
    finally:
        process.stdin.close()
        await processes.stop(process)
    why = plain(" ".join(said), 500, settings.secrets) or "it said nothing"
    raise UnavailableError(
        f"The download of {fetch.note.repo} ended by itself with code {code} ({why}); "
        "try again: what is finished is kept."
    )


def _message(line: str) -> object:
    """The library's own words, warnings for the most part, are no messages."""
    try:
        return json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None


def _environment(settings: ToolSettings) -> dict[str, str]:
    """Ours, for its proxies and certificates; where the hub is and who we are comes from the settings alone."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "HF_DEBUG", "AUTOTUNER_HF_TOKEN")
    }
    return {
        **kept,
        "HF_ENDPOINT": settings.hf_endpoint,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        # Else it asks the public hub, whatever the endpoint, how to recognize programs like this one, and tells it.
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
