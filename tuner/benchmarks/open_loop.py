"""Whether an open loop was one: requests left when they were due, and the engine kept up with them. Pure.

Latencies of an open loop begin when a request was due, so that a generator that falls behind cannot hide it. One that
did fall behind has not sent the load that was asked for. And above the rate that an engine can serve there is no steady
state: the longer it is measured the slower it gets, so no statistic of such a level says anything.
"""

from bisect import bisect_right
from collections.abc import Sequence
from statistics import median

from tuner.benchmarks.requests import Level, Request
from tuner.benchmarks.window import Window

LATE_S, LATE_SHARE = 0.02, 0.05
"""A generator is behind whose requests leave, at the 95th percentile, later than this and than this share of the median
latency."""
KEPT_UP = 0.95
"""An engine that answered this share of what came has kept up."""
THIRD = 10
"""Requests in a third of that time; with fewer nothing is said of the backlog."""


def behind(level: Level, seen: Window) -> str | None:
    """Why the load that was sent is not the one that was asked for; None: it is, or it was a closed loop."""
    if level.unsent:
        return f"The load generator fell behind its schedule: {level.unsent} requests were due and never left."
    late = sorted(one.started_at - one.scheduled_at for one in _steady(seen) if one.scheduled_at is not None)
    if not late or not seen.answered:
        return None
    worst = late[int(0.95 * (len(late) - 1))]
    if worst <= max(LATE_S, LATE_SHARE * median(one.e2e_latency or 0.0 for one in seen.answered)):
        return None
    return (
        f"The load generator fell behind its schedule: requests left {worst * 1000:.0f} ms after they were due "
        "(95th percentile). Give it more processors, or less load."
    )


def growing(level: Level, seen: Window) -> str | None:
    """That the engine could not keep up; None: it could, or it was a closed loop or a trace.

    It could not where, all through the last third of the time, more requests were under way than ever in the first.
    A backlog that only swings comes back down; one that grows by the surplus of the rate does not.
    """
    due = [one.begun_at for one in _steady(seen) if one.scheduled_at is not None]
    if level.trace or len(due) < 3 * THIRD:
        return None
    backlog = _backlog(seen.every, due)
    size, spent_s = len(due) // 3, due[-1] - due[0]
    before, after = max(backlog[:size]), min(backlog[-size:])
    answered = sum(one.answered and due[0] < (one.finished_at or 0.0) <= due[-1] for one in seen.every)
    if after <= before or answered >= KEPT_UP * (len(due) - 1):
        return None
    came, kept = (len(due) - 1) / spent_s, answered / spent_s
    return (
        f"The engine cannot keep up with this rate: requests under way grew from at most {before} to at least {after} "
        f"while {len(due)} of them came; {came:.3g} came and {kept:.3g} were answered each second."
    )


def _steady(seen: Window) -> Sequence[Request]:
    """From the first measured request to the level's end."""
    return seen.every[len(seen.cold) :]


def _backlog(every: Sequence[Request], moments: Sequence[float]) -> list[int]:
    """Requests that were due and not yet over, at each moment."""
    due = sorted(one.begun_at for one in every)
    over = sorted(one.finished_at for one in every if one.finished_at is not None)
    return [bisect_right(due, moment) - bisect_right(over, moment) for moment in moments]
