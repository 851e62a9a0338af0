"""SGLang."""

from collections.abc import Mapping, Sequence

from tuner.domain import Params
from tuner.engines import parallel
from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.engines.quantization import AUTO, cache_flags, dynamic_refusal, gemm_flags
from tuner.engines.variables import ADDRESS
from tuner.errors import FailureKind
from tuner.launch import HOST, MODEL, PORT, Launch, Program, Target
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset
from tuner.spec.values import Value

CONVENTION = Convention(separator="-", negates=False)

DEGREES: parallel.Degrees = {
    "tp": ("tp-size", "tensor-parallel-size", "tp"),
    "pp": ("pp-size", "pipeline-parallel-size", "pp"),
    "dp": ("dp-size", "data-parallel-size", "dp"),
    "ep": ("ep-size", "expert-parallel-size", "ep"),
    "moe_dense_tp": ("moe-dense-tp-size",),
}
RANKS = ("tp", "pp", "dp")

ATTENTION_BACKENDS = {"fp8": "flashinfer", "fp8_e5m2": "flashinfer", "fp8_e4m3": "fa3"}
"""The kernels that compute attention in a format; FA3 knows no e5m2."""
MOE_BACKENDS = {"fp8": "triton", "w4afp8": "cutlass", "mxfp4": "flashinfer_mxfp4", "nvfp4": "flashinfer_cutlass"}
_PLAIN = ("auto", "bfloat16", "float16")


PRESETS = (
    Preset(
        name="sglang-throughput",
        description="Most tokens per second from SGLang under heavy load: memory, prefill chunks and scheduling.",
        engine="sglang",
        task={
            "parameters": {
                "mem-fraction-static": [0.8, 0.85, 0.9],
                "chunked-prefill-size": [2048, 4096, 8192, 16384],
                "schedule-policy": ["lpm", "fcfs"],
                "max-running-requests": [128, 256, 512],
            },
            "optimization": {"objective": "maximize_throughput"},
            "benchmark": {"num_concurrency": [32, 128, 256]},
        },
    ),
    Preset(
        name="sglang-latency",
        description="Shortest answers from SGLang for a few users: small batches and prefill chunks.",
        engine="sglang",
        task={
            "parameters": {
                "max-running-requests": [8, 16, 32],
                "chunked-prefill-size": [512, 1024, 2048, 4096],
                "num-continuous-decode-steps": [1, 2, 4],
            },
            "optimization": {"objective": "minimize_latency"},
            "benchmark": {"num_concurrency": [1, 2, 4]},
        },
    ),
)


class SGLang:
    name: str = "sglang"
    aliases: tuple[str, ...] = ()
    simulated: bool = False
    recipes: Mapping[str, Recipe] = {"sglang": Recipe(requirement="sglang", module="sglang", disk_gib=20)}
    image: str | None = "lmsysorg/sglang"
    cpu_image: str | None = None
    presets: tuple[Preset, ...] = PRESETS
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = {
        "single-gpu": {"tp": 1},
        "high-throughput": {"dp": 8},
        "large-model-tp": {"tp": 8},
        "large-model-tp-pp": {"tp": 8, "pp": 2},
        "moe-optimized": {"tp": 2, "dp": 8, "enable_expert_parallel": True, "moe_dense_tp": 2},
        "balanced": {"tp": 2, "dp": 4},
    }
    reserved: Mapping[str, str] = {
        "api-key": "requests of the benchmark carry no key",
        "config": "flags in a file would not be seen here; write them as parameters",
        "enable-metrics": "the tuner turns it on",
        "help": "it only prints the flags",
        "host": "the tuner binds every engine to the loopback interface",
        "model": "the task's model says it",
        "model-path": "the task's model says it",
        "port": "the tuner picks a free one",
        "served-model-name": "the tuner picks it; benchmark.model_name says what requests ask for",
    }
    reserved_env: Mapping[str, str] = {
        "SGLANG_API_KEY": "requests of the benchmark carry no key",
        "SGLANG_HOST_IP": ADDRESS,
        "SGLANG_PORT": ADDRESS,
    }
    failures: Sequence[FailurePattern] = (
        FailurePattern(
            r"Not enough memory\b|Loading (?:the )?model .*out of memory|increas\w+ --mem-fraction-static|"
            r"Capture cuda graph failed.*memory",
            FailureKind.OUT_OF_MEMORY,
        ),
        FailurePattern(r"Can't load (?:the configuration|tokenizer|the model)|not a valid model", FailureKind.CRASHED),
        FailurePattern(r"AssertionError: .*(?:size|support|must|divisible)", FailureKind.INVALID_FLAG),
    )

    help: tuple[str, ...] = ("--help",)

    def program(self, target: Target) -> Program:
        return Program(words=("sglang.launch_server",), module=True)

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        served = served_name(model).replace(":", "-")  # SGLang keeps the colon for adapters
        return Launch(
            program=self.program(target),
            args=(
                *("--model-path", MODEL, "--host", HOST, "--port", PORT, "--served-model-name", served),
                "--enable-metrics",
                *render({**_mapped(params), **params.flags}, schema, CONVENTION),
            ),
            env=environment(params.env, model, {}),
            unset=tuple(self.reserved_env),
            model=located(model),
            served_model=served,
            gpus=0 if target.cpu_only else self.world_size(params),
            reset_cache_path="/flush_cache",
            reset_cache_refusal=r"(?i)\bnot flushed\b",
        )

    def world_size(self, params: Params) -> int:
        return parallel.product(params, RANKS, DEGREES)

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        return (
            parallel.unknown_refusal(self.name, params, {**DEGREES, "enable_expert_parallel": ()})
            or _dp_refusal(params)
            or dynamic_refusal(params.quant, quantization)
            or _backend_refusal("attention_dtype", params.quant, ATTENTION_BACKENDS)
            or _backend_refusal("moe_dtype", params.quant, MOE_BACKENDS)
            or parallel.twice_refusal(params, _mapped(params), DEGREES.values())
        )


def _mapped(params: Params) -> dict[str, Value]:
    flags: dict[str, Value] = {**parallel.flags(params, DEGREES)}
    if params.parallel.get("enable_expert_parallel"):
        flags.setdefault("ep-size", parallel.degree(params, "tp", DEGREES))
    quant = params.quant
    flags |= gemm_flags(quant.get("gemm_dtype", AUTO))
    flags |= cache_flags(quant.get("kvcache_dtype", AUTO))
    if backend := ATTENTION_BACKENDS.get(quant.get("attention_dtype", "")):
        flags["attention-backend"] = backend
    if backend := MOE_BACKENDS.get(quant.get("moe_dtype", "")):
        flags["moe-runner-backend"] = backend
    return flags


def _dp_refusal(params: Params) -> str | None:
    tp, dp = (parallel.degree(params, name, DEGREES) for name in ("tp", "dp"))
    return f"sglang needs tp to be a multiple of dp; tp {tp} is none of dp {dp}" if tp % dp else None


def _backend_refusal(part: str, quant: Mapping[str, str], backends: Mapping[str, str]) -> str | None:
    dtype = quant.get(part, AUTO)
    if dtype in backends or dtype in _PLAIN:
        return None
    return f"sglang has no kernels known here for {part} {dtype!r}; there are {', '.join((*_PLAIN, *backends))}"
