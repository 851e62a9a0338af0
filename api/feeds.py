"""Task events for many readers: one query serves all who follow the same task."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from tuner.domain import Event
from tuner.service import Tuner

BACKLOG = 200
"""Events that wait for a reader. One that is further behind reads them from the store when it comes to it."""
PAGE = 500


@dataclass(frozen=True)
class _End:
    error: BaseException | None


_Queue: TypeAlias = "asyncio.Queue[Event | _End]"


@dataclass
class _Feed:
    position: int
    """The last event that was told."""
    readers: set[_Queue] = field(default_factory=set)
    work: "asyncio.Task[None]" = field(init=False)

    def tell(self, item: Event | _End) -> None:
        if isinstance(item, Event):
            self.position = item.sequence
        for reader in self.readers:
            if reader.full():  # it will see the gap, and read the store
                while not reader.empty():
                    reader.get_nowait()
            reader.put_nowait(item)


@dataclass
class Feeds:
    """Followers of task events, one for each task. An async context manager: leaving it ends them."""

    tuner: Tuner
    _feeds: dict[str, _Feed] = field(default_factory=dict)
    _work: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> "Feeds":
        return self

    async def __aexit__(self, *_: object) -> None:
        for work in self._work:
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    @property
    def followed(self) -> int:
        """How many tasks are followed now."""
        return len(self._feeds)

    async def events(self, task_id: str, after: int, known: Sequence[Event] = ()) -> AsyncGenerator[Event, None]:
        """As `Tuner.follow`: from a sequence number on, none lost, none twice, until the task has ended.

        Args:
            known: the first ones after it, where they have been read already.
        """
        latest = known[-1].sequence if known else after
        with self._joined(task_id, latest) as (feed, queue):
            behind = feed.position > latest
            for event in known:
                yield event
            after = latest
            while True:
                if behind:
                    async for event in self._stored(task_id, after):
                        yield event
                        after = event.sequence
                item = await queue.get()
                if isinstance(item, _End):
                    break
                behind = item.sequence > after + 1
                if item.sequence == after + 1:
                    yield item
                    after = item.sequence
        if item.error is not None:
            raise item.error
        if after < feed.position:
            async for event in self._stored(task_id, after):
                yield event

    async def _stored(self, task_id: str, after: int) -> AsyncIterator[Event]:
        full = True
        while full:
            page = await self.tuner.events(task_id, after, PAGE)
            for event in page:
                yield event
                after = event.sequence
            full = len(page) == PAGE

    @contextmanager
    def _joined(self, task_id: str, after: int) -> Iterator[tuple[_Feed, _Queue]]:
        if (feed := self._feeds.get(task_id)) is None:
            feed = self._feeds[task_id] = _Feed(after)
            feed.work = asyncio.create_task(self._follow(task_id, feed))
            self._work.add(feed.work)
            feed.work.add_done_callback(lambda done: self._end(task_id, feed, done))
        queue: _Queue = asyncio.Queue(BACKLOG)
        feed.readers.add(queue)
        try:
            yield feed, queue
        finally:
            feed.readers.discard(queue)
            if not feed.readers and self._feeds.get(task_id) is feed:
                del self._feeds[task_id]
                feed.work.cancel()

    async def _follow(self, task_id: str, feed: _Feed) -> None:
        async for event in self.tuner.follow(task_id, feed.position):
            feed.tell(event)

    def _end(self, task_id: str, feed: _Feed, work: "asyncio.Task[None]") -> None:
        self._work.discard(work)
        if self._feeds.get(task_id) is feed:
            del self._feeds[task_id]
        feed.tell(_End(None if work.cancelled() else work.exception()))
