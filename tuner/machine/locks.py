"""Locks that all tuners of this machine see, whatever their data folder; the kernel frees them with their holder."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "autotuner-locks"


def take(name: str) -> int | None:
    """A file descriptor that holds the lock until it is closed; None if somebody else holds it."""
    with suppress(FileExistsError):
        FOLDER.mkdir(mode=0o777)
        FOLDER.chmod(0o1777)  # the umask took bits away; other users lock here too
    path = FOLDER / f"{name}.lock"
    try:
        # Without O_CREAT where it exists: the kernel refuses that on another user's file in a shared folder.
        lock = os.open(path, os.O_RDONLY) if path.exists() else os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except PermissionError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
