"""What each step of the simulated engine holds, and what a load would therefore measure: no clock runs here."""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, quantiles

from tuner.engines.simulated.law import BLOCK, Configuration
from tuner.spec.values import Value


@dataclass(eq=False)
class Request:
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
    yielded: Sequence[Request]
    """Those with a new token at its end."""


class Scheduler:
    """Decides what each step holds: continuous batching with chunked prompts."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []
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

    def add(self, request: Request) -> None:
        self.waiting.append(request)

    def remove(self, request: Request) -> None:
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
        yielded: list[Request] = []
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

    def _cached_tokens(self, request: Request) -> int:
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

    def _remember(self, request: Request) -> None:
        if self.configuration.enable_prefix_caching:
            self._cached.update(dict.fromkeys(request.prefix))
            while len(self._cached) * BLOCK > self.configuration.capacity:
                self._cached.popitem(last=False)

    def _noise(self) -> float:
        return max(0.1, self._random.gauss(1.0, self.configuration.sim_noise))


@dataclass(frozen=True)
class Prediction:
    """What a load level would measure, in seconds and tokens per second."""

    output_tokens_per_s: float
    ttft_mean: float
    ttft_p90: float
    tpot_mean: float


def predict(
    values: Mapping[str, Value],
    concurrency: int,
    input_tokens: int,
    output_tokens: int,
    requests: int | None = None,
    turnaround_s: float = 0.005,
) -> Prediction:
    """Runs a closed loop through the law without waiting: each client sends its next request after the last answer.

    Args:
        values: flat parameter names, as in `Params.flat`.
        requests: all of the level; by default eight for each client.
        turnaround_s: from an answer's last token to the client's next request.

    Raises:
        ValueError, MemoryError: such an engine would not start.
    """
    configuration = Configuration.of(values)
    configuration.check()
    scheduler, clock, total = Scheduler(configuration), 0.0, requests or 8 * concurrency
    arrivals = deque([0.0] * min(concurrency, total))
    sent: dict[Request, float] = {}
    first: dict[Request, float] = {}
    tpots: list[float] = []
    while len(tpots) < total:
        while arrivals and arrivals[0] <= clock:
            request = Request(input_tokens, output_tokens)
            sent[request] = arrivals.popleft()
            scheduler.add(request)
        step = scheduler.step()
        if step is None:
            clock = arrivals[0]
            continue
        clock += step.duration_s
        for request in step.yielded:
            first.setdefault(request, clock)
            if request.finished:
                tpots.append((clock - first[request]) / max(1, output_tokens - 1))
                if len(sent) + len(arrivals) < total:
                    arrivals.append(clock + turnaround_s)
    ttfts = [first[request] - sent[request] for request in first]
    p90 = quantiles(ttfts, n=10, method="inclusive")[-1] if total > 1 else ttfts[0]
    return Prediction(total * output_tokens / clock, fmean(ttfts), p90, fmean(tpots))
