"""The shape of a task's load: its levels, and whether its load generator can send it."""

from collections.abc import Iterator
from pathlib import Path

from tuner.benchmarks import BENCHMARKS, traces
from tuner.domain import Level
from tuner.domain import levels as levels_at
from tuner.errors import Problem
from tuner.spec.task import BenchmarkConfig, TaskSpec

SHAPES = {"request_rate": "send requests at a rate", "trace": "replay a trace", "turns": "hold conversations"}
"""Keys of a load's shape, as what a load generator can do."""


def levels(spec: TaskSpec) -> list[Level]:
    """All that an experiment is asked to measure."""
    load = spec.benchmark
    return [
        level
        for scenario in load.traffic_scenarios
        for level in levels_at(scenario, load.num_concurrency, load.request_rate)
    ]


def problems(benchmark: BenchmarkConfig) -> Iterator[Problem]:
    """What the load generator cannot send, and a trace that is none."""
    make = BENCHMARKS.get(benchmark.tool)
    for key, doing in SHAPES.items():
        asked = getattr(benchmark, key) != BenchmarkConfig.model_fields[key].default
        if make is not None and asked and key not in make(Path()).shapes:
            able = [name for name, other in BENCHMARKS.items() if key in other(Path()).shapes]
            said = f"{benchmark.tool} cannot {doing}; {' and '.join(able)} can: write benchmark.tool: {able[0]}"
            yield Problem(said, f"benchmark.{key}")
    if benchmark.trace is None:
        return
    try:
        trace = traces.read(Path(benchmark.trace).expanduser())
    except traces.TraceError as error:
        yield Problem(str(error), "benchmark.trace")
        return
    if benchmark.request_rate and trace[0].timestamp == trace[-1].timestamp:
        said = (
            "all requests of the trace come at the same time, so it cannot be stretched to a request_rate; leave it out"
        )
        yield Problem(said, "benchmark.request_rate")


def cautions(benchmark: BenchmarkConfig) -> Iterator[str]:
    """What of a trace is not sent."""
    if benchmark.trace is None or benchmark.num_concurrency:
        return
    try:
        trace = traces.read(Path(benchmark.trace).expanduser())
    except traces.TraceError:
        return  # told as a problem
    kept = trace[: benchmark.max_requests_per_iteration]
    if len(kept) < len(trace):
        yield f"Only the first {len(kept):,} of {len(trace):,} requests of the trace are replayed: {_limit(kept)}"
    rates = benchmark.request_rate
    lasts_s = len(kept) / min(rates) if rates else (kept[-1].timestamp - kept[0].timestamp) / 1000
    if lasts_s > benchmark.max_time_per_iteration * 60:
        yield (
            f"The trace lasts {lasts_s:,.0f} s, a load level at most {benchmark.max_time_per_iteration * 60:,.0f} s; "
            "raise benchmark.max_time_per_iteration, or lower benchmark.max_requests_per_iteration."
        )


def _limit(kept: tuple[traces.TraceRequest, ...]) -> str:
    return f"benchmark.max_requests_per_iteration is {len(kept):,}."
