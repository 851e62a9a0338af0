"""The parts that need no genai-bench; `test_genai_bench_live.py` has the rest."""

import json
import sys
from pathlib import Path

import pytest

from tuner.benchmarks.genai_bench import GenaiBench, WarmGenaiBench
from tuner.benchmarks.requests import read
from tuner.domain import Label
from tuner.errors import BenchmarkError, FailureKind, UnavailableError
from tuner.protocols import Workload

LABEL = Label("task", -1, "owner")


def workload(**changes: object) -> Workload:
    given = {"task_id": "task", "scenarios": (), "concurrencies": (), "tokenizer": "/t o k", "max_time_s": 61.0}
    return Workload(**{"max_requests": 7, **given, **changes})  # type: ignore[arg-type]


def warm(tmp_path: Path, python: Path = Path(sys.executable), **changes: object) -> WarmGenaiBench:
    return WarmGenaiBench(python, workload(**changes), tmp_path / "benchmark.log", LABEL, tmp_path / "processes")


def options(generator: WarmGenaiBench, scenario: str = "D(10,5)") -> dict[str, str]:
    arguments = generator.arguments("http://127.0.0.1:1", "served", scenario, 4, Path("/runs/0/level"))
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_an_empty_data_folder_says_how_to_install_it(tmp_path: Path) -> None:
    assert "autotuner engine install genai-bench" in (GenaiBench(tmp_path).missing() or "")


async def test_it_cannot_be_opened_before_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="engine install"):
        async with GenaiBench(tmp_path).open(workload(), tmp_path / "log", LABEL):
            raise AssertionError("opened")


def test_a_level_is_one_scenario_at_one_concurrency(tmp_path: Path) -> None:
    given = options(warm(tmp_path))
    assert given["--traffic-scenario"] == "D(10,5)"
    assert given["--num-concurrency"] == "4"
    assert given["--model-tokenizer"] == "/t o k"
    assert given["--api-model-name"] == "served"


def test_the_name_that_the_task_gives_the_model_wins(tmp_path: Path) -> None:
    assert options(warm(tmp_path, model_name="mine"))["--api-model-name"] == "mine"


def test_parameters_keep_their_types_and_temperature_is_zero_unless_given(tmp_path: Path) -> None:
    assert json.loads(options(warm(tmp_path))["--additional-request-params"]) == {"temperature": 0.0}
    given = options(warm(tmp_path, additional_params={"temperature": 0.7, "top_k": 3, "ignore_eos": False}))
    assert json.loads(given["--additional-request-params"]) == {"temperature": 0.7, "top_k": 3}


def test_only_the_dataset_scenario_gets_the_dataset(tmp_path: Path) -> None:
    generator = warm(tmp_path, dataset=Path("/prompts.json"), prefix_len=None)
    assert options(generator, "dataset")["--dataset-path"] == "/prompts.json"
    assert "--dataset-path" not in options(generator)


@pytest.mark.parametrize(("held_out", "sent"), [(Path("/aside.json"), "/aside.json"), (None, "/prompts.json")])
def test_the_prompts_that_were_set_aside_are_sent_where_there_are_some(
    tmp_path: Path, held_out: Path | None, sent: str
) -> None:
    generator = warm(tmp_path, dataset=Path("/prompts.json"), held_out=held_out)
    given = generator.arguments("http://x", "served", "dataset", 4, tmp_path / "level", held_out=True)
    assert dict(zip(given[::2], given[1::2], strict=True))["--dataset-path"] == sent
    assert options(generator, "dataset")["--dataset-path"] == "/prompts.json"


def test_prefixes_are_passed_on(tmp_path: Path) -> None:
    assert options(warm(tmp_path, prefix_len=3))["--prefix-len"] == "3"
    assert options(warm(tmp_path, prefix_ratio=0.5))["--prefix-ratio"] == "0.5"


async def test_an_environment_without_genai_bench_in_it_is_this_machines_fault(tmp_path: Path) -> None:
    generator = warm(tmp_path)
    with pytest.raises(BenchmarkError, match="died with exit code 1") as caught:
        await generator.measure("http://127.0.0.1:1", "m", "D(10,5)", 1, tmp_path / "runs" / "0")
    assert caught.value.kind is FailureKind.INFRASTRUCTURE
    assert any("genai_bench" in line for line in caught.value.lines)


async def test_an_interpreter_that_is_gone_is_this_machines_fault(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="cannot be started") as caught:
        await warm(tmp_path, python=tmp_path / "python").start()
    assert caught.value.kind is FailureKind.INFRASTRUCTURE


@pytest.mark.parametrize("text", ['{"started_at": 1', '{"started_at": 1}\n', '{"started_at": NaN}\n'])
def test_damaged_data_is_not_taken_for_a_measurement(tmp_path: Path, text: str) -> None:
    (tmp_path / "requests.jsonl").write_text(text)
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read(tmp_path / "requests.jsonl")


def test_equal_errors_at_different_addresses_are_one_error(tmp_path: Path) -> None:
    line = {"started_at": 1, "first_token_at": None, "finished_at": 2, "input_tokens": 0, "output_tokens": 0}
    errors = ["refused by <Connection at 0x7f01>", "refused by <Connection at 0x7f02>"]
    records = tmp_path / "requests.jsonl"
    records.write_text(
        "".join(json.dumps({**line, "wanted_tokens": None, "itl": None, "error": error}) + "\n" for error in errors)
    )
    assert {request.error for request in read(records)[1]} == {"refused by <Connection at 0x…>"}
