"""What the simulated engine's law predicts for a load level, without a clock."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, quantiles

from tuner.engines.simulated.law import Configuration
from tuner.engines.simulated.scheduler import Generation, Scheduler
from tuner.spec.values import Value


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
    sent: dict[Generation, float] = {}
    first: dict[Generation, float] = {}
    tpots: list[float] = []
    while len(tpots) < total:
        while arrivals and arrivals[0] <= clock:
            request = Generation(input_tokens, output_tokens)
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
