"""What an engine is given is what was asked for, under one name and once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import rig
from tests.fakes.engine import installed_engine
from tuner.engines import ENGINES, argv, flags, written
from tuner.engines.argv import Convention, render
from tuner.errors import InvalidSpecError
from tuner.protocols import Flag
from tuner.runner.plan import Plan, plan
from tuner.settings import Settings
from tuner.spec.values import Value

SCHEMA = flags.parse(Path(__file__).with_name("vllm_help.txt").read_text())
HELP = """options:
  --batch-size N, --batch N, -b N
                        How many at once. (default: 8)
  --share PART, --part PART
                        Of the memory. (default: 0.9)
  --cache {auto,8,8.0}  Which. (default: auto)
  --sizes SIZE [SIZE ...]
                        Several.
  --config CONFIG, -cc CONFIG
                        JSON. (default: {})
  --plain X             Anything.
"""
MANY = Flag("sizes", "--sizes", many=True)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    rig.install(monkeypatch)
    monkeypatch.setitem(ENGINES, "fake", installed_engine(help=HELP))
    return Settings(home=tmp_path / "home")


async def planned(settings: Settings, parameters: Mapping[str, Any], **changes: Any) -> Plan:
    return await plan(rig.spec(parameters=parameters, **changes), settings)


async def candidates(settings: Settings, parameters: Mapping[str, Any], **changes: Any) -> list[dict[str, Value]]:
    made = await planned(settings, parameters, **changes)
    return [params.flat for params in made.space.candidates or ()]


async def problems(settings: Settings, parameters: Mapping[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidSpecError) as refused:
        await planned(settings, parameters, **changes)
    return {problem.where: problem.message for problem in refused.value.problems}


# Several values


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("1 2 4", ["1", "2", "4"]),
        ("  1   2 ", ["1", "2"]),
        ("'a b' c", ["a b", "c"]),
        ('"x y"', ["x y"]),
        (r"a\\ b c", ["a b", "c"]),
        ('{"name": "x", "path": "/a b"}', ['{"name": "x", "path": "/a b"}']),
        ('{"a": 1} {"b": "c d"} e', ['{"a": 1}', '{"b": "c d"}', "e"]),
        ('["*", "x y"]', ['["*", "x y"]']),
        ("[a b]", ["[a", "b]"]),
        ("{1}x y", ["{1}x", "y"]),
        ("[1]x y", ["[1]x", "y"]),
        ("name=/path/to/it other=/p", ["name=/path/to/it", "other=/p"]),
        ("", []),
    ],
)
def test_words_are_split_as_a_shell_does_and_json_stays_whole(given: str, words: list[str]) -> None:
    assert argv.split(given.replace("\\\\", "\\")) == words
    assert render({"sizes": given.replace("\\\\", "\\")}, {"sizes": MANY}, Convention()) == ["--sizes", *words]


async def test_a_quote_that_is_not_closed_is_refused(settings: Settings) -> None:
    found = await problems(settings, {"sizes": ["1 2", "'a b"]})
    assert "split as a shell does, and there is no closing quotation" in found["parameters.sizes"]


# Names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpu-memory-utilization", "device-memory-utilization"),
        ("tensor-parallel-size", "tp"),
        ("quantization", "q"),
    ],
)
def test_the_names_in_the_help_of_an_engine_are_one_flag(one: str, other: str) -> None:
    assert written.own_name(other, SCHEMA) == written.own_name(one, SCHEMA) == one
    assert written.twice([one, "dtype", other], SCHEMA) == {other: one}
    assert written.parameters({one: (1, 2)}, SCHEMA) == written.parameters({other: (1, 2)}, SCHEMA)
    assert written.own_name(other, None) == other


async def test_two_names_of_one_flag_are_refused(settings: Settings) -> None:
    found = await problems(settings, {"batch-size": 1, "b": [1, 2], "cc.mode": 1, "config.mode": 2, "cc.level": 3})
    assert found == {
        "parameters.b": "b and batch-size are one flag; keep one",
        "parameters.config.mode": "config.mode and cc.mode are one flag; keep one",
    }


async def test_candidates_and_commands_have_the_flags_own_name(settings: Settings) -> None:
    made = await planned(settings, {"batch": [1, 2], "cc.the_mode": "x"}, constraints=["batch < 2"])
    assert [params.flat for params in made.space.candidates or ()] == [{"config.the-mode": "x", "batch-size": 1}]
    assert [skip.reason for skip in made.space.skipped] == ["'batch < 2' does not hold"]
    assert await candidates(settings, {"batch-size": [1, 2]}) == await candidates(settings, {"b": [1, 2]})


async def test_a_constraint_may_use_the_name_that_the_task_uses_and_no_other(settings: Settings) -> None:
    assert await candidates(settings, {"part": [0.5, 0.9]}, constraints=["part < 0.8"]) == [{"share": 0.5}]
    assert "constraints.0" in await problems(settings, {"part": [0.5, 0.9]}, constraints=["parts < 0.8"])


# Values


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([64, "64"], [64]),
        (["64", 64.0, 64], [64]),
        ([1e3, 1000], [1000]),
        (["1e3", "1000"], [1000]),
        ([2048.0, 1.5], [2048, 1.5]),
        ([0.9, "0.9", "0.90"], [0.9, "0.90"]),
        (["064", "64"], ["064", 64]),
        (["12.0"], ["12.0"]),
        ([-1, "-1"], [-1]),
        (["auto", "1k", "1e3x", " 1"], ["auto", "1k", "1e3x", " 1"]),
        ([1e300, 2.0**60], [1e300, 2.0**60]),
    ],
)
async def test_values_that_a_command_line_shows_alike_are_one_candidate(
    settings: Settings, values: list[Value], kept: list[Value]
) -> None:
    for flag in ("batch-size", "plain"):
        if "1e3" in values and flag == "plain":
            continue  # of a flag whose kind nobody knows, text stays text
        found = [one[flag] for one in await candidates(settings, {flag: values})]
        assert [(type(value), value) for value in found] == [(type(value), value) for value in kept]
        found = [one[flag] for one in await candidates(settings, {flag: {"type": "choice", "values": values}})]
        assert found == kept


async def test_text_with_an_exponent_is_a_number_only_where_the_flag_takes_whole_ones(settings: Settings) -> None:
    assert await candidates(settings, {"plain": ["1e3"]}) == [{"plain": "1e3"}]
    assert await candidates(settings, {"share": ["1e3"]}) == [{"share": "1e3"}]
    (fixed,) = await candidates(settings, {"batch-size": "2E2"})
    assert fixed == {"batch-size": 200}


async def test_a_flags_own_choices_stay_as_they_are(settings: Settings) -> None:
    found = [one["cache"] for one in await candidates(settings, {"cache": ["auto", "8", "8.0"]})]
    assert found == ["auto", "8", "8.0"]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**62), 2**62) | st.text(max_size=8))
def test_whatever_it_is_called_a_value_stays_the_same_on_the_command_line(value: Value) -> None:
    made = written.plain(value, None)
    assert argv.word(made) == argv.word(value)
    assert written.plain(made, None) == made


@pytest.mark.parametrize(("value", "word"), [(8.0, "8"), (0.5, "0.5"), (1e3, "1000"), (1e22, "1e+22"), (-2.0, "-2")])
def test_a_whole_number_has_no_point_also_where_a_range_gave_it(value: float, word: str) -> None:
    assert render({"x": value}, None, Convention())[-1].removeprefix("--x=") == word


# Environment


async def test_a_variable_is_text_so_equal_texts_are_one_value(settings: Settings) -> None:
    found = await candidates(settings, {}, environment={"A": [1, "1", True, "1.10", 1.1, "1.1"]})
    assert found == [{"A": 1}, {"A": "1.10"}, {"A": 1.1}]


GPUS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")


@pytest.mark.parametrize("name", [*GPUS, "cuda_visible_devices"])
async def test_gpus_are_not_chosen_by_a_variable(settings: Settings, name: str) -> None:
    found = await problems(settings, {"plain": [1, 2]}, environment={name: ["0", "1"]})
    assert found[f"environment.{name}"].startswith(f"{name} cannot be set: the tuner gives each experiment its GPUs")
    assert "CUDA_VISIBLE_DEVICES=0,1 autotuner tune FILE" in found[f"environment.{name}"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("PORT", "the tuner picks a free port"),
        ("HOST", "the tuner picks a free port"),
        ("AUTOTUNER_TASK", "are the tuner's own"),
        ("FAKE_KEY", "nobody asks for it"),
    ],
)
async def test_what_would_break_the_measurement_is_no_variable_of_a_task(
    settings: Settings, name: str, why: str
) -> None:
    assert why in (await problems(settings, {"plain": [1, 2]}, environment={name: "1"}))[f"environment.{name}"]


@pytest.mark.parametrize(
    ("engine", "name"),
    [("vllm", "VLLM_API_KEY"), ("vllm", "VLLM_PORT"), ("vllm", "VLLM_SERVER_DEV_MODE"), ("sglang", "SGLANG_API_KEY")],
)
async def test_an_engines_own_key_and_port_are_not_set(settings: Settings, engine: str, name: str) -> None:
    found = await problems(settings, {}, base_runtime=engine, environment={name: "1"})
    assert found[f"environment.{name}"].startswith(f"{name} cannot be set: ")
    launch = ENGINES[engine].launch("org/model", rig.plan_of(rig.spec()).space.fixed, rig.HERE, None)
    assert name in launch.unset
    assert json.loads(launch.model_dump_json())["unset"] == list(launch.unset)
