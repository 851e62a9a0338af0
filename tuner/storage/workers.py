"""Worker heartbeats in the database. Every method is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from tuner.storage.database import Database, whole
from tuner.storage.schema import WORKER
from tuner.storage.statements import now, serialized


@dataclass(frozen=True)
class WorkerRow:
    """The last heartbeat of a worker that has not signed off."""

    owner: str
    """`processes.Identity.text`."""
    started_at: datetime
    seen_at: datetime


class Workers:
    """Every method raises StorageError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def all(self) -> list[WorkerRow]:
        """The oldest first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(WORKER).order_by(WORKER.c.started_at, WORKER.c.owner))
            return [WorkerRow(**row._asdict()) for row in rows]

    @whole
    async def seen(self, owner: str) -> None:
        """Writes down that a worker lives now."""
        async with self._database.writing() as connection:
            await serialized(connection, f"worker {owner}")
            known = update(WORKER).where(WORKER.c.owner == owner).values(seen_at=now()).returning(WORKER.c.owner)
            if await connection.scalar(known) is None:
                await connection.execute(insert(WORKER).values(owner=owner, started_at=now(), seen_at=now()))

    @whole
    async def forget(self, owners: Sequence[str]) -> None:
        """Removes workers that have ended."""
        async with self._database.writing() as connection:
            await connection.execute(delete(WORKER).where(WORKER.c.owner.in_(owners)))
