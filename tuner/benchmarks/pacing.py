"""When the clients of a closed loop start, and when a level ends. Pure, standard library only: load generators' own
interpreters run it too, by its path.

Clients that start together keep prefilling together: with answers of one length they stay locked in waves for good, so
percentiles are those of the burst and never of the steady state. So they start one after another over about one
end-to-end time, told by the progress of the very first request. The first `clients` requests are not measured, the next
`wanted` by order of sending are, and the load is kept up until the last of them is answered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

TAIL = 0.99
"""Once this share of the measured requests has its outcome, the rest is given as long as the longest answer took."""
PATIENCE = 3.0
"""A request that says nothing for this many times the longest answer counts as unanswered."""
LEAST_PATIENCE_S = 10.0


@dataclass(frozen=True)
class First:
    """How the first request of a level stands, for those that wait for their turn."""

    pieces: int
    """Of its answer so far."""
    wanted: int | None
    """Tokens it was told to write; None: nobody knows."""
    sent_at: float
    ended_at: float | None
    """None: under way."""


def clients_due(clients: int, first: First, now: float) -> int:
    """How many of the clients may have begun by now: the first at once, the others evenly over one answer.

    Where the first answer does not show its progress (it came in one piece, or its length is open), the rest starts
    evenly over as long as it took.
    """
    shown = min(1.0, first.pieces / first.wanted) if first.wanted else 0.0
    if first.ended_at is None:
        return 1 + math.floor((clients - 1) * shown)
    took = max(first.ended_at - first.sent_at, 1e-9)
    part = max(shown, (now - first.ended_at) / took)
    return 1 + math.floor((clients - 1) * min(1.0, part) + 1e-9)


@dataclass(frozen=True)
class Standing:
    """How a level stands, in one of a generator's processes or all of them."""

    settled: int
    """Measured requests that were answered or failed."""
    silent: int
    """Measured requests that have said nothing for longer than `patience`."""
    stuck: int
    """Clients whose request has said nothing for that long, measured or not."""
    longest_s: float
    """Of the answers so far; 0: there is none."""


def together(standings: Sequence[Standing]) -> Standing:
    return Standing(
        settled=sum(one.settled for one in standings),
        silent=sum(one.silent for one in standings),
        stuck=sum(one.stuck for one in standings),
        longest_s=max((one.longest_s for one in standings), default=0.0),
    )


def patience(longest_s: float, least_s: float = LEAST_PATIENCE_S) -> float:
    """Seconds of silence after which a request counts as unanswered; without any answer nobody can tell."""
    return max(least_s, PATIENCE * longest_s) if longest_s else math.inf


def ending(clients: int, wanted: int, standing: Standing, tail_s: float | None) -> str | None:
    """Why the level is over now, apart from its time limit; None: it goes on.

    Args:
        tail_s: seconds since `TAIL` of the measured requests had their outcome; None: they have not.
    """
    if standing.settled + standing.silent >= wanted:
        return "complete"
    if standing.stuck >= clients:
        return "stalled"
    if tail_s is not None and tail_s >= standing.longest_s:
        return "tail"
    return None


def in_tail(wanted: int, settled: int) -> bool:
    return settled >= math.ceil(TAIL * wanted)
