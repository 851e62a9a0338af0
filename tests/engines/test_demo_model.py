"""The tiny model for first tries."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from tokenizers import Tokenizer

from tuner.engines.models import demo_model
from tuner.errors import ConflictError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_model.make(tmp_path_factory.mktemp("models") / "a demo")


def test_it_has_what_an_engine_and_a_tokenizer_look_for(model: Path) -> None:
    assert {path.name for path in model.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    config = json.loads((model / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == config["vocab_size"] == 8192
    assert tokenizer.token_to_id("</s>") == config["eos_token_id"]


def test_the_tokenizer_loses_nothing(model: Path) -> None:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    text = "def main() -> None:\n\treturn 'größer 世界 🙂'"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_weights_are_a_safetensors_file_of_29_million_small_numbers(model: Path) -> None:
    with safe_open(str(model / "model.safetensors"), "np") as weights:
        names = list(weights.keys())
        shapes = {name: weights.get_slice(name).get_shape() for name in names}
        kinds = {weights.get_slice(name).get_dtype() for name in names}
    assert kinds == {"BF16"}
    assert 29_000_000 < sum(int(np.prod(shape)) for shape in shapes.values()) < 30_000_000
    assert shapes["model.layers.7.mlp.down_proj.weight"] == [512, 1536]
    name, shape, data = next(demo_model.random_weights())
    values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    assert (name, shape) == ("model.embed_tokens.weight", (8192, 512))
    assert abs(float(values.std()) - 0.02) < 0.001


def test_it_is_the_same_wherever_it_is_made(model: Path, tmp_path: Path) -> None:
    other = demo_model.make(tmp_path / "b")
    assert all(path.read_bytes() == (other / path.name).read_bytes() for path in model.iterdir())


def test_one_that_is_there_stays(model: Path) -> None:
    before = (model / "model.safetensors").stat().st_mtime_ns
    assert demo_model.make(model) == model
    assert (model / "model.safetensors").stat().st_mtime_ns == before


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConflictError, match="is not empty"):
        demo_model.make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_model, "LAYERS", 1)
    (tmp_path / "empty").mkdir()
    assert (demo_model.make(tmp_path / "empty") / "config.json").is_file()


def test_a_model_that_could_not_be_finished_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo_model, "_write_safetensors", full)
    with pytest.raises(OSError, match="No space left"):
        demo_model.make(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
