"""The target folder of a download: where it may lie, whether it fits, and its lock."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from tuner.engines.models.model_paths import DEMO
from tuner.errors import ConflictError, StorageError
from tuner.machine import locks
from tuner.spec.values import Frozen

KEPT_FREE_BYTES = 2**30
"""Of the disk: what else runs here writes logs and databases."""


class DownloadNote(Frozen):
    """The file in a downloaded folder that says what it holds; written before the first download."""

    repo: str
    revision: str
    """The commit."""
    finished: bool = False
    """All files came that were asked for last."""


def place(models: Path, folder: str) -> Path:
    """Where a folder's name leads.

    Raises:
        ConflictError: out of the folder of models, through a link, or onto a file.
    """
    target = models
    for part in PurePosixPath(folder).parts:
        target /= part
        if target.is_symlink():
            raise ConflictError(f"{target} is a link, and nothing is downloaded through one; choose another folder.")
        if target.exists() and not target.is_dir():
            raise ConflictError(f"{target} is a file; choose another folder, or move it away.")
    if ".." in target.parts or target == models or not target.resolve().is_relative_to(models.resolve()):
        raise ConflictError(f"The folder {folder!r} leads out of {models}; name one in it, such as org/model.")
    if target.relative_to(models).parts[0] == DEMO:
        raise ConflictError(f"The folder {DEMO!r} is kept for the demo model; choose another.")
    return target


def missing_bytes(target: Path, wanted: DownloadNote, files: Iterable[tuple[str, int]]) -> int:
    """How much of these files (name, size) is not there yet.

    Raises:
        ConflictError: something else is in the way, or a file's name leads out of the target.
    """
    if target.is_dir() and any(target.iterdir()):
        here = note(target)
        if here is None:
            raise ConflictError(
                f"{target} holds something that was not downloaded like this; choose another folder, or move it away."
            )
        if (here.repo, here.revision) != (wanted.repo, wanted.revision):
            raise ConflictError(
                f"{target} holds {here.repo} at {here.revision}, not {wanted.repo} at {wanted.revision}, and files of "
                "two would mix: choose another folder, delete that one, or ask for the revision that is there."
            )
    missing = 0
    for name, size in [(f"{NOTES}/x", 0), *files]:
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name or not name.isprintable():
            raise ConflictError(
                f"{wanted.repo} has a file named {name!r:.100}, which leads out of its folder: refused."
            )
        steps = [target.joinpath(*path.parts[:end]) for end in range(1, len(path.parts) + 1)]
        if link := next((step for step in steps if step.is_symlink()), None):
            raise ConflictError(f"{link} is a link, and nothing is written through one; remove it.")
        if not (steps[-1].is_file() and steps[-1].stat().st_size == size):
            missing += size
    return missing


NOTES = ".cache/huggingface"
"""Where Hugging Face's library writes down, in a target, what it has finished."""
_NOTE = ".cache/autotuner.json"


def note(target: Path) -> DownloadNote | None:
    """None where this is no folder that was downloaded here."""
    try:
        return DownloadNote.model_validate_json((target / _NOTE).read_text())
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def free_bytes(models: Path) -> int:
    """On the disk where the folder of models is, or will be."""
    return shutil.disk_usage(next(place for place in (models, *models.parents) if place.exists())).free


def shortage(models: Path, repo: str, bytes_: int) -> str | None:
    """Why this many more bytes do not fit; None where they do."""
    free = free_bytes(models)
    if bytes_ + KEPT_FREE_BYTES <= free:
        return None
    return (
        f"{repo} needs {amount(bytes_)} more, and the disk of {models} has {amount(free)} free, of which "
        f"{amount(KEPT_FREE_BYTES)} stay free: make room, take fewer files by patterns (allow *.safetensors and "
        "*.json), or set AUTOTUNER_HOME to a folder on a larger disk."
    )


@contextmanager
def claimed(target: Path, wanted: DownloadNote) -> Iterator[None]:
    """Makes the folder, for one download at a time; what it did not finish is swept away before and after.

    Raises:
        ConflictError: another download into it goes on.
        StorageError: it cannot be made.
    """
    lock = locks.take(f"download-{sha256(str(target.resolve()).encode()).hexdigest()[:16]}")
    if lock is None:
        raise ConflictError(f"Another download into {target} goes on; wait for its end, or choose another folder.")
    with open(lock, closefd=True):  # noqa: PTH123 - a descriptor, not a path
        try:
            (target / _NOTE).parent.mkdir(parents=True, exist_ok=True)
            (target / _NOTE).write_text(wanted.model_dump_json())
            _sweep(target)
            try:
                yield
                (target / _NOTE).write_text(wanted.model_copy(update={"finished": True}).model_dump_json())
            finally:
                _sweep(target)
                _leave_nothing(target)
        except OSError as error:
            raise StorageError(
                f"{target} cannot be written: {error.strerror}; make room or give it to this user, "
                "or set AUTOTUNER_HOME to another folder."
            ) from error


def _sweep(target: Path) -> None:
    """Deletes unfinished files: a download starts them anew, under other names."""
    for piece in (target / NOTES).rglob("*.incomplete"):
        piece.unlink(missing_ok=True)


def _leave_nothing(target: Path) -> None:
    """Removes a folder that no file has come into, which would look like a model."""
    if not any(path.is_file() for path in target.rglob("*") if ".cache" not in path.relative_to(target).parts):
        shutil.rmtree(target)
        with suppress(OSError):
            target.parent.rmdir()  # the owner's, where it was made for this


def folder_bytes(folder: Path) -> int:
    """Of all files in it; those that vanish meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size if path.is_file() else 0
    return total


def amount(bytes_: int) -> str:
    """1.52 GiB; small ones in MiB."""
    return f"{bytes_ / 2**30:,.2f} GiB" if bytes_ >= 2**30 / 10 else f"{bytes_ / 2**20:,.2f} MiB"
