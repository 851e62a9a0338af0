"""Locks between processes, on files; the kernel frees them with their holder."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "autotuner-locks"
"""For what all tuners of this machine share, whatever their data folder."""


def take(name: str) -> int | None:
    """A file descriptor that holds a lock of this machine until it is closed; None if somebody else holds it."""
    with suppress(FileExistsError):
        FOLDER.mkdir(mode=0o777)
        FOLDER.chmod(0o1777)  # the umask took bits away; other users lock here too
    path = FOLDER / f"{name}.lock"
    try:
        # Without O_CREAT where it exists: the kernel refuses that on another user's file in a shared folder.
        lock = os.open(path, os.O_RDONLY) if path.exists() else os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except PermissionError:
        return None
    if _locked(lock):
        return lock
    os.close(lock)
    return None


@contextmanager
def wait_for(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Holds the lock of a file, which is made where it is missing; `on_wait` is called where somebody else has it.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("w") as file:
        if not _locked(file.fileno()):
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
