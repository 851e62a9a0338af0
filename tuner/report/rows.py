"""A result as flat tables, for spreadsheets: the unit of a number stands in its column's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tuner.analysis.effects import varied
from tuner.analysis.formatting import percent
from tuner.analysis.gains import Gain, differs
from tuner.analysis.notes import of_level
from tuner.analysis.result import Bound, Result, Standing
from tuner.domain import Experiment, LoadPoint, OperatingPoint, Params
from tuner.spec.objectives import Metric, Statistic
from tuner.spec.values import Value

Cell = bool | int | float | str | None

TIMES = [metric for metric in Metric if not metric.is_rate]
RATES = [metric for metric in Metric if metric.is_rate]
ENDS = ("", "_low", "_high")
HELD = {"met": "met", "missed": "missed", "too_close": "too close to say"}
"""Of an SLO over fresh measurements."""
BESIDE = (
    *("steady", "sent", "unanswered", "censored", "hidden_tokens"),
    *("cold_requests", "cold_ttft_mean_s", "cold_ttft_p90_s", "cold_e2e_latency_mean_s", "cold_e2e_latency_p90_s"),
    *("generator", "generator_lag_s", "generator_busy", "generator_cpu_s"),
    *("machine_steal", "machine_others", "machine_memory_stalled"),
    *("machine_gpu_strangers", "machine_gpu_hot", "machine_gpu_at_power_limit"),
    "notes",
)
"""Columns of what is known of a level beside its metrics."""
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)


@dataclass(frozen=True)
class Rows:
    header: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def experiments(result: Result) -> Rows:
    """A row for every finished experiment, best first, confirmations last."""
    names = parameters(result)
    header = (
        *("experiment", "role", "place", "winner", "confirms", "state", "feasible"),
        *names,
        *(column(one.metric, one.statistic) for one in result.objectives),
        *(f"{column(one.metric, one.statistic)}_relative_to_baseline" for one in result.objectives),
        "operating_point",
        *(f"slo_{slo.name.replace('.', '_')}_s" for slo in result.slos),
        *(f"{column(one.metric, one.statistic)}_measured_again" for one in result.objectives),
        *(f"{column(one.metric, one.statistic)}_gain{end}" for one in result.objectives for end in ENDS),
        *(f"slo_{slo.name.replace('.', '_')}_verdict" for slo in result.slos),
        *("gpus", "start_s", "attempt", "reason"),
    )
    unknown = [None] * len(result.objectives)
    rows: list[tuple[Cell, ...]] = []
    for standing in result.standings:
        one = result.experiment(standing.number)
        bounds = {bound.name: bound.actual_s for bound in standing.bounds}
        verdicts = {bound.name: bound.verdict for bound in standing.bounds}
        rows.append(
            (
                *(one.number, one.role, standing.place, one.number == result.winner, one.confirms, one.state),
                standing.feasible,
                *values(one.params, names),
                *([score.value for score in standing.scores] or unknown),
                *(standing.relative_to_baseline or unknown),
                operating_point(one),
                *(bounds.get(slo.name) for slo in result.slos),
                *([again.value for again in standing.again] or unknown),
                *(_ends(standing.against_baseline) or [None] * len(result.objectives) * len(ENDS)),
                *(verdicts.get(slo.name) for slo in result.slos),
                *(one.gpus, one.start_s, one.attempt, standing.reason),
            )
        )
    return Rows(header, rows)


def _ends(gains: Sequence[Gain]) -> list[float | None]:
    """By `ENDS`."""
    return [end for gain in gains for end in (gain.gain, gain.low, gain.high)]


def levels(result: Result) -> Rows:
    """A row for every experiment and load level; an experiment without any has one row, its level empty."""
    names = parameters(result)
    header = (
        *("task", "engine", "simulated", "experiment", "role", "winner", "state", "reason"),
        *names,
        *("scenario", "concurrency", "rate", "valid", "requests", "failed", "success_rate", "duration_s"),
        *("input_tokens", "output_tokens"),
        *(metric.value for metric in RATES),
        *(column(metric, statistic) for metric in TIMES for statistic in STATISTICS),
        *("failure", "error"),
        *BESIDE,
    )
    reasons = {standing.number: standing.reason for standing in result.standings}
    rows: list[tuple[Cell, ...]] = []
    for one in result.experiments:
        head = (
            *(result.task_name, result.spec.base_runtime, result.simulated, one.number, one.role),
            *(one.number == result.winner, one.state, reasons.get(one.number)),
            *values(one.params, names),
        )
        blank = (None,) * (len(header) - len(head))
        rows += [(*head, *_level(point, one.gpus)) for point in one.points] or [(*head, *blank)]
    return Rows(header, rows)


def failures(result: Result) -> Rows:
    """What failed: experiments, and single load levels of experiments that otherwise count."""
    rows: list[tuple[Cell, ...]] = []
    for one in result.experiments:
        if one.failure:
            rows.append((one.number, "all", one.failure.kind, one.failure.message, "\n".join(one.failure.lines)))
        else:
            rows += [(one.number, p.name, p.failure, p.error, None) for p in one.points if not p.valid]
    return Rows(("experiment", "level", "failure", "message", "log"), rows)


def relative(standing: Standing, index: int) -> str:
    """To the baseline: what fresh measurements show, else what a single one of each gave, as a ratio of values."""
    fresh = standing.against_baseline[index] if standing.against_baseline else None
    if fresh is not None and fresh.low is not None and not differs(fresh):
        return "none shown"
    if fresh is not None and fresh.low is not None and fresh.gain is not None:
        falling = fresh.objective.direction == "minimize"
        return percent(-fresh.gain if falling else fresh.gain, signed=True)
    return percent(standing.relative_to_baseline[index] - 1, signed=True)


def called(result: Result) -> str:
    """What `Result.winner` is, for headings: a winner only where that is proven."""
    if result.winner == result.baseline:
        return "the defaults"
    return "the winner" if result.verdict.proven else f"experiment {result.winner}, the best measured but not proven"


def held(bound: Bound) -> str:
    """`met`, `missed`, or `too close to say` where fresh measurements leave it open."""
    return HELD[bound.verdict] if bound.verdict else "met" if bound.met else "missed"


def notes(result: Result) -> Rows:
    """What to know of the numbers, by what it is about."""
    return Rows(("what", "levels", "where"), [(note.text, note.levels, note.where) for note in result.notes])


def parameters(result: Result) -> list[str]:
    """Every parameter that some experiment names, the varied ones first."""
    every = dict.fromkeys(name for one in result.experiments for name in one.params.flat)
    return [*(told := distinct(result)), *(name for name in every if name not in told)]


def distinct(result: Result) -> list[str]:
    """The parameters that tell the experiments of a task apart."""
    return varied(result.experiments)


def values(params: Params, names: Sequence[str]) -> list[Value | None]:
    return [params.flat.get(name) for name in names]


def told_apart(params: Params, names: Sequence[str]) -> str:
    """`max-num-seqs 32, dtype bfloat16`, of the named ones only."""
    parts = [f"{name} {text(params.flat[name])}" for name in names if name in params.flat]
    return ", ".join(parts) or "engine's defaults"


def text(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def column(metric: Metric, statistic: Statistic) -> str:
    """`ttft_p90_s`; rates have their unit in their name."""
    return metric.value if metric.is_rate else f"{metric}_{statistic}_s"


def operating_point(one: Experiment, index: int = 0) -> str:
    """`D(100,100) × 8` per scenario, or that a scenario was judged by the mean of its levels."""
    points = one.scores[index].points if one.scores else ()
    return "; ".join(p.level.name if p.level else f"{p.scenario} × mean of all levels" for p in points)


def judged_at(result: Result, one: Experiment) -> str:
    """The load levels it is judged at, short. Where there is one scenario, it is not repeated in every row."""
    alone = len(result.spec.benchmark.traffic_scenarios) == 1
    points = [point for score in one.scores for point in score.points]
    places = [_place(point, alone) for point in points]
    return ", ".join(dict.fromkeys(places)) + (" (partial)" if one.partial else "")


def _place(point: OperatingPoint, alone: bool) -> str:
    level = point.level
    if level is None:
        return "all" if alone else f"{point.scenario} × all"
    if not alone:
        return level.name
    return str(level.concurrency) if not level.open else level.at.removeprefix("@ ") or "its own pace"


def _level(point: LoadPoint, gpus: int) -> tuple[Cell, ...]:
    return (
        *(
            point.scenario,
            point.concurrency or None,
            point.rate,
            point.valid,
            point.requests,
            point.failed,
            point.success_rate,
        ),
        *(point.duration_s, point.input_tokens, point.output_tokens),
        *(point.at(metric, "mean", gpus) for metric in RATES),
        *(point.at(metric, statistic, gpus) for metric in TIMES for statistic in STATISTICS),
        *(point.failure, point.error),
        *_beside(point),
    )


def _beside(point: LoadPoint) -> tuple[Cell, ...]:
    """By `BESIDE`."""
    cold, generator, machine = point.cold, point.generator, point.machine
    times = (cold.ttft, cold.e2e_latency) if cold else (None, None)
    return (
        *(point.steady, point.sent, point.unanswered, point.censored, point.hidden_tokens),
        cold.requests if cold else None,
        *(cell for stats in times for cell in ((stats.mean, stats.p90) if stats else (None, None))),
        *((generator.name, generator.lag_s, generator.busy, generator.cpu_s) if generator else (None,) * 4),
        *((machine.steal, machine.others, machine.memory_stalled) if machine else (None,) * 3),
        *(("; ".join(machine.gpu_strangers) or None, machine.gpu_hot) if machine else (None,) * 2),
        machine.gpu_at_power_limit if machine else None,
        "\n".join(of_level(point)) or None if point.valid else None,
    )
