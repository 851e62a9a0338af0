"""How flags are written."""

from pathlib import Path

import pytest

from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.protocols import Flag
from tuner.spec.values import Value

DASHES = Convention(separator="-", negates=True)
UNDERSCORES = Convention(separator="_")


@pytest.mark.parametrize(
    ("name", "value", "dashes", "underscores"),
    [
        ("max-num-seqs", 4, ["--max-num-seqs", "4"], ["--max_num_seqs", "4"]),
        ("gpu-memory-utilization", 0.9, ["--gpu-memory-utilization", "0.9"], ["--gpu_memory_utilization", "0.9"]),
        ("enforce-eager", True, ["--enforce-eager"], ["--enforce_eager"]),
        ("enforce-eager", False, ["--no-enforce-eager"], []),
        ("max-model-len", -1, ["--max-model-len=-1"], ["--max_model_len=-1"]),
        ("chat-template", "a b; rm", ["--chat-template", "a b; rm"], ["--chat_template", "a b; rm"]),
    ],
)
def test_without_a_schema_the_engines_convention_decides(
    name: str, value: Value, dashes: list[str], underscores: list[str]
) -> None:
    assert render({name: value}, None, DASHES) == dashes
    assert render({name: value}, None, UNDERSCORES) == underscores


def test_a_schema_decides_how_a_flag_is_spelled() -> None:
    tp = Flag("tensor-parallel-size", "--tensor-parallel-size")
    assert render({"tp": 2}, {"tp": tp}, UNDERSCORES) == ["--tensor-parallel-size", "2"]


def test_a_switch_is_turned_off_by_its_own_negation_or_left_out() -> None:
    caching = Flag("caching", "--caching", negation="--no-caching", takes_value=False)
    quiet = Flag("quiet", "--quiet", takes_value=False)
    assert render({"caching": False, "quiet": False}, {"caching": caching, "quiet": quiet}, DASHES) == ["--no-caching"]


def test_a_boolean_for_a_flag_with_a_value_is_written_as_its_choices_are() -> None:
    flag = Flag("trace", "--trace", choices=("True", "False"))
    assert render({"trace": True}, {"trace": flag}, DASHES) == ["--trace", "True"]
    assert render({"trace": False}, {"trace": Flag("trace", "--trace")}, DASHES) == ["--trace", "false"]


def test_several_values_are_separate_arguments() -> None:
    sizes = Flag("sizes", "--sizes", many=True)
    assert render({"sizes": "1 2 4"}, {"sizes": sizes}, DASHES) == ["--sizes", "1", "2", "4"]


def test_a_part_of_a_json_flag_keeps_the_underscores_of_its_key() -> None:
    config = Flag("compilation-config", "--compilation-config")
    written = render({"compilation-config.cudagraph-mode": "NONE"}, {"compilation-config": config}, DASHES)
    assert written == ["--compilation-config.cudagraph_mode", "NONE"]
    assert render({"kernel-config.fast": True}, None, DASHES) == ["--kernel-config.fast", "true"]


def test_a_folder_is_served_under_its_name_and_a_hub_id_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert served_name("my model/") == "my model"
    assert located("my model") == str(tmp_path / "my model")
    assert served_name("org/name") == located("org/name") == "org/name"


def test_the_environment_is_text_and_the_configuration_wins(tmp_path: Path) -> None:
    env = environment({"A": True, "B": 2, "OURS": "mine"}, str(tmp_path), {"OURS": "1"})
    assert env == {"A": "1", "B": "2", "OURS": "mine", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    assert "HF_HUB_OFFLINE" not in environment({}, "org/name", {})
