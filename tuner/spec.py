"""A tuning task as people write it: one model for the task file, the HTTP body and the agent's tool."""

import math
import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)


class Frozen(BaseModel):
    """A value: immutable, and strict about keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Block(Frozen):
    """A block of a task. A key that is null counts as not given: older files write so for blocks they leave out."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return {key: value for key, value in raw.items() if value is not None or key not in cls.model_fields}


def _no_switch(raw: Any) -> Any:
    if isinstance(raw, bool):
        raise ValueError(f"must be a number, not {str(raw).lower()}")
    return raw


class DeploymentMode(StrEnum):
    LOCAL = "local"
    DOCKER = "docker"
    OME = "ome"


class FailureKind(StrEnum):
    """Why an experiment failed. Only `infrastructure` is tried again: it says nothing about the configuration."""

    INVALID_FLAG = "invalid_flag"
    OUT_OF_MEMORY = "out_of_memory"
    START_TIMEOUT = "start_timeout"
    CRASHED = "crashed"
    BENCHMARK_FAILED = "benchmark_failed"
    UNHEALTHY_OUTPUT = "unhealthy_output"
    INFRASTRUCTURE = "infrastructure"


Whole = Annotated[int, BeforeValidator(_no_switch)]
Real = Annotated[float, BeforeValidator(_no_switch)]
Bound = Annotated[Whole, Field(ge=-(2**53), le=2**53)]
"""A whole number that a float holds exactly."""
Text = Annotated[StrictStr, Field(max_length=4096)]


def _value(raw: Any) -> Any:
    """Refuses what is no value in one sentence, where a union would complain once for each of its members."""
    if not isinstance(raw, bool | int | float | str):
        raise ValueError(f"a value is a number, text, true or false, not {_kind(raw)}")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError(f"{raw} is no value; give a finite number")
    if isinstance(raw, int) and not -(2**63) <= raw < 2**63:
        raise ValueError("this whole number has more than 64 bits; give a smaller one")
    if isinstance(raw, str) and len(raw) > 4096:
        raise ValueError(f"this text has {len(raw)} characters; 4096 are the limit")
    return raw


def _kind(raw: Any) -> str:
    if raw is None:
        return "null"
    return "a list" if isinstance(raw, list | tuple) else "a block" if isinstance(raw, dict) else f"{raw!r:.60}"


Value = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, BeforeValidator(_value)]
"""One value of a flag or of an environment variable."""


class Choice(Block):
    """A closed list of values."""

    type: Literal["choice"] = "choice"
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=10_000)]


class Integer(Block):
    """Whole numbers from `low` to `high`, both included."""

    type: Literal["integer"] = "integer"
    low: Bound
    high: Bound
    step: Annotated[Whole, Field(ge=1)] | None = None
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_range(self)
        return self


class Continuous(Block):
    """Real numbers from `low` to `high`, both included."""

    type: Literal["continuous"] = "continuous"
    low: Real
    high: Real
    step: Annotated[Real, Field(gt=0)] | None = None
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_range(self)
        return self


def _check_range(bounds: Integer | Continuous) -> None:
    if bounds.low > bounds.high:
        raise ValueError(f"low {bounds.low} is above high {bounds.high}; swap them")
    if math.isinf(bounds.high - bounds.low):
        raise ValueError(f"the range from {bounds.low} to {bounds.high} is too wide to divide; narrow it")
    if bounds.log and bounds.low <= 0:
        raise ValueError(f"log needs a low above 0, not {bounds.low}")
    if bounds.log and bounds.step is not None:
        raise ValueError("log and step exclude each other; leave one out")


def _domain_kind(raw: Any) -> str:
    if isinstance(raw, BaseModel):
        raw = {"type": getattr(raw, "type", None)}
    if isinstance(raw, dict):
        return f":{raw.get('type') or ('choice' if 'values' in raw else '')}"
    return ":list" if isinstance(raw, list | tuple) else ":value"


Domain = Annotated[
    Annotated[Value, Tag(":value")]
    | Annotated[Annotated[tuple[Value, ...], Field(min_length=1, max_length=10_000)], Tag(":list")]
    | Annotated[Choice, Tag(":choice")]
    | Annotated[Integer, Tag(":integer")]
    | Annotated[Continuous, Tag(":continuous")],
    Discriminator(_domain_kind),
]
"""What a flag may be: one value (fixed, also for the baseline), a list to choose from, or a range."""


def flag_name(name: str) -> str:
    """The one spelling of a flag: no leading dashes, dashes between words. `--max_num_seqs` is `max-num-seqs`."""
    return name.strip().lstrip("-").replace("_", "-")


def _flag_names(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    named: dict[Any, Any] = {}
    for name, domain in raw.items():
        plain = flag_name(name) if isinstance(name, str) else name
        if plain in named:
            raise ValueError(f"{plain!r} stands here twice, in different spellings; keep one")
        named[plain] = domain
    return named


FlagName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,99}$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


def _renamed(raw: Any, old: str, new: str) -> Any:
    """A block with a key of older files under its present name."""
    if not isinstance(raw, dict) or old not in raw or new in raw:
        return raw
    return {(new if key == old else key): value for key, value in raw.items()}


class Model(Block):
    """What is served: a folder, or the id of a model on the hub."""

    id_or_path: Annotated[Text, Field(min_length=1)]
    """Older files say `name`. Their `hf_token` is not kept: give it to the environment, as HF_TOKEN."""
    namespace: str | None = None
    """Kubernetes namespace (OME)."""
    quantization: str | None = None
    """How the checkpoint is already quantized, where its own config does not say: awq, gptq, fp8, …"""

    @model_validator(mode="before")
    @classmethod
    def _older(cls, raw: Any) -> Any:
        if isinstance(raw, str):
            return {"id_or_path": raw}
        if not isinstance(raw, dict):
            return raw
        # A token is a secret and no part of a task: it is dropped here, so that no database and no report has it.
        kept = {key: value for key, value in raw.items() if key != "hf_token"}
        return _renamed(kept, "name", "id_or_path")


def _as_tuple(raw: Any) -> Any:
    return raw if isinstance(raw, list | tuple) or raw is None else (raw,)


Degrees = Annotated[tuple[Annotated[Whole, Field(ge=1, le=4096)], ...], Field(min_length=1), BeforeValidator(_as_tuple)]
Names = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_as_tuple)]
Switch = Annotated[tuple[StrictBool, ...], Field(min_length=1), BeforeValidator(_as_tuple)]


class ParallelConfig(Block):
    """How a model is spread over GPUs: one degree, or the degrees to try. Presets are the engine's, by name."""

    tp: Degrees | None = None
    pp: Degrees | None = None
    dp: Degrees | None = None
    dcp: Degrees | None = None
    cp: Degrees | None = None
    ep: Degrees | None = None
    enable_expert_parallel: Switch | None = None
    moe_tp: Degrees | None = None
    moe_ep: Degrees | None = None
    moe_cluster: Degrees | None = None
    moe_dense_tp: Degrees | None = None
    presets: Names | None = None
    """Tried besides the degrees given here, if any. Older files say `preset`."""

    @model_validator(mode="before")
    @classmethod
    def _older(cls, raw: Any) -> Any:
        return _renamed(raw, "preset", "presets")


class QuantConfig(Block):
    """Number formats, by part of the model: one name, or the names to try."""

    gemm_dtype: Names | None = None
    kvcache_dtype: Names | None = None
    attention_dtype: Names | None = None
    moe_dtype: Names | None = None
    presets: Names | None = None
    """Tried besides the formats given here, if any. Older files say `preset`."""

    @model_validator(mode="before")
    @classmethod
    def _older(cls, raw: Any) -> Any:
        return _renamed(raw, "preset", "presets")


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


def _objectives(raw: Any) -> Any:
    def one(item: Any) -> Any:
        if not isinstance(item, str):
            return item
        if item not in NAMED_OBJECTIVES:
            raise ValueError(f"no objective {item!r}; there are {', '.join(NAMED_OBJECTIVES)}, or metric and direction")
        return NAMED_OBJECTIVES[item]

    return [one(item) for item in raw] if isinstance(raw, list | tuple) else [one(raw)]


class StrategyName(StrEnum):
    GRID = "grid_search"
    RANDOM = "random"
    BAYESIAN = "bayesian"
    NSGA2 = "nsga2"
    AUTO = "auto"


class Optimization(Block):
    """How to search, and how sure to be of the result."""

    strategy: StrategyName = StrategyName.AUTO
    """`auto`: the whole grid where the budget covers it, else Bayesian (NSGA-II for several objectives)."""
    objective: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3), BeforeValidator(_objectives)] = (
        NAMED_OBJECTIVES["maximize_throughput"],
    )
    max_iterations: Annotated[Whole, Field(ge=1, le=100_000)] = 20
    """Configurations to try, without the baseline and the confirmations."""
    timeout_per_iteration: Annotated[Real, Field(gt=0, le=7 * 86_400)] = 1800
    """Seconds an experiment may take, start of the engine included. Levels measured before the limit are kept."""
    n_initial_random: Annotated[Whole, Field(ge=1, le=1000)] = 5
    """Random configurations before a model-based strategy trusts its model."""
    seed: Annotated[Whole, Field(ge=0, lt=2**32)] = 0
    baseline: bool = True
    """Measure the engine's defaults first."""
    confirm: Annotated[Whole, Field(ge=0, le=20)] = 2
    """Fresh, interleaved measurements of the winner and of the baseline at the end; 0 turns it off."""


SCENARIO = re.compile(
    r"^(?:D\(\d{1,7},\d{1,7}\)|N\(\d{1,7},\d{1,7}\)/\(\d{1,7},\d{1,7}\)|U\(\d{1,7},\d{1,7}\)/\(\d{1,7},\d{1,7}\)|dataset)$"
)


def _scenario(raw: str) -> str:
    scenario = raw.replace(" ", "")
    if not SCENARIO.match(scenario):
        raise ValueError(
            f"no traffic scenario {raw!r}; write D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max), or dataset"
        )
    return scenario


Scenario = Annotated[str, AfterValidator(_scenario)]


NUMBERS = {
    "temperature", "top_p", "top_k", "min_p", "seed", "n", "best_of", "max_tokens", "min_tokens",
    "max_completion_tokens", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty",
    "repetition_penalty", "length_penalty",
}  # fmt: skip
"""Request fields that are numbers whatever the file's spelling: older files quote them, `temperature: "0.0"`."""


def _typed(params: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _number(value) if name in NUMBERS else value for name, value in params.items()}


def _number(raw: JsonValue) -> JsonValue:
    if not isinstance(raw, str) or not re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", raw.strip()):
        return raw
    return float(raw) if "." in raw else int(raw)


class BenchmarkConfig(Block):
    """The traffic of one load level, and which levels to run."""

    tool: str = "genai-bench"
    task: str = "text-to-text"
    model_name: str | None = None
    """The name requests ask for; by default the one the engine serves under."""
    model_tokenizer: str | None = None
    """Folder or hub id of the tokenizer; by default the model's own."""
    traffic_scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)] = ("D(100,100)",)
    num_concurrency: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=100_000)], ...], Field(min_length=1), BeforeValidator(_as_tuple)
    ] = (1, 4, 8)
    max_time_per_iteration: Annotated[Real, Field(gt=0, le=1440)] = 10
    """Minutes a load level may take. The load generator counts whole minutes, so this is rounded up."""
    max_requests_per_iteration: Annotated[Whole, Field(ge=1, le=10_000_000)] = 100
    additional_params: Annotated[dict[str, JsonValue], AfterValidator(_typed)] = {}
    """Added to every request, with their types: temperature 0.0, not "0.0"."""
    dataset_url: str | None = None
    """URL or path of a CSV, JSONL, .gz, .zip or .tar.gz file of prompts."""
    dataset_deduplicate: bool = False
    dataset_prompt_column: str | None = None
    prefix_len: Annotated[Whole, Field(ge=1)] | None = None
    """Tokens of a prefix that all requests of a level share."""
    prefix_ratio: Annotated[Real, Field(gt=0, lt=1)] | None = None
    """The shared prefix as a part of the prompt; excludes `prefix_len`."""
    warmup_requests: Annotated[Whole, Field(ge=0, le=10_000)] = 4
    """Sent before the first level, never counted."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.prefix_len is not None and self.prefix_ratio is not None:
            raise ValueError("prefix_len and prefix_ratio exclude each other; leave one out")
        if "dataset" in self.traffic_scenarios and not self.dataset_url:
            raise ValueError("the scenario 'dataset' needs a dataset_url (a URL or a path)")
        for name in ("traffic_scenarios", "num_concurrency"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names a value twice: {', '.join(map(str, values))}")
        return self


class Limit(Block):
    """One bound of an SLO."""

    threshold: Annotated[Real, Field(gt=0)]
    """Seconds."""
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


class Storage(Block):
    """A volume that holds the model (OME)."""

    type: Literal["pvc"] = "pvc"
    pvc_name: Annotated[str, Field(min_length=1)]
    pvc_subpath: str | None = None
    mount_path: str = "/model"


class ClusterResource(Block):
    """A ClusterBaseModel or ClusterServingRuntime to create where it is missing (OME)."""

    preset: str | None = None
    name: str | None = None
    spec: dict[str, JsonValue] | None = None
    overrides: dict[str, JsonValue] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.preset and not (self.name and self.spec):
            raise ValueError("give a preset, or a name and a spec")
        return self


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds(raw: Any) -> Any:
    """A duration in seconds: 5400, or written as 90s, 90m, 1.5h, 2d."""
    if not isinstance(raw, str):
        return raw
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", raw)
    if not match:
        raise ValueError(f"no duration {raw!r}; write seconds, or 90s, 90m, 1.5h, 2d")
    return float(match[1]) * _UNITS[match[2]]


class Budget(Block):
    """Where the search ends, whatever is left of the space. Confirmations of the winner come on top."""

    max_experiments: Annotated[Whole, Field(ge=1)] | None = None
    """Baseline included."""
    max_time: Annotated[Real, Field(gt=0), BeforeValidator(seconds)] | None = None
    """Seconds, or 90m, 2h, 1d."""
    max_gpu_hours: Annotated[Real, Field(gt=0)] | None = None


TaskName = Annotated[str, Field(min_length=1, max_length=100)]


def _task_name(raw: str) -> str:
    if raw != raw.strip() or not raw.isprintable() or "/" in raw or "\\" in raw or raw.startswith("."):
        raise ValueError(
            f"{raw!r} is no task name: it is shown and used in file names, "
            "so no slashes, control characters, leading dots or spaces around it"
        )
    return raw


def _runtime(raw: str) -> str:
    return "tensorrt-llm" if raw in ("tensorrt_llm", "trtllm") else raw


class TaskSpec(Block):
    """A tuning task: what to serve, which flags to try, under which load, towards what."""

    task_name: Annotated[TaskName, AfterValidator(_task_name)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    deployment_mode: DeploymentMode = DeploymentMode.LOCAL
    base_runtime: Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_runtime)] = "vllm"
    """The engine: vllm, sglang, tensorrt-llm, simulated. In OME mode also the name of a ClusterServingRuntime."""
    runtime_image_tag: str | None = None
    gpu_type: str | None = None
    """The GPU that the task was written for, as older files say it: a note, it chooses nothing."""
    model: Model
    parameters: Annotated[dict[FlagName, Domain], BeforeValidator(_flag_names)] = {}
    """Flags of the engine under its own names, dashes optional."""
    parallel_config: ParallelConfig | None = None
    quant_config: QuantConfig | None = None
    environment: dict[EnvName, Domain] = {}
    """Environment variables of the engine, tuned like flags."""
    constraints: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = ()
    """Expressions that every candidate must satisfy: `tp * pp <= 4`."""
    optimization: Optimization = Optimization()
    benchmark: BenchmarkConfig = BenchmarkConfig()
    slo: SLOConfig | None = None
    storage: Storage | None = None
    clusterbasemodel_config: ClusterResource | None = None
    clusterservingruntime_config: ClusterResource | None = None
    budget: Budget = Budget()
