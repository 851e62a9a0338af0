"""Number formats: presets common to all engines, how they become flags, and what a checkpoint already is."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

QUANT_PRESETS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "kv-cache-fp8": {"kvcache_dtype": "fp8_e5m2"},
    "dynamic-fp8": {
        "gemm_dtype": "fp8",
        "kvcache_dtype": "fp8_e5m2",
        "attention_dtype": "fp8",
        "moe_dtype": "fp8",
    },
    "bf16-stable": {"gemm_dtype": "bfloat16", "kvcache_dtype": "fp8_e5m2"},
    "aggressive-moe": {
        "gemm_dtype": "bfloat16",
        "kvcache_dtype": "fp8_e5m2",
        "attention_dtype": "fp8",
        "moe_dtype": "w4afp8",
    },
}

AUTO = "auto"
"""Leaves a part of the model as the engine would have it."""

_PLAIN = ("bfloat16", "float16", "float32", "half", "float")
_IN_NAMES = re.compile(
    r"(?:^|[-_./])(awq|gptq|gguf|fp8|nvfp4|mxfp4|w4afp8|w4a16|w8a8|int4|int8|bnb|exl2|hqq)(?:$|[-_./])", re.IGNORECASE
)


def gemm_flags(dtype: str) -> dict[str, str]:
    """A plain format is the model's `dtype`, any other one a method that quantizes while loading."""
    if dtype == AUTO:
        return {}
    return {"dtype": dtype} if dtype in _PLAIN else {"quantization": dtype}


def cache_flags(dtype: str) -> dict[str, str]:
    return {} if dtype == AUTO else {"kv-cache-dtype": dtype}


def dynamic_refusal(quant: Mapping[str, str], quantization: str | None) -> str | None:
    """Weights are quantized once: fp8 while loading needs a checkpoint in a plain format."""
    gemm = quant.get("gemm_dtype", AUTO)
    if quantization and gemm.startswith("fp8"):
        return (
            f"gemm_dtype {gemm!r} quantizes while loading, but the checkpoint is already {quantization}; leave it out"
        )
    return None


def follows_refusal(engine: str, quant: Mapping[str, str]) -> str | None:
    """For engines without flags of their own: attention follows the KV cache, experts follow the other weights."""
    attention, cache = quant.get("attention_dtype", AUTO), quant.get("kvcache_dtype", AUTO)
    if attention != AUTO and attention.startswith("fp8") != cache.startswith("fp8"):
        return (
            f"{engine} computes attention in the format of the KV cache; "
            f"attention_dtype {attention!r} needs the same kvcache_dtype, not {cache!r}"
        )
    moe, gemm = quant.get("moe_dtype", AUTO), quant.get("gemm_dtype", AUTO)
    if moe not in (AUTO, gemm):
        return f"{engine} has no flag for the experts alone; moe_dtype {moe!r} needs the same gemm_dtype, not {gemm!r}"
    return None


def checkpoint_quantization(model: str) -> str | None:
    """How a model is already quantized, by its own config or by its name (`…-AWQ`, `….gguf`); None: it is not."""
    folder = Path(model).expanduser()
    method = _method(folder / "config.json", "quantization_config", "quant_method")
    method = method or _method(folder / "hf_quant_config.json", "quantization", "quant_algo")
    if method:
        return method.lower()
    if folder.is_dir() and any(folder.glob("*.gguf")):
        return "gguf"
    named = _IN_NAMES.search(folder.name if folder.exists() else model)
    return named[1].lower() if named else None


def _method(path: Path, block: str, key: str) -> str | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # no such file, or one that the engine itself will complain about
    section = config.get(block) if isinstance(config, dict) else None
    if not isinstance(section, dict):
        return None
    # modelopt and compressed-tensors name a family here and the format beside it.
    return str(section.get(key) or section.get("quant_method") or "") or None
