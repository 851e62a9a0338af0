"""Engines and load generators that tuners with this data folder run on this machine now."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from tuner.errors import ConflictError
from tuner.machine import processes
from tuner.protocols import Running

SAMPLE_S = 0.1
"""Over how long the use of processors is measured."""


class Note(BaseModel):
    """What `processes.session` writes down. An older tuner wrote less."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started: int
    task_id: str
    experiment: int = 0
    argv: tuple[str, ...] = ()
    url: str | None = None
    log: str | None = None
    gpus: str = ""

    @property
    def alive(self) -> bool:
        return processes.started(self.pid) == self.started


@dataclass(frozen=True)
class Usage:
    at: float
    cpu_s: float
    memory_gib: float


async def listed(registry: Path) -> list[Running]:
    """The oldest first."""
    notes = await asyncio.to_thread(_notes, registry)
    before = await asyncio.to_thread(_usages, list(notes.values()))
    if notes:
        await asyncio.sleep(SAMPLE_S)
    after = await asyncio.to_thread(_usages, list(notes.values()))
    found = [
        running
        for (entry, note), first, last in zip(notes.items(), before, after, strict=True)
        if (running := _running(entry, note, first, last)) is not None
    ]
    return sorted(found, key=lambda running: (running.started_at, running.pid))


def stop(registry: Path, running_id: str) -> bool:
    """False: nothing of that id runs.

    Raises:
        ConflictError: it is another user's.
    """
    note = _notes(registry).get(running_id)
    if note is None:
        return False
    try:
        processes.end(note.pid)
    except (PermissionError, psutil.AccessDenied) as error:
        raise ConflictError(f"{running_id} belongs to another user of this machine, who alone can stop it.") from error
    return True


def _notes(registry: Path) -> dict[str, Note]:
    """By id, those whose process lives."""
    notes = {}
    for entry in sorted(registry.glob("*.json")):
        try:
            notes[entry.stem] = Note.model_validate_json(entry.read_bytes())
        except (OSError, ValidationError):
            continue  # it ended just now, or is only beginning
    return {name: note for name, note in notes.items() if note.alive}


def _usages(notes: Sequence[Note]) -> list[Usage]:
    found = []
    for note in notes:
        cpu_s = memory = 0.0
        for process in processes.members(note.pid):
            try:
                with process.oneshot():
                    cpu_s += sum(process.cpu_times()[:2])
                    memory += process.memory_info().rss
            except psutil.Error:
                continue  # it has ended
        found.append(Usage(time.monotonic(), cpu_s, memory / 2**30))
    return found


def _running(entry: str, note: Note, before: Usage, after: Usage) -> Running | None:
    """None: it has ended meanwhile."""
    try:
        started_at = datetime.fromtimestamp(psutil.Process(note.pid).create_time(), UTC)
    except psutil.Error:
        return None
    engine = note.experiment >= 0
    return Running(
        id=entry,
        kind="engine" if engine else "benchmark",
        task_id=note.task_id,
        experiment=note.experiment if engine else None,
        pid=note.pid,
        started_at=started_at,
        url=note.url if engine else None,
        argv=note.argv,
        # A process that ended took its time with it.
        cpu_percent=round(max(0.0, after.cpu_s - before.cpu_s) / (after.at - before.at) * 100, 1),
        memory_gib=round(after.memory_gib, 3),
        gpus=tuple(filter(None, note.gpus.split(","))) if engine else (),
        log=note.log,
    )
