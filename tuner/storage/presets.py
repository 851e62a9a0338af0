"""The presets that people saved. Every method is one transaction."""

from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tuner.engines.presets import BUILT_IN
from tuner.errors import ConflictError, NotFoundError
from tuner.spec.presets import Preset
from tuner.spec.problems import nearest
from tuner.storage.database import Database, whole
from tuner.storage.schema import PRESET, printable
from tuner.storage.statements import now, serialized


class Presets:
    """Every method raises StorageError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def all(self) -> list[Preset]:
        """Those that were saved, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(PRESET).order_by(func.lower(PRESET.c.name), PRESET.c.name))
            return [_preset(row) for row in rows]

    @whole
    async def get(self, name: str) -> Preset:
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


def _preset(row: Row[Any]) -> Preset:
    return Preset.model_validate(row._asdict())


async def _missing(connection: AsyncConnection, name: str) -> NotFoundError:
    known = [*BUILT_IN, *(await connection.execute(select(PRESET.c.name).order_by(PRESET.c.name))).scalars()]
    return NotFoundError(f"No preset {name!r:.80}{nearest(name, known) or '; there are ' + ', '.join(known[:12])}.")
