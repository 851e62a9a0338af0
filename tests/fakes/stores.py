"""A store on a bad disk, and owners that are not this process."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from tuner.domain import Event, Task
from tuner.errors import StorageError
from tuner.machine import processes
from tuner.machine.processes import Identity
from tuner.spec.task import TaskSpec
from tuner.storage.store import Lease, Store


class BadDisk(Store):
    """Writes of a running task fail where `fails(method, how many writes were tried before)` says so."""

    fails: Callable[[str, int], bool] = staticmethod(lambda method, before: False)
    tried: int = 0

    async def record(self, *args: Any, **kwargs: Any) -> list[Event]:
        self._write("record")
        return await super().record(*args, **kwargs)

    async def finish(self, *args: Any, **kwargs: Any) -> Task:
        self._write("finish")
        return await super().finish(*args, **kwargs)

    async def beat(self, lease: Lease) -> bool:
        if self.fails("beat", self.tried):
            raise StorageError("The database has no space left on its disk; free some.")
        return await super().beat(lease)

    def _write(self, method: str) -> None:
        before, self.tried = self.tried, self.tried + 1
        if self.fails(method, before):
            raise StorageError("The database has no space left on its disk; free some.")


async def begun(store: Store, made: TaskSpec) -> Lease:
    """A task that this process has just taken."""
    task = await store.queue((await store.add(made)).id)
    lease = await store.claim(task.id, Identity.current().text)
    assert lease is not None
    return lease


async def taken_over(store: Store, lease: Lease) -> Lease:
    """By the worker that comes after one that died."""
    heir = await store.claim(lease.task_id, lease.owner, replacing=lease.token)
    assert heir is not None
    return heir


@cache
def dead_owner() -> str:
    """A process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        begun = processes.started(process.pid)
    assert begun is not None
    return replace(Identity.current(), pid=process.pid, started=begun).text


def live_owner() -> str:
    """Another process of this machine that lives."""
    begun = processes.started(os.getppid())
    assert begun is not None
    return replace(Identity.current(), pid=os.getppid(), started=begun).text


REMOTE = "elsewhere/0000/1/1"
"""A process of another machine: nobody here knows whether it lives."""
