"""What else stands in the tuner's tables: presets, and the workers that live. Every method is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tuner.database import Database, whole
from tuner.errors import ConflictError, NotFoundError
from tuner.presets import BUILT_IN, Preset
from tuner.problems import nearest
from tuner.schema import PRESET, WORKER, printable
from tuner.statements import now, serialized


@dataclass(frozen=True)
class Presence:
    """A worker that said it lives, and did not say that it ends."""

    owner: str
    """`processes.Identity.text`."""
    started_at: datetime
    seen_at: datetime


class Shelf:
    """Every method raises StorageError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def presets(self) -> list[Preset]:
        """Those that were saved, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(PRESET).order_by(func.lower(PRESET.c.name), PRESET.c.name))
            return [_preset(row) for row in rows]

    @whole
    async def preset(self, name: str) -> Preset:
        """A saved one, or a built-in one.

        Raises:
            NotFoundError: there is none of that name.
        """
        if name in BUILT_IN:
            return BUILT_IN[name]
        async with self._database.reading() as connection:
            row = (await connection.execute(select(PRESET).where(PRESET.c.name == printable(name)))).one_or_none()
            if row is None:
                raise await _missing(connection, name)
        return _preset(row)

    @whole
    async def save(self, preset: Preset, *, replace: bool) -> Preset:
        """Raises:
        ConflictError: there is one of that name, and it is not to be replaced.
        """
        values = {**preset.model_dump(mode="json", include={"description", "engine", "task"}), "updated_at": now()}
        async with self._database.writing() as connection:
            await serialized(connection, f"preset {preset.name}")
            this = PRESET.c.name == preset.name
            there = await connection.scalar(select(PRESET.c.name).where(this)) is not None
            if there and not replace:
                raise ConflictError(f"There is a preset {preset.name!r} already; replace it, or choose another name.")
            saving = update(PRESET).where(this) if there else insert(PRESET).values(name=preset.name)
            return _preset((await connection.execute(saving.values(values).returning(PRESET))).one())

    @whole
    async def delete(self, name: str) -> None:
        """Raises:
        NotFoundError: there is none of that name.
        """
        async with self._database.writing() as connection:
            this = delete(PRESET).where(PRESET.c.name == printable(name))
            if await connection.scalar(this.returning(PRESET.c.name)) is None:
                raise await _missing(connection, name)

    @whole
    async def workers(self) -> list[Presence]:
        """The oldest first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(WORKER).order_by(WORKER.c.started_at, WORKER.c.owner))
            return [Presence(**row._asdict()) for row in rows]

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


def _preset(row: Row[Any]) -> Preset:
    return Preset.model_validate(row._asdict())


async def _missing(connection: AsyncConnection, name: str) -> NotFoundError:
    known = [*BUILT_IN, *(await connection.execute(select(PRESET.c.name).order_by(PRESET.c.name))).scalars()]
    return NotFoundError(f"No preset {name!r:.80}{nearest(name, known) or '; there are ' + ', '.join(known[:12])}.")
