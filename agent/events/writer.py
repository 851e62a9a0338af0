"""Numbers the events of one run, and buffers them until the database has them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from agent.domain import Run, RunState
from agent.events.log import Batch, joined, sequence_width
from agent.events.types import Payload, RunEvent, TextDelta, TextEnded, ToolCallArgs, ToolCallEnded
from tuner.errors import StorageError
from tuner.storage.statements import now

log = logging.getLogger(__name__)

CAPACITY = 64_000
"""Characters that may wait for the database."""


@dataclass
class EventWriter:
    """Events of one run. `emit` never waits; `wait_for_capacity` does, where the database is slow."""

    run: Run
    last: int
    """The sequence that its session's log has reached."""
    publish: Callable[[Sequence[RunEvent]], None]
    flush: Callable[[], Awaitable[None]]
    wake: Callable[[], None]
    """Something waits to be flushed."""
    done: bool = False
    """All is written."""
    gone: bool = False
    """Its session is deleted."""
    _waiting: list[RunEvent] = field(default_factory=list)
    _taken: list[RunEvent] = field(default_factory=list)
    _deltas: dict[str, list[RunEvent]] = field(default_factory=dict)
    """Rows of messages and calls that have not ended, to be joined when they do."""
    _rows: list[RunEvent] = field(default_factory=list)
    _closed: list[str] = field(default_factory=list)
    """What was taken, as rows, and the messages and calls that end with them."""
    _size: int = 0
    """Characters that wait, about."""
    _end: RunState | None = None

    @property
    def unwritten(self) -> list[RunEvent]:
        return [*self._taken, *self._waiting]

    def emit(self, *payloads: Payload) -> None:
        self.publish(self._add(payloads))

    async def wait_for_capacity(self) -> None:
        """Waits while too much waits for the database.

        Raises:
            StorageError: it cannot be written.
        """
        while not self.gone and self._size > CAPACITY:
            await self.flush()

    async def end(self, payload: Payload, state: RunState) -> None:
        """Writes the last event. Readers see it when it and the run's end are in the database, so that whoever has
        seen it can begin the next run; or else at once, and it is written as soon as that can be.
        """
        events = self._add([payload])
        self._end = state
        try:
            await self.flush()
        except StorageError as error:
            log.error("The end of run %s could not be written, and waits: %s", self.run.id, error)
        self.publish(events)

    def _add(self, payloads: Sequence[Payload]) -> list[RunEvent]:
        events = []
        for payload in payloads:
            self.last += (size := sequence_width(payload))
            self._size += size
            event = RunEvent(
                session_id=self.run.session_id, run_id=self.run.id, sequence=self.last, at=now(), payload=payload
            )
            events.append(event)
        self._waiting += events
        self.wake()
        return events

    def take(self) -> Batch | None:
        """The events that wait, as rows. Until `settle` it counts as not written."""
        self._taken += self._waiting
        self._waiting, self._size = [], 0
        if self.gone or not self._taken:
            return None
        ended = [done for event in self._taken if (done := _ended(event.payload)) is not None]
        earlier = [row for key in ended for row in self._deltas.get(key, ())]
        rows = joined(sorted([*earlier, *self._taken], key=lambda event: event.sequence))
        self._rows, self._closed = rows, ended
        end = (self.run.id, self._end) if self._end is not None else None
        return Batch(self.run.session_id, rows, [row.sequence for row in earlier], end)

    def settle(self) -> None:
        """The batch that was taken is written. Until this is called it waits for the next attempt."""
        for key in self._closed:
            self._deltas.pop(key, None)
        for row in self._rows:
            growing = _delta(row.payload)
            if growing is not None and growing not in self._closed:
                self._deltas.setdefault(growing, []).append(row)
        self._taken = []
        self.done = self._end is not None and not self._waiting

    def drop(self) -> None:
        """Discards the events: the session is deleted."""
        self.gone = self.done = True
        self._taken, self._waiting = [], []


def _ended(payload: Payload) -> str | None:
    match payload:
        case TextEnded(message_id=key) | ToolCallEnded(call_id=key):
            return key
        case _:
            return None


def _delta(payload: Payload) -> str | None:
    match payload:
        case TextDelta(message_id=key) | ToolCallArgs(call_id=key):
            return key
        case _:
            return None
