"""The log of events as it grows: written to readers at once, to the database in batches."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress

from agent.domain import Run
from agent.events.log import Batch, EventLog, sequence_width, unread_part
from agent.events.types import Payload, RunEvent
from agent.events.writer import EventWriter
from tuner.errors import StorageError
from tuner.storage.database import whole

log = logging.getLogger(__name__)

FLUSH_S = 0.05
RETRY_S = 1.0
"""After the database could not be written."""
POLL_S = 0.5
"""How often to look for what other processes write."""
BACKLOG = 1000
"""Events that wait for a reader; with more it reads on from the log."""


class EventStream:
    """The writers and readers of events in this process. `run` must go on meanwhile."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._writers: dict[str, EventWriter] = {}
        self._readers: defaultdict[str, set[_Subscriber]] = defaultdict(set)
        self._dirty, self._writing = asyncio.Event(), asyncio.Lock()

    async def run(self) -> None:
        """Writes and polls until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_flushing())
            group.create_task(self._keep_polling())

    def writer(self, run: Run, last: int) -> EventWriter:
        """The writer of the one run that goes on in a session.

        Args:
            last: the sequence after which it goes on.
        """
        return self._writers.setdefault(
            run.session_id, EventWriter(run, last, self._publish, self.flush, self._dirty.set)
        )

    async def append(self, session_id: str, run_id: str, payloads: Sequence[Payload]) -> None:
        """For what happens while no run goes on."""
        if payloads:
            self._publish(await self.log.append(session_id, run_id, payloads))

    def close(self) -> None:
        """Ends all readers."""
        for session_id in list(self._readers):
            self.close_readers(session_id)

    async def follow(self, session_id: str, after: int, *, go_on: bool = True) -> AsyncGenerator[RunEvent, None]:
        """Events beyond `after`, in order, none lost, none twice, until the session is deleted.

        Args:
            go_on: with what comes later; else it ends with the log.
        """
        with self._reading(session_id) as reader:
            while not reader.closed:
                waiting = self._unwritten(session_id)
                reader.refill(waiting)
                complete = bool(waiting) and waiting[0].sequence - sequence_width(waiting[0].payload) <= after
                while not complete and (page := await self.log.read(session_id, after)):
                    for event in page:
                        if (new := unread_part(event, after)) is not None:
                            yield new
                            after = reader.after = new.sequence
                async for event in reader.queued(wait=go_on):
                    if (new := unread_part(event, after)) is not None:
                        yield new
                        after = reader.after = new.sequence
                if not go_on and not reader.behind:
                    return

    def close_readers(self, session_id: str) -> None:
        """The session is gone: its readers end."""
        for reader in self._readers.get(session_id, ()):
            reader.close()

    @whole
    async def flush(self) -> None:
        """Writes everything that waits.

        Raises:
            StorageError: some of it could not be written; it waits on.
        """
        async with self._writing:
            self._dirty.clear()
            taken = [(writer, batch) for writer in self._writers.values() if (batch := writer.take()) is not None]
            if not taken:
                return
            try:
                await self.log.write([batch for _, batch in taken])
                failed: StorageError | None = None
                for writer, _ in taken:
                    writer.settle()
            except StorageError as error:
                failed = await self._flush_one_by_one(taken, error)
            self._writers = {key: writer for key, writer in self._writers.items() if not writer.done}
        if failed is not None:
            raise failed

    async def _flush_one_by_one(
        self, taken: Sequence[tuple[EventWriter, Batch]], error: StorageError
    ) -> StorageError | None:
        """What one session cannot take must not keep the others waiting."""
        failed: StorageError | None = None
        there = None
        with suppress(StorageError):
            there = await self.log.last_sequences([batch.session_id for _, batch in taken])
        for writer, batch in taken:
            if there is not None and batch.session_id not in there:
                writer.drop()
                continue
            if there is None or len(taken) == 1:
                failed = error
            else:
                try:
                    await self.log.write([batch])
                    writer.settle()
                except StorageError as own:
                    failed = own
        return failed

    async def _keep_flushing(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except StorageError as error:
                log.error("Events could not be written, and wait: %s", error)
                await asyncio.sleep(RETRY_S)
                self._dirty.set()

    async def _keep_polling(self) -> None:
        """For readers of sessions in which another process may write. One query serves them all."""
        while True:
            await asyncio.sleep(POLL_S)
            idle = [key for key, readers in self._readers.items() if readers and key not in self._writers]
            if not idle:
                continue
            try:
                last_sequences = await self.log.last_sequences(idle)
            except StorageError as error:
                log.warning("The log could not be read; the next look is in %s s: %s", POLL_S, error)
                continue
            for session_id in idle:
                for reader in self._readers.get(session_id, ()):
                    reader.check_end(last_sequences.get(session_id))

    @contextmanager
    def _reading(self, session_id: str) -> Iterator["_Subscriber"]:
        reader = _Subscriber()
        self._readers[session_id].add(reader)
        try:
            yield reader
        finally:
            self._readers[session_id].discard(reader)
            if not self._readers[session_id]:
                del self._readers[session_id]

    def _unwritten(self, session_id: str) -> Sequence[RunEvent]:
        writer = self._writers.get(session_id)
        return writer.unwritten if writer is not None else ()

    def _publish(self, events: Sequence[RunEvent]) -> None:
        for event in events:
            for reader in self._readers.get(event.session_id, ()):
                reader.push(event)


class _Subscriber:
    def __init__(self) -> None:
        self.after, self.behind, self.closed = 0, False, False
        self._queue: deque[RunEvent] = deque()
        self._news = asyncio.Event()

    def refill(self, events: Sequence[RunEvent]) -> None:
        self._queue = deque(events)
        self.behind = False

    def push(self, event: RunEvent) -> None:
        if len(self._queue) >= BACKLOG:
            self.behind = True
        else:
            self._queue.append(event)
        self._news.set()

    def check_end(self, head: int | None) -> None:
        """Compares what was read with the end of the log. None: the session is gone."""
        if head is None:
            self.close()
        elif head > self.after:
            self.behind = True
            self._news.set()

    def close(self) -> None:
        self.closed = True
        self._news.set()

    async def queued(self, *, wait: bool) -> AsyncIterator[RunEvent]:
        """Events as they are pushed, until the log has more than the queue."""
        while True:
            while self._queue and not self.behind:
                yield self._queue.popleft()
            if self.behind or self.closed or not wait:
                return
            self._news.clear()
            await self._news.wait()
