"""What each step of the simulated engine holds, and what a load would therefore measure: no clock runs here."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tuner.engines.simulated.law import BLOCK, Configuration


@dataclass(eq=False)
class Generation:
    """A request on its way through the engine."""

    prompt_tokens: int
    max_tokens: int
    prefix: Sequence[int] = ()
    """A hash for each full block of the prompt and all before it."""
    computed: int = 0
    """Tokens whose keys and values are in memory."""
    produced: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.produced

    @property
    def pending(self) -> int:
        return self.tokens - self.computed

    @property
    def decoding(self) -> bool:
        return self.produced > 0 and self.pending == 1

    @property
    def finished(self) -> bool:
        return self.produced >= self.max_tokens


@dataclass(frozen=True)
class Step:
    duration_s: float
    yielded: Sequence[Generation]
    """Those with a new token at its end."""


class Scheduler:
    """Decides what each step holds: continuous batching with chunked prompts."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.waiting: deque[Generation] = deque()
        self.running: list[Generation] = []
        self.preemptions = 0
        self.prefix_queries = 0
        self.prefix_hits = 0
        """In tokens, like the queries."""
        self._cached: OrderedDict[int, None] = OrderedDict()
        seed = configuration.sim_seed
        self._random = Random(None if seed is None else f"{seed} {configuration}")  # noqa: S311  # no secret
        self._pace = self._noise()

    @property
    def held(self) -> int:
        """Tokens in the KV cache."""
        return sum(request.tokens for request in self.running)

    def add(self, request: Generation) -> None:
        self.waiting.append(request)

    def remove(self, request: Generation) -> None:
        """Forgets a request, wherever it is; one that has finished is already gone."""
        if request in self.running:
            self.running.remove(request)
        elif request in self.waiting:
            self.waiting.remove(request)

    def forget_prefixes(self) -> None:
        self._cached.clear()

    def step(self) -> Step | None:
        """Takes the next step; None: there is nothing to do."""
        self._preempt()
        budget, prefill, decoding = self.configuration.max_num_batched_tokens, 0, 0
        yielded: list[Generation] = []
        served = 0
        while budget > 0 and (served < len(self.running) or self._admit()):
            request = self.running[served]
            share = min(request.pending, budget)
            decoding, prefill = (decoding + 1, prefill) if request.decoding else (decoding, prefill + share)
            request.computed += share
            budget -= share
            if not request.pending:
                yielded.append(request)
            served += 1
        if not served:
            return None
        for request in yielded:
            if not request.produced:
                self._remember(request)
            request.produced += 1
        self.running = [request for request in self.running if not request.finished]
        return Step(self.configuration.step_s(decoding, prefill) * self._pace * self._noise(), yielded)

    def _preempt(self) -> None:
        while len(self.running) > 1 and self.held + len(self.running) > self.configuration.capacity:
            youngest = self.running.pop()
            youngest.computed = 0
            self.waiting.appendleft(youngest)
            self.preemptions += 1

    def _admit(self) -> bool:
        if not self.waiting or len(self.running) >= self.configuration.max_num_seqs:
            return False
        if self.running and self.held + self.waiting[0].tokens + len(self.running) + 1 > self.configuration.capacity:
            return False
        request = self.waiting.popleft()
        request.computed = self._cached_tokens(request)
        self.running.append(request)
        return True

    def _cached_tokens(self, request: Generation) -> int:
        if not self.configuration.enable_prefix_caching:
            return 0
        hits = 0
        for block in request.prefix:
            if block not in self._cached:
                break
            self._cached.move_to_end(block)
            hits += BLOCK
        hits = min(hits, request.tokens - 1)
        self.prefix_queries += request.tokens
        self.prefix_hits += hits
        return hits

    def _remember(self, request: Generation) -> None:
        if self.configuration.enable_prefix_caching:
            self._cached.update(dict.fromkeys(request.prefix))
            while len(self._cached) * BLOCK > self.configuration.capacity:
                self._cached.popitem(last=False)

    def _noise(self) -> float:
        return max(0.1, self._random.gauss(1.0, self.configuration.sim_noise))
