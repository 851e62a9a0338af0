"""What a checkpoint already is."""

import json
from pathlib import Path

import pytest

from tuner.engines.quantization import checkpoint_quantization


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("org/Llama-3-8B-AWQ", "awq"),
        ("org/Llama-3-8B-Instruct-FP8-dynamic", "fp8"),
        ("org/model.Q4_K_M.gguf", "gguf"),
        ("org/Kimi-NVFP4", "nvfp4"),
        ("org/Llama-3-8B", None),
        ("org/Hawqing", None),
    ],
)
def test_a_name_tells_how_a_hub_model_is_quantized(model: str, method: str | None) -> None:
    assert checkpoint_quantization(model) == method


def test_the_config_of_a_folder_tells_more_than_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "model-awq"
    folder.mkdir()
    assert checkpoint_quantization(str(folder)) == "awq"
    (folder / "config.json").write_text(json.dumps({"quantization_config": {"quant_method": "GPTQ"}}))
    assert checkpoint_quantization(str(folder)) == "gptq"


def test_a_modelopt_checkpoint_has_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "NVFP4"}}))
    assert checkpoint_quantization(str(tmp_path)) == "nvfp4"


@pytest.mark.parametrize("config", ["", "{", "[]", '{"quantization_config": 3}', '{"quantization_config": null}', "{}"])
def test_an_unreadable_config_says_nothing(tmp_path: Path, config: str) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    assert checkpoint_quantization(str(folder)) is None


def test_a_folder_of_gguf_files_is_gguf(tmp_path: Path) -> None:
    (tmp_path / "weights.gguf").touch()
    assert checkpoint_quantization(str(tmp_path)) == "gguf"
