"""How far a level's figures are from the steady state: `python -m tests.perf.steady [CLIENTS…]`.

Closed loops run through the simulated engine's law without a clock, so its own steady state is known. Each level is
measured with the default number of requests (300 or 20 for each client for the 99th percentiles) several times, and
as it was done once: all clients at once, every one of 100 requests counted. Shown are the mean error, and how far one
level strays from the next: with lengths that vary, percentiles do, however they are measured.
"""

import sys
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from tests.fakes.steady import ENGINES, LENGTHS, Lengths, Loop, measured, truth
from tuner.benchmarks.requests import Level
from tuner.benchmarks.statistics import summarize
from tuner.benchmarks.window import requests_for
from tuner.domain import LoadPoint
from tuner.engines.simulated.law import Configuration

CLIENTS = (1, 4, 16, 64, 256)
SEEDS = 12
"""Levels of each kind; fewer where each has many clients, and so many requests."""
NAMES = ("TTFT p50", "TTFT p90", "TPOT", "E2E", "rate", "TTFT p99", "E2E p99")
LIMITS = (0.05, 0.05, 0.05, 0.05, 0.05, 0.15, 0.15)


def figures(point: LoadPoint, far: LoadPoint) -> list[float]:
    assert point.ttft is not None
    assert point.tpot is not None
    assert point.e2e_latency is not None
    assert far.ttft is not None
    assert far.e2e_latency is not None
    return [
        *(point.ttft.p50, point.ttft.p90, point.tpot.mean, point.e2e_latency.mean, point.output_tokens_per_s),
        *(far.ttft.p99, far.e2e_latency.p99),
    ]


def before(configuration: Configuration, lengths: Lengths, clients: int, seed: int) -> LoadPoint:
    """As it was measured once: a burst, and everything answered by the 100th answer counts."""
    wanted = max(100, clients)
    _, requests = Loop(configuration, lengths, clients, wanted, seed, together=True).run()
    ends = sorted(one.finished_at for one in requests if one.finished_at is not None)
    answered = [one for one in requests if one.finished_at is not None and one.finished_at <= ends[wanted - 1]]
    return summarize("D(1,1)", clients, Level.whole("before", answered), answered, ())


def errors(configuration: Configuration, lengths: Lengths, clients: int, seeds: int) -> list[list[float]]:
    """Relative ones, a row for each seed."""
    true = truth(configuration, lengths, clients)
    rows = []
    for seed in range(1, seeds + 1):
        near, far = (
            measured(configuration, lengths, clients, requests_for(clients, far), seed) for far in (False, True)
        )
        rows.append([ours / theirs - 1 for ours, theirs in zip(figures(near, far), figures(true, true), strict=True)])
    return rows


def shown(name: str, kind: str, clients: int, values: Sequence[str]) -> None:
    print(f"{name:16} {kind:11} {clients:7}  " + "  ".join(f"{value:>13}" for value in values))


def main(clients: Iterable[int]) -> int:
    worst = 0.0
    shown("engine", "lengths", 0, NAMES)
    for engine, configuration in ENGINES.items():
        for kind, lengths in LENGTHS.items():
            for number in clients:
                levels = 2 if kind == "fixed" else SEEDS if number < 64 else 4
                columns = list(zip(*errors(configuration, lengths, number, levels), strict=True))
                worst = max(worst, *(abs(fmean(one)) / limit for one, limit in zip(columns, LIMITS, strict=True)))
                shown(engine, kind, number, [f"{100 * fmean(one):.1f} ± {100 * stdev(one):.1f} %" for one in columns])
                once, true = before(configuration, lengths, number, 1), truth(configuration, lengths, number)
                old = [a / b - 1 for a, b in zip(figures(once, once), figures(true, true), strict=True)]
                shown("  before", kind, number, [f"{100 * one:.1f} %" for one in old])
    print(f"The worst mean error is {worst:.2f} of its limit (5 %, 15 % for the 99th percentiles).")
    return worst > 1


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]] or CLIENTS))
