"""Heartbeats of this process's runs, and the end of runs whose process sends none any more."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from agent.conversation.turns import Turn, TurnDependencies
from agent.domain import Run
from agent.storage.sessions import OwnedRun
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


class Heartbeats:
    """Writes the heartbeats of a process, and looks for runs of processes that are gone."""

    def __init__(
        self, deps: TurnDependencies, owner: str, turns: Callable[[], Iterable[Turn]], on_end: Callable[[], None]
    ) -> None:
        """
        Args:
            turns: that go on in this process.
            on_end: called when a run was ended here.
        """
        self._deps, self._owner, self._turns, self._on_end = deps, owner, turns, on_end

    async def run(self) -> None:
        """Until cancelled."""
        beats = 0
        while True:
            await asyncio.sleep(BEAT_S)
            beats += 1
            try:
                await self._send()
                if beats % LOOK_EVERY == 0:
                    await self.end_abandoned_runs()
            except TunerError as error:
                log.warning("The runs cannot be watched at the moment: %s", error)

    async def end_abandoned_runs(self) -> None:
        """Ends the runs whose process is gone."""
        for owned in await self._deps.store.running():
            if _dead(owned) and (last := await self._deps.store.take_over(owned, self._owner)) is not None:
                await self._end(owned.run, last)

    async def _end(self, run: Run, last: int) -> None:
        deps = self._deps
        log.info("Run %s of session %s is ended: its process is gone.", run.id, run.session_id)
        first, _ = await deps.stream.log.span(run.id)
        events, after = [], max(first - 1, 0)
        while page := await deps.stream.log.read(run.session_id, after):
            events += [event for event in page if event.run_id == run.id]
            after = page[-1].sequence
        thread = await deps.store.thread(run.session_id)
        await Turn(deps, run, thread, last + JUMP, None).end_abandoned(events)
        self._on_end()

    async def _send(self) -> None:
        turns = {turn.run.id: turn for turn in self._turns()}
        if turns:
            for run_id in await self._deps.store.heartbeat(list(turns)):
                await turns[run_id].stop("cancelled")


def _dead(run: OwnedRun) -> bool:
    alive = Identity.parse(run.owner).alive()
    return alive is False or (alive is None and now() - run.beat_at > timedelta(seconds=SILENT_S))
