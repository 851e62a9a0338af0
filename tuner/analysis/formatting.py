"""Numbers as people read them: three digits that mean something, a unit, milliseconds below a second."""

from tuner.spec.objectives import SLO, Metric, Objective
from tuner.spec.task import BenchmarkConfig

NAMES = {
    Metric.TTFT: "time to first token",
    Metric.TPOT: "time per output token",
    Metric.ITL: "time between tokens",
    Metric.E2E: "end-to-end latency",
    Metric.OUTPUT_RATE: "output tokens/s",
    Metric.TOTAL_RATE: "total tokens/s",
    Metric.REQUEST_RATE: "requests/s",
    Metric.GOODPUT: "requests/s within the SLOs",
    Metric.OUTPUT_RATE_PER_GPU: "output tokens/s per GPU",
}
SHORT = {Metric.TTFT: "TTFT", Metric.TPOT: "TPOT", Metric.ITL: "ITL", Metric.E2E: "latency"}
"""For column headers."""
UNITS = {
    Metric.OUTPUT_RATE: "tok/s",
    Metric.TOTAL_RATE: "tok/s",
    Metric.REQUEST_RATE: "req/s",
    Metric.GOODPUT: "req/s",
    Metric.OUTPUT_RATE_PER_GPU: "tok/s/GPU",
}


def number(value: float) -> str:
    """Three significant digits, never scientific for what people measure: 12,345 · 341 · 34.1 · 3.41 · 0.0341."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-6:
        return f"{value:.2e}"
    for least, digits in ((99.95, 0), (9.995, 1), (0.9995, 2)):
        if size >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.3g}" if size >= 1e-4 or not size else f"{value:.8f}".rstrip("0")


def duration(seconds: float) -> str:
    """412 ms, 1.52 s, 2 min 5 s, 1 h 12 min."""
    if abs(seconds) < 0.9995:
        return f"{number(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{number(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def quantity(metric: Metric, value: float) -> str:
    """A measured value with its unit."""
    return f"{number(value)} {UNITS[metric]}" if metric.is_rate else duration(value)


def percent(part: float, signed: bool = False) -> str:
    """0.2 is 20 %."""
    size = abs(part)
    digits = 0 if size >= 0.0995 or size == 0 else 1
    return f"{100 * part:{'+' if signed else ''},.{digits}f} %"


def statistic(metric: Metric, name: str, short: bool = False) -> str:
    """p90 time to first token; a mean is not called one, it is what is meant without a word."""
    metric_name = SHORT.get(metric, NAMES[metric]) if short else NAMES[metric]
    return metric_name if metric.is_rate or name == "mean" else f"{name} {metric_name}"


def aim(objective: Objective) -> str:
    """maximize output tokens/s."""
    return f"{objective.direction} {statistic(objective.metric, objective.statistic)}"


def bound(slo: SLO) -> str:
    """p90 time to first token ≤ 300 ms (hard)."""
    return f"{statistic(slo.metric, slo.statistic)} ≤ {duration(slo.threshold)} ({'hard' if slo.hard else 'soft'})"


def described(objective: Objective, value: float) -> str:
    """341 output tokens/s, 412 ms p90 time to first token."""
    amount = number(value) if objective.metric.is_rate else duration(value)
    return f"{amount} {statistic(objective.metric, objective.statistic)}"


def load(benchmark: BenchmarkConfig) -> str:
    """`1, 4, 8 concurrent requests`, `2, 4 requests per second`, or a trace's own pace."""
    if benchmark.num_concurrency:
        return f"{', '.join(map(str, benchmark.num_concurrency))} concurrent requests"
    rates = ", ".join(f"{rate:g}" for rate in benchmark.request_rate)
    return f"{rates} requests per second" if rates else "the pace of its own"
