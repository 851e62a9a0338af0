"""Worker heartbeats: workers write them down, and others see who is alive."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from tuner.errors import StorageError
from tuner.machine.processes import Identity
from tuner.spec.values import Frozen
from tuner.storage.store import Store

log = logging.getLogger(__name__)

SEEN_EVERY_S = 10.0
FORGOTTEN_AFTER = timedelta(days=1)
"""Of a worker on another machine, where nobody here can see whether it lives."""


class WorkerInfo(Frozen):
    host: str
    pid: int
    alive: bool | None
    """None: it runs on another machine, so only `seen_at` tells."""
    task_id: str | None = None
    """What it runs; None: it waits for a task."""
    started_at: datetime | None = None
    seen_at: datetime | None = None
    """When it last said that it lives; None: it never did, and only holds a task."""


@asynccontextmanager
async def registered(store: Store, owner: str) -> AsyncIterator[None]:
    """Writes heartbeats of this worker until the context is left; removes workers that are dead."""
    await _sign_on(store, owner)
    beating = asyncio.create_task(_beat(store, owner))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        try:
            await store.workers.forget([owner])
        except StorageError as error:
            log.warning("%s", error)


async def workers(store: Store) -> list[WorkerInfo]:
    """Living workers, those that died lately, and other holders of tasks."""
    said = {row.owner: row for row in await store.workers.all()}
    tasks = {held.owner: held.task_id for held in await store.owned()}
    found = []
    for owner in {**said, **tasks}:
        identity, row = Identity.parse(owner), said.get(owner)
        found.append(
            WorkerInfo(
                host=identity.host,
                pid=identity.pid,
                alive=identity.alive(),
                task_id=tasks.get(owner),
                started_at=row.started_at if row else None,
                seen_at=row.seen_at if row else None,
            )
        )
    return found


async def _sign_on(store: Store, owner: str) -> None:
    try:
        await store.workers.seen(owner)
        limit = datetime.now(UTC) - FORGOTTEN_AFTER
        gone = [
            other.owner
            for other in await store.workers.all()
            if (alive := Identity.parse(other.owner).alive()) is False or (alive is None and other.seen_at < limit)
        ]
        if gone:
            await store.workers.forget(gone)
    except StorageError as error:
        log.warning("%s", error)  # work goes on: this is only for those who look


async def _beat(store: Store, owner: str) -> None:
    while True:
        await asyncio.sleep(SEEN_EVERY_S)
        try:
            await store.workers.seen(owner)
        except StorageError as error:
            log.warning("%s", error)
