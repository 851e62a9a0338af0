"""How late this machine wakes a process that sleeps: what no generator's times can be free of."""

import asyncio
import time
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

EVERY_S = 0.002
QUIET_P99_S = 0.001
TIMER_S = 0.0011
"""An event loop's timer is up to so late on a machine that does nothing else."""


@dataclass(frozen=True)
class Lateness:
    """Beyond what a timer always is, in seconds."""

    mean: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0

    @property
    def quiet(self) -> bool:
        return self.p99 < QUIET_P99_S

    def of(self, statistic: str) -> float:
        """What it can add to such a statistic. Far out few values count, and they are the latest ones."""
        return {"mean": self.mean, "p50": self.p50, "p90": self.p99}.get(statistic, self.worst)


@dataclass
class Metronome:
    _at: list[float] = field(default_factory=list)
    _late: list[float] = field(default_factory=list)

    async def tick(self) -> None:
        """Never returns."""
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._at.append(time.monotonic())
            self._late.append(max(0.0, self._at[-1] - due - TIMER_S))

    def since(self, begin: float) -> Lateness:
        late = self._late[bisect_left(self._at, begin) :]
        if not late:
            return Lateness()
        p50, p99 = np.percentile(late, [50, 99])
        return Lateness(float(np.mean(late)), float(p50), float(p99), max(late))
