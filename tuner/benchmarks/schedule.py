"""What an open loop, a closed loop of conversations or a trace sends, and when: decided before anything is sent. Pure.

The same seed gives the same requests at the same times, so that every configuration meets the same load.
"""

import itertools
import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuner.benchmarks.traces import TraceRequest
from tuner.domain import Level
from tuner.protocols import Workload

MOST_PLANNED = 200_000
"""Requests that a level may plan for; a schedule that runs out ends the load, not the level."""


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, and the answer that is asked for."""

    input_tokens: int | None
    """Of the new message alone; None: a prompt of the dataset."""
    output_tokens: int | None
    """None: as long as the model likes."""
    due_s: float | None = None
    """Seconds from the start of the load. In a later turn a gap after it is due as well: see `think_s`."""
    hash_ids: tuple[int, ...] = ()
    """Blocks of a trace: equal ids are equal text."""


@dataclass(frozen=True)
class Conversation:
    """Turns that follow one another; each sends what was said before along."""

    turns: tuple[Turn, ...]
    think_s: float = 0.0
    """Between an answer and the next message."""

    @property
    def line(self) -> str:
        """For the driver: one line of JSON."""
        turns = [(turn.input_tokens, turn.output_tokens, turn.due_s, turn.hash_ids) for turn in self.turns]
        return json.dumps({"turns": turns, "think_s": self.think_s})


def conversations(
    level: Level, workload: Workload, seed: int, wanted: int, trace: Sequence[TraceRequest] = ()
) -> list[Conversation]:
    """In the order in which they begin; more of them than will be sent, except of a trace with its times.

    Args:
        wanted: requests to measure.
        trace: for the scenario `trace`.
    """
    chance = random.Random(seed)  # noqa: S311
    most = _most(level, workload, wanted)
    if level.scenario == "trace":
        replay = replayed(trace[: workload.max_requests], level)
        return list(itertools.islice(itertools.cycle(replay), most)) if not level.open else replay
    sizes, due = lengths(level.scenario, chance), _due(level, workload, chance)
    return [
        Conversation(
            tuple(Turn(*size, due_s=begins) for size in itertools.islice(sizes, workload.turns)), workload.think_s
        )
        for begins in itertools.islice(due, math.ceil(most / workload.turns))
    ]


def arrivals(kind: str, rate: float, chance: random.Random) -> Iterator[float]:
    """Seconds from the start at which requests are due, for ever: `constant` gaps of 1/rate, or a `poisson` process."""
    due_s = 0.0
    while True:
        due_s += 1 / rate if kind == "constant" else chance.expovariate(rate)
        yield due_s


def lengths(scenario: str, chance: random.Random) -> Iterator[tuple[int | None, int | None]]:
    """Tokens in and out, for ever, as a scenario draws them: fixed, normal (at least 1), or uniform."""
    numbers = [int(number) for number in re.findall(r"\d+", scenario)]
    while True:
        match scenario[0], numbers:
            case "D", [size_in, size_out]:
                yield size_in, size_out
            case "N", [mean_in, spread_in, mean_out, spread_out]:
                yield _normal(chance, mean_in, spread_in), _normal(chance, mean_out, spread_out)
            case "U", [low_in, high_in, low_out, high_out]:
                yield chance.randint(low_in, high_in), chance.randint(low_out, high_out)
            case _:
                yield None, None


def replayed(trace: Sequence[TraceRequest], level: Level) -> list[Conversation]:
    """Every request of a trace, by session: at its own time, stretched to a mean rate, or in a closed loop without."""
    scale = 1.0 if level.rate is None else stretch(trace, level.rate)
    sessions: dict[str | int, list[Turn]] = {}
    for number, one in enumerate(trace):
        due_s = (one.timestamp - trace[0].timestamp) / 1000 * scale if level.open else None
        turn = Turn(one.input_length, one.output_length, due_s, one.hash_ids)
        sessions.setdefault(number if one.session_id is None else f"session {one.session_id}", []).append(turn)
    return [Conversation(tuple(turns)) for turns in sessions.values()]


def stretch(trace: Sequence[TraceRequest], rate: float) -> float:
    """By what the times of a trace are multiplied, so that it has this many requests per second on average."""
    span_s = (trace[-1].timestamp - trace[0].timestamp) / 1000
    return (len(trace) - 1) / rate / span_s if span_s > 0 else 1.0


def _due(level: Level, workload: Workload, chance: random.Random) -> Iterator[float | None]:
    """When conversations begin; a rate is one of requests."""
    if level.rate is None:
        return itertools.repeat(None)
    return arrivals(workload.arrival, level.rate / workload.turns, chance)


def _most(level: Level, workload: Workload, wanted: int) -> int:
    """More requests than the level needs: what is not measured at its beginning, what is, and what keeps the load up.

    An open loop is planned for its whole time, since nobody knows how long its last answers take.
    """
    if level.rate is not None:
        return min(MOST_PLANNED, math.ceil(level.rate * workload.max_time_s) + 1)
    return min(MOST_PLANNED, 4 * (wanted + level.concurrency * workload.turns))


def _normal(chance: random.Random, mean: int, spread: int) -> int:
    return max(1, round(chance.gauss(mean, spread)))
