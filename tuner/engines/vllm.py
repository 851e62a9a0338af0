"""vLLM: its own program on a GPU, its API server module on a CPU."""

from collections.abc import Mapping, Sequence

from tuner.domain import Params
from tuner.engines import parallel
from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.engines.quantization import AUTO, cache_flags, dynamic_refusal, follows_refusal, gemm_flags
from tuner.errors import FailureKind
from tuner.protocols import FailurePattern, Flag, Installation, Launch
from tuner.spec.values import Value

CONVENTION = Convention(separator="-", negates=True)

DEGREES: parallel.Degrees = {
    "tp": ("tensor-parallel-size", "tp"),
    "pp": ("pipeline-parallel-size", "pp"),
    "dp": ("data-parallel-size", "dp"),
    "dcp": ("decode-context-parallel-size", "dcp"),
    "cp": ("prefill-context-parallel-size", "pcp"),
    "enable_expert_parallel": ("enable-expert-parallel", "ep"),
}
RANKS = ("tp", "pp", "dp", "cp")
"""Degrees that add processes; decode context parallelism uses those that tensor parallelism has."""

ALIASES = (*DEGREES.values(), ("quantization", "q"))


class VLLM:
    name: str = "vllm"
    environments: tuple[str, ...] = ("vllm", "vllm-cpu")
    image: str | None = "vllm/vllm-openai"
    cpu_image: str | None = "vllm/vllm-openai-cpu"
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = {
        "single-gpu": {"tp": 1},
        "high-throughput": {"dp": 8},
        "large-model-tp": {"tp": 8},
        "large-model-tp-pp": {"tp": 8, "pp": 2},
        "moe-optimized": {"tp": 2, "dp": 8, "enable_expert_parallel": True},
        "long-context": {"tp": 4, "dcp": 4},
        "balanced": {"tp": 2, "dp": 4},
    }
    reserved: Mapping[str, str] = {
        "api-key": "requests of the benchmark carry no key",
        "config": "flags in a file would not be seen here; write them as parameters",
        "grpc": "the benchmark speaks HTTP",
        "headless": "an engine without a server cannot be measured",
        "help": "it only prints the flags",
        "host": "the tuner binds every engine to the loopback interface",
        "model": "the task's model says it",
        "port": "the tuner picks a free one",
        "root-path": "the tuner asks for the usual paths",
        "served-model-name": "the tuner picks it; benchmark.model_name says what requests ask for",
        "ssl-certfile": "the benchmark speaks plain HTTP on the loopback interface",
        "ssl-keyfile": "the benchmark speaks plain HTTP on the loopback interface",
        "uds": "the benchmark connects by TCP",
    }
    failures: Sequence[FailurePattern] = (
        # A validation error can be about the model as well as about a flag.
        FailurePattern(
            r"(?i)Invalid repository ID or local directory|not a valid model identifier", FailureKind.CRASHED
        ),
        FailurePattern(r"(?i)Can't load (?:the configuration|tokenizer|the model)", FailureKind.CRASHED),
        FailurePattern(
            r"Available memory .* is less than|No available memory for the cache blocks|"
            r"larger than the available KV cache memory|larger than the maximum number of tokens that can be stored|"
            r"Free memory on device .* is less than desired|not enough memory",
            FailureKind.OUT_OF_MEMORY,
        ),
        FailurePattern(r"^\s+Value error, ", FailureKind.INVALID_FLAG),
        FailurePattern(r"ValidationError: \d+ validation errors? for \w+", FailureKind.INVALID_FLAG),
        FailurePattern(
            r"ValueError: (?:No common block size|.*(?:--[a-z]|must be|should be|Unknown|Unsupported))",
            FailureKind.INVALID_FLAG,
        ),
    )

    def launch(
        self, model: str, params: Params, installation: Installation, schema: Mapping[str, Flag] | None
    ) -> Launch:
        served = served_name(model)
        ours = {"VLLM_NO_USAGE_STATS": "1", "VLLM_SERVER_DEV_MODE": "1"}  # the latter lets us empty the prefix cache
        if installation.cpu_only:
            ours["VLLM_CPU_KVCACHE_SPACE"] = "1"  # GiB; by default vLLM takes half of the machine's memory
        return Launch(
            argv=(
                *_server(installation, located(model)),
                *("--host", "127.0.0.1", "--port", "{port}", "--served-model-name", served),
                *render({**_mapped(params), **params.flags}, schema, CONVENTION),
            ),
            env=environment(params.env, model, ours),
            served_model=served,
            gpus=0 if installation.cpu_only else self.world_size(params),
            reset_cache_path="/reset_prefix_cache",
        )

    def help_argv(self, installation: Installation) -> tuple[str, ...]:
        return (*_server(installation, None), "--help=all")

    def world_size(self, params: Params) -> int:
        return parallel.product(params, RANKS, DEGREES)

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        return (
            parallel.unknown_refusal(self.name, params, {**DEGREES, "ep": ()})
            or _ep_refusal(params)
            or dynamic_refusal(params.quant, quantization)
            or follows_refusal(self.name, params.quant)
            or parallel.twice_refusal(params, _mapped(params), ALIASES)
        )


def _server(installation: Installation, model: str | None) -> tuple[str, ...]:
    """`vllm serve MODEL`; the CPU build lacks what that program needs, so there the module is started instead."""
    if installation.cpu_only:
        module = (str(installation.python), "-m", "vllm.entrypoints.openai.api_server")
        return module if model is None else (*module, "--model", model)
    program = (str(installation.python.parent / "vllm"), "serve")
    return program if model is None else (*program, model)


def _mapped(params: Params) -> dict[str, Value]:
    flags: dict[str, Value] = {**parallel.flags(params, DEGREES)}
    if params.parallel.get("ep", 1) > 1:
        flags["enable-expert-parallel"] = True
    quant = params.quant
    flags |= gemm_flags(quant.get("gemm_dtype", AUTO))
    flags |= cache_flags(quant.get("kvcache_dtype", AUTO))
    return flags


def _ep_refusal(params: Params) -> str | None:
    """Experts are spread over all ranks or none: vLLM has a switch, no degree."""
    ep = params.parallel.get("ep", 1)
    ranks = parallel.product(params, ("tp", "dp", "cp"), DEGREES)
    if ep > 1 and ep != ranks:
        return f"vllm spreads experts over all tp × dp = {ranks} ranks; ep is 1 or {ranks}, not {ep}"
    return None
