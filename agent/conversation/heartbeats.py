"""Sees to it that no run hangs: shows that this process's runs live, and ends those of processes that do not."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from agent.conversation.turns import Desk, Turn
from agent.storage.sessions import Held
from tuner.errors import TunerError
from tuner.machine.processes import Identity
from tuner.storage.statements import now

log = logging.getLogger(__name__)

BEAT_S = 1.0
LOOK_EVERY = 5
"""Beats between two looks for dead processes."""
SILENT_S = 60.0
"""After which a run on another machine counts as dead."""
JUMP = 1_000_000
"""Sequence numbers left out after a crash: readers may have seen some that were not written yet."""


class Watchman:
    def __init__(self, desk: Desk, owner: str, turns: Callable[[], Iterable[Turn]], buried: Callable[[], None]) -> None:
        """
        Args:
            turns: that go on in this process.
            buried: called when a run was ended here.
        """
        self._desk, self._owner, self._turns, self._buried = desk, owner, turns, buried

    async def run(self) -> None:
        """Until cancelled."""
        beats = 0
        while True:
            await asyncio.sleep(BEAT_S)
            beats += 1
            try:
                await self._beat()
                if beats % LOOK_EVERY == 0:
                    await self.bury()
            except TunerError as error:
                log.warning("The runs cannot be watched at the moment: %s", error)

    async def bury(self) -> None:
        """Ends the runs whose process is gone."""
        for held in await self._desk.store.running():
            if _dead(held) and (last := await self._desk.store.take_over(held, self._owner)) is not None:
                await self._bury(held, last)

    async def _bury(self, held: Held, last: int) -> None:
        run, desk = held.run, self._desk
        log.info("Run %s of session %s is ended: its process is gone.", run.id, run.session_id)
        first, _ = await desk.live.journal.span(run.id)
        events, after = [], max(first - 1, 0)
        while page := await desk.live.journal.read(run.session_id, after):
            events += [event for event in page if event.run_id == run.id]
            after = page[-1].sequence
        thread = await desk.store.thread(run.session_id)
        await Turn(desk, run, thread, last + JUMP, None).bury(events)
        self._buried()

    async def _beat(self) -> None:
        turns = {turn.run.id: turn for turn in self._turns()}
        if turns:
            for run_id in await self._desk.store.beat(list(turns)):
                await turns[run_id].stop("cancelled")


def _dead(held: Held) -> bool:
    alive = Identity.parse(held.owner).alive()
    return alive is False or (alive is None and now() - held.beat_at > timedelta(seconds=SILENT_S))
