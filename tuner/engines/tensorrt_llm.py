"""TensorRT-LLM, by its PyTorch backend: nothing is compiled beforehand."""

from collections.abc import Mapping, Sequence

from tuner.domain import Params
from tuner.engines import parallel
from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.engines.quantization import AUTO, cache_flags, dynamic_refusal, follows_refusal
from tuner.errors import FailureKind
from tuner.launch import HOST, MODEL, PORT, Launch, Program, Target
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset
from tuner.spec.values import Value

CONVENTION = Convention(separator="_", negates=False)

DEGREES: parallel.Degrees = {
    "tp": ("tp-size", "tensor-parallel-size"),
    "pp": ("pp-size", "pipeline-parallel-size"),
    "cp": ("cp-size", "context-parallel-size"),
    "moe_ep": ("ep-size", "moe-expert-parallel-size"),
    "ep": ("ep-size", "moe-expert-parallel-size"),
}
RANKS = ("tp", "pp", "cp")


class TensorRTLLM:
    name: str = "tensorrt-llm"
    aliases: tuple[str, ...] = ("tensorrt_llm", "trtllm", "trt-llm")
    simulated: bool = False
    recipes: Mapping[str, Recipe] = {
        "tensorrt-llm": Recipe(requirement="tensorrt-llm", module="tensorrt_llm", disk_gib=30)
    }
    image: str | None = None
    cpu_image: str | None = None
    presets: tuple[Preset, ...] = ()
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = {
        "single-gpu": {"tp": 1},
        "large-model-tp": {"tp": 8},
        "large-model-tp-pp": {"tp": 8, "pp": 2},
        "moe-optimized": {"tp": 4, "moe_tp": 2, "moe_ep": 8},
        "long-context": {"tp": 8, "cp": 2},
    }
    reserved: Mapping[str, str] = {
        "backend": "the tuner uses the pytorch backend",
        "config": "flags in a file would not be seen here; write them as parameters",
        "extra-llm-api-options": "flags in a file would not be seen here; write them as parameters",
        "grpc": "the benchmark speaks HTTP",
        "help": "it only prints the flags",
        "host": "the tuner binds every engine to the loopback interface",
        "port": "the tuner picks a free one",
        "served-model-name": "the tuner picks it; benchmark.model_name says what requests ask for",
    }
    reserved_env: Mapping[str, str] = {}
    failures: Sequence[FailurePattern] = (
        FailurePattern(r"^Error: (?:No such option|Invalid value|Option '|Missing)", FailureKind.INVALID_FLAG),
        FailurePattern(
            r"(?i)Failed to allocate .*memory|insufficient (?:gpu )?memory|no (?:free )?memory .*kv cache",
            FailureKind.OUT_OF_MEMORY,
        ),
        FailurePattern(r"(?i)Failed to bind socket", FailureKind.INFRASTRUCTURE),
        FailurePattern(r"ValidationError: \d+ validation errors? for \w*LlmArgs", FailureKind.INVALID_FLAG),
    )

    help: tuple[str, ...] = ("--help",)

    def program(self, target: Target) -> Program:
        return Program(words=("trtllm-serve", "serve"))

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        return Launch(
            program=self.program(target),
            args=(
                *(MODEL, "--host", HOST, "--port", PORT, "--backend", "pytorch"),
                *render({**_mapped(params), **params.flags}, schema, CONVENTION),
            ),
            env=environment(params.env, model, {}),
            model=located(model),
            served_model=served_name(model),  # what the server takes for its name when nobody says one
            gpus=self.world_size(params),
        )

    def world_size(self, params: Params) -> int:
        return parallel.product(params, RANKS, DEGREES)

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        return (
            parallel.unknown_refusal(self.name, params, {**DEGREES, "enable_expert_parallel": (), "moe_tp": ()})
            or _moe_refusal(params)
            or dynamic_refusal(params.quant, quantization)
            or _gemm_refusal(params.quant)
            or follows_refusal(self.name, params.quant)
            or parallel.twice_refusal(params, _mapped(params), DEGREES.values())
        )


def _mapped(params: Params) -> dict[str, Value]:
    flags: dict[str, Value] = {**parallel.flags(params, DEGREES)}
    if params.parallel.get("enable_expert_parallel"):
        flags.setdefault("ep-size", parallel.degree(params, "tp", DEGREES))
    cache = params.quant.get("kvcache_dtype", AUTO)
    # The engine has one fp8 format for its cache.
    return flags | cache_flags("fp8" if cache.startswith("fp8") else cache)


def _moe_refusal(params: Params) -> str | None:
    """Experts are split by moe_tp × moe_ep over the tp ranks; the engine has a flag for moe_ep and derives moe_tp."""
    moe_tp = params.parallel.get("moe_tp")
    tp, moe_ep = parallel.degree(params, "tp", DEGREES), params.parallel.get("moe_ep", params.parallel.get("ep", 1))
    if moe_ep != params.parallel.get("ep", moe_ep):
        return (
            f"ep and moe_ep are the same flag of tensorrt-llm; they say {params.parallel['ep']} and {moe_ep}, keep one"
        )
    if moe_tp is not None and moe_tp * moe_ep != tp:
        return f"tensorrt-llm needs moe_tp × moe_ep = tp; {moe_tp} × {moe_ep} is not {tp}"
    return None


def _gemm_refusal(quant: Mapping[str, str]) -> str | None:
    dtype = quant.get("gemm_dtype", AUTO)
    if dtype == AUTO:
        return None
    return f"tensorrt-llm takes the format of the weights from the checkpoint; leave gemm_dtype {dtype!r} out"
