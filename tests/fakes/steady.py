"""A closed loop against the simulated engine's law, without a clock: what a level would record, and what is true."""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from tuner.benchmarks import pacing
from tuner.benchmarks.requests import Ending, Level, Request
from tuner.benchmarks.statistics import summarize
from tuner.domain import LoadPoint
from tuner.engines.simulated.law import Configuration
from tuner.engines.simulated.scheduler import Generation, Scheduler

ENGINES = {
    "balanced": Configuration(kv_cache_gib=8),
    "prompts held up": Configuration(kv_cache_gib=8, max_num_batched_tokens=256, attention_backend="b"),
    "few slots": Configuration(kv_cache_gib=8, max_num_seqs=16),
}
"""One that takes prompts whole, one that takes them in parts, one where clients wait for a place. Memory holds all that
they run."""
Lengths = Callable[[Random], tuple[int, int]]
LENGTHS: dict[str, Lengths] = {
    "fixed": lambda random: (200, 100),
    "log-normal": lambda random: (
        max(1, min(1500, round(random.lognormvariate(math.log(150), 0.8)))),
        max(2, min(512, round(random.lognormvariate(math.log(48), 0.7)))),
    ),
}
TURNAROUND_S = 0.002
"""From an answer's last token to its client's next request."""
LEAD_IN, TRUTH_FOR_EACH, TRUTH = 10, 60, 6000
"""Answers of each client to get there, and from which the truth is then taken, `TRUTH` in all at least."""


@dataclass
class Loop:
    """`clients` that send their next request when the last has been answered; steps are the engine's."""

    configuration: Configuration
    lengths: Lengths
    clients: int
    wanted: int
    seed: int
    together: bool = False
    """All clients start at once."""
    clock: float = 0.0
    sent: list[tuple[Generation, float, list[float]]] = field(default_factory=list)
    """Each request, when it was sent, and when its tokens came."""
    first_ended_at: float | None = None
    _started: int = 0
    _due: list[tuple[float, int]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def run(self) -> tuple[Level, list[Request]]:
        random, scheduler = Random(self.seed), Scheduler(self.configuration)
        tokens: dict[Generation, list[float]] = {}
        settled, longest, tail_since = 0, 0.0, None
        while True:
            self._start()
            while self._due and self._due[0][0] <= self.clock:
                at, _ = heapq.heappop(self._due)
                request = Generation(*self.lengths(random))
                tokens[request] = []
                self.sent.append((request, at, tokens[request]))
                scheduler.add(request)
            step = scheduler.step()
            if step is None:
                self.clock = self._due[0][0]
                continue
            self.clock += step.duration_s
            for request in step.yielded:
                tokens[request].append(self.clock)
                if request.finished:
                    heapq.heappush(self._due, (self.clock + TURNAROUND_S, next(self._number)))
                    number = next(n for n, one in self._recent() if one is request)
                    self.first_ended_at = self.clock if number == 0 else self.first_ended_at
                    longest = max(longest, self.clock - self.sent[number][1])
                    settled += self.clients <= number < self.clients + self.wanted
            if tail_since is None and pacing.in_tail(self.wanted, settled):
                tail_since = self.clock
            tail_s = None if tail_since is None else self.clock - tail_since
            why = pacing.ending(self.clients, self.wanted, pacing.Standing(settled, 0, 0, longest), tail_s)
            if why is not None:
                return self._recorded("complete" if why == "complete" else "tail")

    def _start(self) -> None:
        due = 1
        if self.together:
            due = self.clients
        elif self.sent:
            request, at, tokens = self.sent[0]
            first = pacing.First(len(tokens), request.max_tokens, at, self.first_ended_at)
            due = pacing.clients_due(self.clients, first, self.clock)
        for _ in range(self._started, due):
            heapq.heappush(self._due, (self.clock, next(self._number)))
        self._started = max(self._started, due)

    def _recent(self) -> Iterator[tuple[int, Generation]]:
        return ((number, self.sent[number][0]) for number in range(len(self.sent) - 1, -1, -1))

    def _recorded(self, ending: Ending) -> tuple[Level, list[Request]]:
        level = Level("simulation", self.clock, ending, self.clients, self.wanted)
        return level, [_request(one, at, tokens) for one, at, tokens in self.sent]


def _request(one: Generation, at: float, tokens: list[float]) -> Request:
    return Request(
        started_at=at,
        first_token_at=tokens[0] if tokens else None,
        finished_at=tokens[-1] if one.finished else None,
        input_tokens=one.prompt_tokens,
        output_tokens=one.produced if one.finished else 0,
        wanted_tokens=one.max_tokens,
        chunk_at=tuple(tokens),
    )


def measured(configuration: Configuration, lengths: Lengths, clients: int, wanted: int, seed: int = 1) -> LoadPoint:
    """As a level is measured."""
    level, requests = Loop(configuration, lengths, clients, wanted, seed).run()
    return summarize("D(1,1)", clients, level, requests, ())


def truth(configuration: Configuration, lengths: Lengths, clients: int, seed: int = 2) -> LoadPoint:
    """The steady state itself: a very long level, its first part left out."""
    lead, wanted = LEAD_IN * clients, max(TRUTH, TRUTH_FOR_EACH * clients)
    level, requests = Loop(configuration, lengths, clients, lead + wanted, seed).run()
    return summarize("D(1,1)", clients, Level("truth", level.ended_at, level.ending, lead, wanted), requests, ())
