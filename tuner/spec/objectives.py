"""What to improve, and what must hold meanwhile."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from tuner.spec.values import Block, Frozen, Real, seconds


class Metric(StrEnum):
    """What is measured. Times are seconds, rates per second; `_per_gpu` is divided by the GPUs of the experiment."""

    TTFT = "ttft"
    TPOT = "tpot"
    ITL = "itl"
    E2E = "e2e_latency"
    OUTPUT_RATE = "output_tokens_per_s"
    TOTAL_RATE = "total_tokens_per_s"
    REQUEST_RATE = "requests_per_s"
    GOODPUT = "goodput_per_s"
    OUTPUT_RATE_PER_GPU = "output_tokens_per_s_per_gpu"

    @property
    def is_rate(self) -> bool:
        return self not in (Metric.TTFT, Metric.TPOT, Metric.ITL, Metric.E2E)


Statistic = Literal["mean", "p50", "p90", "p95", "p99", "min", "max"]
Direction = Literal["minimize", "maximize"]


class Objective(Block):
    """What to improve. A rate has one value a load level, so its statistic stays `mean`."""

    metric: Metric
    statistic: Statistic = "mean"
    direction: Direction

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted = "maximize" if self.metric.is_rate else "minimize"
        if self.direction != wanted:
            raise ValueError(f"{self.metric} is something to {wanted}, not to {self.direction}")
        if self.metric.is_rate and self.statistic != "mean":
            raise ValueError(f"{self.metric} has one value a load level; leave the statistic {self.statistic!r} out")
        return self


NAMED_OBJECTIVES = {
    "minimize_latency": Objective(metric=Metric.E2E, direction="minimize"),
    "maximize_throughput": Objective(metric=Metric.OUTPUT_RATE, direction="maximize"),
    "minimize_ttft": Objective(metric=Metric.TTFT, direction="minimize"),
    "minimize_tpot": Objective(metric=Metric.TPOT, direction="minimize"),
}


def objectives(raw: Any) -> Any:
    def one(item: Any) -> Any:
        if not isinstance(item, str):
            return item
        if item not in NAMED_OBJECTIVES:
            raise ValueError(f"no objective {item!r}; there are {', '.join(NAMED_OBJECTIVES)}, or metric and direction")
        return NAMED_OBJECTIVES[item]

    return [one(item) for item in raw] if isinstance(raw, list | tuple) else [one(raw)]


class Limit(Block):
    """One bound of an SLO."""

    threshold: Annotated[Real, Field(gt=0), BeforeValidator(seconds)]
    """Seconds, or with its unit: 300ms, 0.3s."""
    weight: Annotated[Real, Field(gt=0, le=1000)] = 1.0
    hard_fail: bool = False
    """A configuration that misses a hard bound by more than `fail_ratio` ranks below every one that does not."""
    fail_ratio: Annotated[Real, Field(ge=0)] = 0.0


class LimitByStatistic(Block):
    mean: Limit | None = None
    p50: Limit | None = None
    p90: Limit | None = None
    p95: Limit | None = None
    p99: Limit | None = None


def _limit_kind(raw: Any) -> str:
    plain = isinstance(raw, Limit) or (isinstance(raw, dict) and "threshold" in raw)
    return ":mean" if plain else ":by_statistic"


Limits = Annotated[
    Annotated[Limit, Tag(":mean")] | Annotated[LimitByStatistic, Tag(":by_statistic")], Discriminator(_limit_kind)
]
"""Bounds by statistic (`p90: {threshold: …}`), or one plain bound of the mean."""


class SLO(Frozen):
    """An upper bound on a latency, taken out of its block: p90 TTFT of at most 0.3 s."""

    metric: Metric
    statistic: Statistic
    threshold: float
    weight: float = 1.0
    hard: bool = False
    fail_ratio: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.metric}.{self.statistic}"


class SLOConfig(Block):
    """What must hold while the objective is improved."""

    latency: Limits | None = None
    ttft: Limits | None = None
    tpot: Limits | None = None
    steepness: Annotated[Real, Field(gt=0)] = 0.1
    """How gently a soft bound bites: missing it by this part costs a factor e."""

    @property
    def bounds(self) -> tuple[SLO, ...]:
        blocks = ((Metric.E2E, self.latency), (Metric.TTFT, self.ttft), (Metric.TPOT, self.tpot))
        return tuple(
            SLO(
                metric=metric,
                statistic=statistic,
                threshold=limit.threshold,
                weight=limit.weight,
                hard=limit.hard_fail,
                fail_ratio=limit.fail_ratio,
            )
            for metric, block in blocks
            if block is not None
            for statistic, limit in _limits(block)
        )


def _limits(block: Limit | LimitByStatistic) -> list[tuple[Statistic, Limit]]:
    if isinstance(block, Limit):
        return [("mean", block)]
    named: list[tuple[Statistic, Limit | None]] = [
        ("mean", block.mean), ("p50", block.p50), ("p90", block.p90), ("p95", block.p95), ("p99", block.p99)
    ]  # fmt: skip
    return [(statistic, limit) for statistic, limit in named if limit is not None]
