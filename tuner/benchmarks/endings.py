"""When a level ends that is told of its requests step by step. Standard library only: load generators' own interpreters
run it, by its path. The rules are those of `pacing`."""

import time
from dataclasses import dataclass, field

from tuner.benchmarks import pacing


@dataclass
class Until:
    """The first requests are not measured, the next `wanted` are, by order of sending. The load is kept up until the
    last of them has its outcome."""

    wanted: int
    time_s: float
    patience_s: float
    unmeasured: int | None
    """None: those of an open loop that left before the first outcome was known, and a tenth of `wanted` at least."""
    began_at: float = field(default_factory=time.monotonic)
    why: str = ""
    """Why it ended (`requests.Ending`); empty: it goes on."""
    ended_at: float = 0.0
    last_sign_at: float = 0.0
    """When the engine last sent anything."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Requests that left, by order of sending."""
    under_way: dict[str, float] = field(default_factory=dict)
    longest_s: float = 0.0
    """Of the answers."""
    _settled: list[int] = field(default_factory=list)
    _tail_since: float | None = None

    @property
    def passed_s(self) -> float:
        """Since the load began, or until it ended."""
        return (self.ended_at or time.monotonic()) - self.began_at

    def left(self, request: str, now: float) -> None:
        """A request was sent."""
        self.numbers.setdefault(request, len(self.numbers))
        self.under_way[request] = now

    def settled(self, request: str, now: float, *, answered: bool) -> None:
        """A request was answered, failed, or will never be sent: its conversation broke off."""
        number = self.numbers.setdefault(request, len(self.numbers))
        began = self.under_way.pop(request, now)
        if answered:
            self.longest_s = max(self.longest_s, now - began)
        if self.unmeasured is None:
            self.unmeasured = max(len(self.numbers), self.wanted // 10)
        self._settled.append(number)

    def look(self, now: float) -> bool:
        """Whether the level is over; it is asked again and again."""
        if not self.why and (why := self._ending(now)):
            self.why, self.ended_at = why, now
        return bool(self.why)

    def _ending(self, now: float) -> str | None:
        if now - self.began_at >= self.time_s:
            return "time"
        if self.unmeasured is None:
            return None
        measured = sum(0 <= number - self.unmeasured < self.wanted for number in self._settled)
        # Requests of an open loop that are not due yet are not slow.
        all_left = len(self.numbers) >= self.unmeasured + self.wanted
        if self._tail_since is None and all_left and pacing.in_tail(self.wanted, measured):
            self._tail_since = now
        quiet_s = pacing.patience(self.longest_s, self.patience_s)
        oldest = min(self.under_way.values(), default=now)
        stuck = bool(self.under_way) and now - max(self.last_sign_at, oldest) > quiet_s
        standing = pacing.Standing(settled=measured, silent=0, stuck=int(stuck), longest_s=self.longest_s)
        return pacing.ending(1, self.wanted, standing, None if self._tail_since is None else now - self._tail_since)
