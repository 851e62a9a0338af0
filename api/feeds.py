"""What happens in tasks, for many readers: the store is asked once for all who follow the same task."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
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
    work: "asyncio.Task[None]"
    readers: set[_Queue] = field(default_factory=set)

    def tell(self, item: Event | _End) -> None:
        for reader in self.readers:
            if reader.full():  # it will see the gap, and read the store
                while not reader.empty():
                    reader.get_nowait()
            reader.put_nowait(item)


@dataclass
class Feeds:
    """Use it by `async with`: leaving it ends every follower."""

    tuner: Tuner
    _feeds: dict[str, _Feed] = field(default_factory=dict)
    _ending: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> "Feeds":
        return self

    async def __aexit__(self, *_: object) -> None:
        for feed in list(self._feeds.values()):
            feed.work.cancel()
        await asyncio.gather(*self._ending, *(feed.work for feed in self._feeds.values()), return_exceptions=True)

    @property
    def followed(self) -> int:
        """Tasks that somebody reads now."""
        return len(self._feeds)

    async def events(self, task_id: str, after: int) -> AsyncGenerator[Event, None]:
        """As `Tuner.follow`: from a sequence number on, none lost, none twice, until the task has ended."""
        async for event in self._stored(task_id, after):
            yield event
            after = event.sequence
        async with self._joined(task_id, after) as queue:
            behind = True  # the feed may have been further than we were
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
        async for event in self._stored(task_id, after):
            yield event

    async def _stored(self, task_id: str, after: int) -> AsyncIterator[Event]:
        while page := await self.tuner.store.events(task_id, after, PAGE):
            for event in page:
                yield event
            after = page[-1].sequence

    @asynccontextmanager
    async def _joined(self, task_id: str, after: int) -> AsyncIterator[_Queue]:
        feed = self._feeds.get(task_id)
        if feed is None:
            feed = _Feed(asyncio.create_task(self._follow(task_id, after)))
            self._feeds[task_id] = feed
            feed.work.add_done_callback(lambda work: self._end(task_id, work))
        queue: _Queue = asyncio.Queue(BACKLOG)
        feed.readers.add(queue)
        try:
            yield queue
        finally:
            feed.readers.discard(queue)
            if not feed.readers and not feed.work.done():
                self._feeds.pop(task_id, None)
                self._ending.add(feed.work)
                feed.work.cancel()

    async def _follow(self, task_id: str, after: int) -> None:
        async for event in self.tuner.follow(task_id, after):
            self._feeds[task_id].tell(event)

    def _end(self, task_id: str, work: "asyncio.Task[None]") -> None:
        self._ending.discard(work)
        feed = self._feeds.get(task_id)
        if feed is not None and feed.work is work:
            del self._feeds[task_id]
            feed.tell(_End(None if work.cancelled() else work.exception()))
