"""A tuning task as people write it: one model for the task file, the HTTP body and the agent's tool."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StrictBool, model_validator

from tuner.spec.names import engine_called, named
from tuner.spec.objectives import NAMED_OBJECTIVES, Objective, SLOConfig, objectives
from tuner.spec.values import (
    Block,
    Domain,
    EnvName,
    FlagName,
    Names,
    OneOf,
    Real,
    Scenario,
    Suggested,
    Text,
    Whole,
    as_tuple,
    flag_names,
    renamed,
    seconds,
    shortest_prompt,
)

LOCAL = "local"
"""The deployment mode of this machine."""


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
        return renamed(kept, "name", "id_or_path")


Degrees = Annotated[tuple[Annotated[Whole, Field(ge=1, le=4096)], ...], Field(min_length=1), BeforeValidator(as_tuple)]
Switch = Annotated[tuple[StrictBool, ...], Field(min_length=1), BeforeValidator(as_tuple)]


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
        return renamed(raw, "preset", "presets")


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
        return renamed(raw, "preset", "presets")


class Optimization(Block):
    """How to search, and how sure to be of the result."""

    strategy: Annotated[str, OneOf(named("strategy"))] = "auto"
    """`auto`: the whole grid where the budget covers it, else Bayesian (NSGA-II for several objectives)."""
    objective: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3), BeforeValidator(objectives)] = (
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
    parallel_experiments: Annotated[Whole, Field(ge=1, le=64)] = 1
    """Experiments measured at once, each with its own load generator. They share the machine: more than one says
    something only where each has GPUs and processors to itself."""
    confirm: Annotated[Whole, Field(ge=0, le=20)] = 8
    """Most rounds in which the best few and the baseline are measured again at the end, interleaved, until one is
    proven or none can be; 0 turns it off. It takes 2 to prove anything, and few rounds show only large gains."""
    min_effect: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    """The least gain that counts, as a part: 0.02 asks for more than 2 % better. By default any gain counts that the
    measurements can show; its interval says how large it is."""


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

    tool: Annotated[str, Suggested(named("load generator"))] = "genai-bench"
    task: str = "text-to-text"
    model_name: str | None = None
    """The name requests ask for; by default the one the engine serves under."""
    model_tokenizer: str | None = None
    """Folder or hub id of the tokenizer; by default the model's own."""
    traffic_scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)] = ("D(100,100)",)
    num_concurrency: Annotated[tuple[Annotated[Whole, Field(ge=1, le=100_000)], ...], BeforeValidator(as_tuple)] = (
        1,
        4,
        8,
    )
    """Closed loops: so many requests at once. Empty where `request_rate` or `trace` makes the loop open."""
    request_rate: Annotated[tuple[Annotated[Real, Field(gt=0, le=100_000)], ...], BeforeValidator(as_tuple)] = ()
    """Open loops: so many requests per second come, whatever the answers. Instead of `num_concurrency`."""
    arrival: Literal["poisson", "constant"] = "poisson"
    """How the requests of an open loop come: at random, or one after the other at equal gaps."""
    trace: str | None = None
    """Path of recorded traffic for the scenario `trace`, JSONL in the format of the Mooncake traces: `timestamp` in
    milliseconds, `input_length` and `output_length` in tokens, and where they are known `hash_ids` (blocks of 512
    tokens that are equal where their ids are) and `session_id` (turns of one conversation). It is replayed at its own
    times, or stretched to each `request_rate`, or without its times at each `num_concurrency`."""
    turns: Annotated[Whole, Field(ge=1, le=1000)] = 1
    """Requests of a conversation: each sends what was said before along, which a prefix cache can answer. Lengths of a
    scenario are those of one message and its answer. A rate stays one of requests."""
    think_time: Annotated[Real, Field(ge=0, le=86_400)] = 0.0
    """Seconds between an answer and the next message of a conversation."""
    max_time_per_iteration: Annotated[Real, Field(gt=0, le=1440)] = 10
    """Minutes a load level may take."""
    max_requests_per_iteration: Annotated[Whole, Field(ge=1, le=10_000_000)] | None = None
    """Requests to measure at each load level; `num_concurrency` more are sent first, to reach the steady state. By
    default 100, or ten for each client if that is more; 300 or twenty where a 99th percentile counts."""
    additional_params: Annotated[dict[str, JsonValue], AfterValidator(_typed)] = {}
    """Added to every request, with their types: temperature 0.0, not "0.0"."""
    dataset_url: str | None = None
    """URL or path of a file of prompts: CSV, JSON or JSONL, also packed as .gz, .zip or .tar.gz."""
    dataset_deduplicate: bool = False
    dataset_prompt_column: str | None = None
    """The field that holds the prompt; by default `prompt`, `messages`, `request_body`, `conversations` or `body`."""
    dataset_holdout: Annotated[Real, Field(gt=0, lt=1)] | None = None
    """Part of the distinct prompts that no candidate is tuned on: only confirmations send them, and nothing else."""
    prefix_len: Annotated[Whole, Field(ge=1)] | None = None
    """Tokens of a prefix that all requests of a level share."""
    prefix_ratio: Annotated[Real, Field(gt=0, lt=1)] | None = None
    """The shared prefix as a part of the prompt, for scenarios D(in,out); excludes `prefix_len`."""
    warmup_requests: Annotated[Whole, Field(ge=0, le=10_000)] = 4
    """Sent before the first level, never counted."""
    load_policy: Annotated[str, Suggested(named("load policy"))] = "fixed"
    """How load levels are chosen. `fixed`: every load of every scenario, rising."""

    @model_validator(mode="before")
    @classmethod
    def _open(cls, raw: Any) -> Any:
        """What an open loop leaves open: no closed loops beside it, and a trace's own scenario."""
        if not isinstance(raw, dict):
            return raw
        raw = dict(raw)
        if raw.get("request_rate") or raw.get("trace"):
            raw.setdefault("num_concurrency", ())
        if raw.get("trace"):
            raw.setdefault("traffic_scenarios", ("trace",))
        return raw

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.prefix_len is not None and self.prefix_ratio is not None:
            raise ValueError("prefix_len and prefix_ratio exclude each other; leave one out")
        if "dataset" in self.traffic_scenarios and not self.dataset_url:
            raise ValueError("the scenario 'dataset' needs a dataset_url (a URL or a path)")
        if self.dataset_holdout is not None and "dataset" not in self.traffic_scenarios:
            raise ValueError("dataset_holdout splits a dataset; add the scenario 'dataset', or leave it out")
        self._check_loops()
        for name in ("traffic_scenarios", "num_concurrency", "request_rate"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names a value twice: {', '.join(map(str, values))}")
        self._check_prefix()
        return self

    def _check_loops(self) -> None:
        if self.num_concurrency and self.request_rate:
            raise ValueError(
                "num_concurrency (closed loops) and request_rate (open ones) exclude each other; "
                "leave one out, or make two tasks"
            )
        if ("trace" in self.traffic_scenarios) != (self.trace is not None):
            raise ValueError("a trace and the scenario 'trace' need each other; give the path of the file as trace")
        timeless = [one for one in self.traffic_scenarios if one != "trace"]
        if not self.num_concurrency and not self.request_rate and timeless:
            raise ValueError(f"{timeless[0]} needs a num_concurrency or a request_rate to be sent at")
        if self.turns > 1 and "trace" in self.traffic_scenarios:
            raise ValueError("a trace has its own conversations (session_id); leave turns out")
        if self.think_time and self.turns == 1:
            raise ValueError("think_time lies between the turns of a conversation; give turns too")

    def _check_prefix(self) -> None:
        if self.prefix_len is None and self.prefix_ratio is None:
            return
        name = "prefix_ratio" if self.prefix_len is None else "prefix_len"
        for scenario in self.traffic_scenarios:
            if scenario in ("dataset", "trace"):
                raise ValueError(
                    f"the prompts of a {scenario} stay as they are; leave {name} or the scenario '{scenario}' out"
                )
            if self.prefix_ratio is not None and not scenario.startswith("D"):
                raise ValueError(f"prefix_ratio needs prompts of one length, D(in,out), not {scenario}; use prefix_len")
            if self.prefix_len is not None and self.prefix_len >= (tokens := shortest_prompt(scenario)):
                raise ValueError(
                    f"prefix_len {self.prefix_len} must be below the input length of {scenario}, which is {tokens}"
                )


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


class Budget(Block):
    """Where the search ends, whatever is left of the space. Confirmations of the winner come on top."""

    max_experiments: Annotated[Whole, Field(ge=1)] | None = None
    """Baseline included."""
    max_time: Annotated[Real, Field(gt=0), BeforeValidator(seconds)] | None = None
    """Seconds, or 90m, 2h, 1d."""
    max_gpu_hours: Annotated[Real, Field(gt=0)] | None = None


TaskName = Annotated[str, Field(min_length=1, max_length=100)]


def _task_name(raw: str) -> str:
    if raw != raw.strip() or not raw.isprintable() or "/" in raw or "\\" in raw or raw.startswith((".", "-")):
        raise ValueError(
            f"{raw!r} is no task name: it is shown, typed and used in file names, "
            "so no slashes, control characters, leading dots or dashes, or spaces around it"
        )
    return raw


FAR = "p99"
"""The statistic that takes more requests than others."""


class TaskSpec(Block):
    """A tuning task: what to serve, which flags to try, under which load, towards what."""

    task_name: Annotated[TaskName, AfterValidator(_task_name)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    deployment_mode: Annotated[str, OneOf(named("deployment mode"))] = LOCAL
    base_runtime: Annotated[
        str, Field(min_length=1, max_length=253), Suggested(named("engine")), AfterValidator(engine_called)
    ] = "vllm"
    """The engine. In OME mode also the name of a ClusterServingRuntime."""
    runtime_image_tag: str | None = None
    gpu_type: str | None = None
    """The GPU that the task was written for, as older files say it: a note, it chooses nothing."""
    model: Model
    parameters: Annotated[dict[FlagName, Domain], BeforeValidator(flag_names)] = {}
    """Flags of the engine under its own names, dashes optional."""
    parallel_config: ParallelConfig | None = None
    quant_config: QuantConfig | None = None
    environment: dict[EnvName, Domain] = {}
    """Environment variables of the engine, tuned like flags."""
    constraints: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = ()
    """Expressions that every candidate must satisfy: `tp * pp <= 4`."""
    optimization: Optimization = Optimization()
    benchmark: BenchmarkConfig = BenchmarkConfig()
    slo: SLOConfig | None = None
    storage: Storage | None = None
    clusterbasemodel_config: ClusterResource | None = None
    clusterservingruntime_config: ClusterResource | None = None
    budget: Budget = Budget()

    @property
    def far(self) -> bool:
        """A 99th percentile counts."""
        bounds = self.slo.bounds if self.slo else ()
        return FAR in {one.statistic for one in self.optimization.objective} | {one.statistic for one in bounds}
