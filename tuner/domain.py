"""The nouns of a run, as frozen values. Times are seconds, memory is GiB, rates are per second."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from tuner.errors import FailureKind
from tuner.launch import Launch, Target
from tuner.spec.objectives import Metric, Statistic
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen, Value

LARGEST = 2**31 - 1
"""Of numbers of experiments, events and rows: what an integer column of any database holds."""
KEY_LENGTH = 200
"""Characters of the name that a caller gives to a request, so that it can be sent again."""


class Params(Frozen):
    """One configuration, exactly as it is launched. What is not named stays at the engine's default."""

    flags: dict[str, Value] = {}
    """The engine's flags, spelled by `spec.flag_name`."""
    env: dict[str, Value] = {}
    parallel: dict[str, bool | int] = {}
    """Keys of `ParallelConfig`: tp, pp, …"""
    quant: dict[str, str] = {}
    """Keys of `QuantConfig`: gemm_dtype, …"""

    @property
    def flat(self) -> dict[str, Value]:
        """All of it under plain names, for tables and samplers. Names are unique: `SearchSpace` sees to it."""
        return {**self.parallel, **self.quant, **self.flags, **self.env}

    @property
    def key(self) -> str:
        """Equal for equal configurations, whatever the order they were written in."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))


class Stats(Frozen):
    """One metric over the successful requests of a level. Percentiles interpolate linearly (numpy's default)."""

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    min: float
    max: float

    def at(self, statistic: Statistic) -> float:
        return float(getattr(self, statistic))


class ColdStart(Frozen):
    """The first requests of a load level, which are not measured: how the engine meets a burst of load."""

    requests: int
    ttft: Stats | None = None
    e2e_latency: Stats | None = None


class Generator(Frozen):
    """What the load generator itself did during a level."""

    name: str
    lag_s: float
    """By how much it was late, at the 90th percentile."""
    busy: float
    """Share of its time that its busiest process used a processor; 1 is all of it."""
    cpu_s: float
    """Processor time, all of it."""


class MachineLoad(Frozen):
    """What the engine's machine did beside us during a level. None: it does not tell, or the level was too short."""

    steal: float | None = None
    """Share of its processors' time that other virtual machines had; 1 is all of it."""
    others: float | None = None
    """Share of its processors' time that processes had which are neither the tuner nor started by it."""
    memory_stalled: float | None = None
    """Share of the time in which some process waited for memory."""
    gpu_strangers: tuple[str, ...] = ()
    """Processes that computed on the experiment's GPUs and are not ours: `python (process 4711)`."""
    gpu_hot: float | None = None
    """Share of the time in which one of its GPUs was slowed down for heat, or by its hardware for lack of power."""
    gpu_at_power_limit: float | None = None
    """Share of the time in which one of its GPUs was slowed down to keep within its power limit."""


@dataclass(frozen=True)
class Level:
    """A load level to be sent: a scenario in a closed loop or in an open one."""

    scenario: str
    concurrency: int
    """Requests at once: who is answered sends the next. 0: an open loop, which sends whatever the answers."""
    rate: float | None = None
    """Requests per second of an open loop; None: a closed loop, or a trace at its own pace."""

    @property
    def open(self) -> bool:
        return self.concurrency == 0

    @property
    def load(self) -> float:
        """How heavy it is, among the levels of its scenario: requests at once, or per second."""
        return self.rate or 0.0 if self.open else self.concurrency

    @property
    def at(self) -> str:
        """`× 8`, `@ 4/s`, or empty for a trace at its own pace."""
        if not self.open:
            return f"× {self.concurrency}"
        return "" if self.rate is None else f"@ {self.rate:g}/s"

    @property
    def name(self) -> str:
        return f"{self.scenario} {self.at}".rstrip()

    def failed(self, kind: FailureKind, why: str) -> "LoadPoint":
        return LoadPoint(scenario=self.scenario, concurrency=self.concurrency, rate=self.rate, failure=kind, error=why)


def levels(scenario: str, concurrencies: Sequence[int], rates: Sequence[float] = ()) -> list[Level]:
    """The levels of a scenario, rising: closed loops, else open ones, else a trace at its own pace."""
    if concurrencies:
        return [Level(scenario, concurrency) for concurrency in sorted(concurrencies)]
    return [Level(scenario, 0, rate) for rate in sorted(rates)] or [Level(scenario, 0)]


class LoadPoint(Frozen):
    """One load level as measured, in its steady state."""

    scenario: str
    concurrency: int
    """0: an open loop, see `rate`."""
    rate: float | None = None
    """Requests per second that an open loop sends; None: a closed loop, or a trace at its own pace."""
    requests: int = 0
    """Measured ones: answered, failed, or still under way and healthy when the level was ended."""
    failed: int = 0
    """Of those, the ones that failed or were never answered."""
    unanswered: int = 0
    """Of the failed ones, those that were never answered."""
    censored: int = 0
    """Measured ones that were healthy and under way at the end. Their latencies count as what they were by then."""
    sent: int = 0
    """All requests that left, measured or not; 0 in a result of an older version."""
    steady: bool | None = None
    """Enough was measured for the steady state; None: an older version, which looked at no such thing."""
    duration_s: float = 0.0
    """The span that rates are taken over: from the end of the beginning to the end of the level."""
    ttft: Stats | None = None
    """To the first token that was seen."""
    tpot: Stats | None = None
    itl: Stats | None = None
    """Between tokens, where they came one by one."""
    chunk_gap: Stats | None = None
    """Between pieces of text, whatever number of tokens each held."""
    e2e_latency: Stats | None = None
    cold: ColdStart | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    hidden_tokens: int = 0
    """Of the output tokens, those that came without any text."""
    output_tokens_per_s: float = 0.0
    total_tokens_per_s: float = 0.0
    requests_per_s: float = 0.0
    goodput_per_s: float | None = None
    """Requests per second that meet every SLO by themselves; None without SLOs."""
    failure: FailureKind | None = None
    error: str | None = None
    """Why this level does not count, in a sentence."""
    missing: dict[str, str] = {}
    """By metric, why it could not be measured."""
    notes: tuple[str, ...] = ()
    """What to know of these numbers, each a sentence."""
    generator: Generator | None = None
    machine: MachineLoad | None = None
    """None: the engine ran on another machine, or an older version measured it."""
    raw: str | None = None
    """File of the per-request data, relative to the task's run folder."""

    @property
    def valid(self) -> bool:
        return self.failure is None

    @property
    def level(self) -> Level:
        return Level(self.scenario, self.concurrency, self.rate)

    @property
    def name(self) -> str:
        return self.level.name

    @property
    def success_rate(self) -> float:
        return (self.requests - self.failed) / self.requests if self.requests else 0.0

    def at(self, metric: Metric, statistic: Statistic, gpus: int) -> float | None:
        """The value of a metric, or None where this level has none (no token after the first: no TPOT)."""
        if metric is Metric.OUTPUT_RATE_PER_GPU:
            return self.output_tokens_per_s / max(1, gpus)
        value = getattr(self, metric.value)
        return value.at(statistic) if isinstance(value, Stats) else value


class OperatingPoint(Frozen):
    """The load level at which an experiment is judged, per scenario."""

    scenario: str
    concurrency: int | None
    """None: the mean over all requested levels; 0: an open loop."""
    rate: float | None = None
    """Requests per second, in an open loop."""
    value: float
    """The objective's value there, without penalty."""

    @property
    def level(self) -> Level | None:
        return None if self.concurrency is None else Level(self.scenario, self.concurrency, self.rate)


class Score(Frozen):
    """How good an experiment is under one objective. Ranks by (feasible, violation, penalised value)."""

    value: float
    """The objective's own value, no penalty in it; the geometric mean over scenarios."""
    penalised: float
    """The value after soft SLOs: × penalty when minimizing, ÷ penalty when maximizing."""
    softened: float | None = None
    """As `penalised`, without what hard SLOs add that allow nothing over their bound: whether those are met is judged
    by itself when an experiment is measured again. None: of an older version."""
    violation: float = 0.0
    """By how much hard SLOs are missed, weighted; 0 is feasible."""
    excess: dict[str, float] = {}
    """Per SLO (`ttft.p90`) the worst actual/threshold − 1 at the operating points; at most 0 where it holds."""
    points: tuple[OperatingPoint, ...] = ()

    @property
    def feasible(self) -> bool:
        return self.violation == 0

    @property
    def binding(self) -> str | None:
        """The SLO closest to its bound, or furthest past it."""
        return max(self.excess, key=lambda name: self.excess[name], default=None)


class Role(StrEnum):
    BASELINE = "baseline"
    CANDIDATE = "candidate"
    CONFIRMATION = "confirmation"


class ExperimentState(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Failure(Frozen):
    kind: FailureKind
    message: str
    lines: tuple[str, ...] = ()
    """The decisive lines of the log."""


class Experiment(Frozen):
    """One configuration, launched and measured once."""

    number: int
    role: Role
    params: Params
    state: ExperimentState = ExperimentState.RUNNING
    attempt: int = 1
    """Grows when an infrastructure failure or an interruption made it run again."""
    holder: str | None = None
    """The lease under which it runs (`Lease.holder`), to tell one under way from one that was interrupted. None: it has
    ended, or an older version started it."""
    confirms: int | None = None
    """Number of the experiment that a confirmation measures again."""
    gpus: int = 0
    """World size; 0 on a CPU."""
    gpu_ids: tuple[str, ...] = ()
    launch: Launch | None = None
    """The template it was started from; None: not started, or by a version that kept none."""
    target: Target | None = Field(default=None, discriminator="kind")
    """Where its program was found."""
    command: tuple[str, ...] = ()
    """What was started, with its real host and port."""
    env: dict[str, str] = {}
    """What the engine's environment had on top of ours."""
    points: tuple[LoadPoint, ...] = ()
    scores: tuple[Score, ...] = ()
    """One per objective; empty where the experiment cannot be judged."""
    failure: Failure | None = None
    started_at: datetime
    finished_at: datetime | None = None
    start_s: float | None = None
    """Seconds from launch to ready."""
    wall_s: float | None = None
    """Seconds from start to finish, by a clock that does not jump."""

    @property
    def partial(self) -> bool:
        """Some level failed, others count."""
        return self.state is ExperimentState.COMPLETED and any(not point.valid for point in self.points)

    @property
    def feasible(self) -> bool:
        return bool(self.scores) and all(score.feasible for score in self.scores)


class TaskState(StrEnum):
    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED)


class Task(Frozen):
    id: str
    spec: TaskSpec
    state: TaskState = TaskState.CREATED
    error: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class TaskSummary(Frozen):
    """A row of the task list."""

    id: str
    name: str
    state: TaskState
    engine: str
    mode: str
    model: str
    error: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    completed: int = 0
    failed: int = 0
    gain: float | None = None
    """Of the winner over the baseline where it is proven, as a part: 0.2 is 20 % better."""


class Event(Frozen):
    """Something that happened in a task. Sequences start at 1 and have no holes."""

    task_id: str
    sequence: int
    kind: str
    at: datetime
    payload: dict[str, JsonValue] = {}


@dataclass(frozen=True)
class Label:
    """What marks every process, container and pod of ours, so that orphans are found and strangers never touched."""

    task_id: str
    experiment: int
    """Below 0: a load generator of the task; -1 is the first one."""
    owner: str
    """The worker's identity (`processes.Identity.text`), to tell whether it still lives."""

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "AUTOTUNER_TASK": self.task_id,
            "AUTOTUNER_EXPERIMENT": str(self.experiment),
            "AUTOTUNER_OWNER": self.owner,
        }
