"""The parts that need no guidellm, with a stand-in for its driver; `test_guidellm_live.py` has the rest."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tuner.benchmarks.guidellm import Guidellm, WarmGuidellm
from tuner.benchmarks.requests import read
from tuner.benchmarks.schedule import conversations
from tuner.benchmarks.warm_process import WarmProcess
from tuner.domain import Label, Level
from tuner.errors import BenchmarkError, FailureKind, UnavailableError
from tuner.protocols import Workload

LABEL = Label("task", -1, "owner")
STAND_IN = """
import json, sys
print("{}", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    with open(order["schedule"]) as schedule:
        planned = [json.loads(one) for one in schedule]
    sent = [turn for one in planned for turn in one["turns"]][: order["wanted"] + 10]
    with open(order["records"] + ".0", "w") as out:
        print(json.dumps({"lag_s": 0.001, "busy": 0.1, "cpu_s": 0.2}), file=out)
        for number, (size_in, size_out, due, _) in enumerate(sent):
            at = due if due is not None else number * 0.1
            line = {"started_at": at, "scheduled_at": due, "first_token_at": at + 0.05, "finished_at": at + 0.1}
            line |= {"input_tokens": size_in, "output_tokens": size_out, "wanted_tokens": size_out}
            print(json.dumps(line | {"chunk_at": [at + 0.1 * (1 + i) / size_out for i in range(size_out)]}), file=out)
    print(json.dumps({"ending": "complete", "ended_at": at + 0.2, "unmeasured": 10, "parts": 1}), flush=True)
"""


def workload(**changes: object) -> Workload:
    given = {"task_id": "task", "scenarios": (), "concurrencies": (), "tokenizer": "/t o k", "max_time_s": 60.0}
    return Workload(**{**given, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def opened(tmp_path: Path, program: str = STAND_IN, **changes: object) -> AsyncIterator[WarmGuidellm]:
    driver = tmp_path / "driver.py"
    driver.write_text(program)
    log, registry = tmp_path / "benchmark.log", tmp_path / "processes"
    process = WarmProcess("guidellm", Path(sys.executable), driver, "/t o k", log, LABEL, registry)
    try:
        yield WarmGuidellm(process, workload(**changes))
    finally:
        await process.stop()


def order(level: Level, **changes: object) -> dict[str, object]:
    tmp_path = Path("/runs/0/level")
    process = WarmProcess("guidellm", Path("python"), Path("driver"), "t", tmp_path, LABEL, tmp_path)
    made = WarmGuidellm(process, workload(**changes))
    return made.order("http://127.0.0.1:1", "served", level, conversations(level, made.workload, 1, 100), tmp_path)


def test_an_empty_data_folder_says_how_to_install_it(tmp_path: Path) -> None:
    assert "autotuner engine install guidellm" in (Guidellm(tmp_path).missing() or "")


async def test_it_cannot_be_opened_before_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="engine install guidellm"):
        async with Guidellm(tmp_path).open(workload(), tmp_path / "log", LABEL):
            raise AssertionError("opened")


def test_an_open_loop_has_no_clients_and_finds_out_what_it_does_not_measure() -> None:
    found = order(Level("D(9,5)", 0, 4.0))
    assert (found["streams"], found["unmeasured"], found["wanted"], found["finite"]) == (0, None, 100, False)


def test_a_closed_loop_measures_ten_requests_for_each_client() -> None:
    found = order(Level("D(9,5)", 64))
    assert (found["streams"], found["unmeasured"], found["wanted"]) == (64, 64, 640)


def test_a_level_has_a_seed_of_its_own_whatever_the_configuration() -> None:
    seeds = [order(level)["seed"] for level in (Level("D(9,5)", 4), Level("D(9,5)", 0, 4.0), Level("D(9,5)", 0, 8.0))]
    assert len(set(seeds)) == 3
    assert order(Level("D(9,5)", 4))["seed"] == seeds[0]


def test_parameters_of_the_user_win_and_temperature_is_zero_unless_given() -> None:
    assert order(Level("D(9,5)", 4))["extra"] == {"temperature": 0.0}
    found = order(Level("D(9,5)", 4), additional_params={"temperature": 0.7, "top_k": 3}, model_name="mine")
    assert found["extra"] == {"temperature": 0.7, "top_k": 3}
    assert found["body"] == {"model": "mine", "stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(("given", "tokens"), [({"prefix_len": 30}, 30), ({"prefix_ratio": 0.25}, 25), ({}, 0)])
def test_a_shared_prefix_is_passed_on(given: dict[str, object], tokens: int) -> None:
    assert order(Level("D(100,5)", 4), **given)["prefix_tokens"] == tokens


def test_held_out_prompts_are_for_confirmations(tmp_path: Path) -> None:
    made = WarmGuidellm(
        WarmProcess("guidellm", Path("python"), Path("driver"), "t", tmp_path, LABEL, tmp_path),
        workload(dataset=Path("/all.json"), held_out=Path("/kept.json")),
    )
    level = Level("dataset", 4)
    planned = conversations(level, made.workload, 1, 100)
    told = [made.order("u", "m", level, planned, tmp_path, held_out)["dataset"] for held_out in (False, True)]
    assert told == ["/all.json", "/kept.json"]


def test_more_tokens_are_shared_by_more_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert [order(Level("D(9,100)", 0, rate))["processes"] for rate in (1.0, 30.0, 60.0, 1000.0)] == [1, 2, 3, 8]
    assert [order(Level("D(9,100)", clients))["processes"] for clients in (1, 33, 512)] == [1, 2, 8]


async def test_a_level_is_kept_in_one_format_whatever_made_it(tmp_path: Path) -> None:
    async with opened(tmp_path, arrival="constant", max_requests=40) as load:
        point = await load.measure("http://127.0.0.1:1", "m", "D(9,5)", 0, tmp_path / "runs" / "0", rate=4.0)
    assert point.valid, point.error
    assert (point.name, point.requests) == ("D(9,5) @ 4/s", 40)
    assert point.raw == "0/D_9_5_4_s/requests.jsonl"
    level, requests = read(tmp_path / "runs" / point.raw)
    assert level is not None
    assert (level.generator, level.unmeasured, level.wanted) == ("guidellm", 10, 40)
    assert [one.scheduled_at for one in requests[:3]] == pytest.approx([0.25, 0.5, 0.75])
    assert sorted(path.name for path in (tmp_path / "runs" / "0" / "D_9_5_4_s").iterdir()) == ["requests.jsonl"]


async def test_a_trace_is_sent_with_its_lengths_and_all_of_it_is_measured(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    lines = [{"timestamp": 200 * n, "input_length": 20 + n, "output_length": 4 + n % 3} for n in range(30)]
    trace.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    program = STAND_IN.replace('"unmeasured": 10', '"unmeasured": 0')
    async with opened(tmp_path, program, trace=trace) as load:
        point = await load.measure("http://127.0.0.1:1", "m", "trace", 0, tmp_path / "runs" / "0")
    assert (point.valid, point.name, point.requests) == (True, "trace", 30)
    assert point.raw is not None
    level, requests = read(tmp_path / "runs" / point.raw)
    assert level is not None
    assert level.trace
    assert [(one.input_tokens, one.wanted_tokens) for one in requests] == [(20 + n, 4 + n % 3) for n in range(30)]


async def test_a_trace_that_is_gone_by_then_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path, trace=tmp_path / "gone.jsonl") as load:
        with pytest.raises(BenchmarkError, match=r"gone\.jsonl cannot be read"):
            await load.measure("http://127.0.0.1:1", "m", "trace", 0, tmp_path / "runs" / "0")


async def test_a_tokenizer_that_cannot_be_loaded_says_nothing_of_a_configuration(tmp_path: Path) -> None:
    async with opened(tmp_path, 'print(\'{"error": "no such file"}\')') as load:
        with pytest.raises(UnavailableError, match="The tokenizer /t o k cannot be loaded: no such file"):
            await load.measure("http://127.0.0.1:1", "m", "D(9,5)", 2, tmp_path / "runs" / "0")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('{"error": "a worker process died with signal 9", "died": true, "over": true}', FailureKind.INFRASTRUCTURE),
        ('{"error": "[Errno 28] No space left on device", "errno": 28}', FailureKind.INFRASTRUCTURE),
        ('{"error": "something else"}', FailureKind.BENCHMARK_FAILED),
    ],
)
async def test_a_level_that_could_not_be_sent_says_whose_fault_it_is(
    tmp_path: Path, said: str, kind: FailureKind
) -> None:
    async with opened(tmp_path, f"print('{{}}', flush=True); input(); print({said!r})") as load:
        with pytest.raises(BenchmarkError, match="guidellm: ") as caught:
            await load.measure("http://127.0.0.1:1", "m", "D(9,5)", 2, tmp_path / "runs" / "0")
    assert caught.value.kind is kind


async def test_a_cancelled_level_ends_its_process(tmp_path: Path) -> None:
    async with opened(tmp_path, "import time\nprint('{}', flush=True)\ninput()\ntime.sleep(600)") as load:
        measuring = asyncio.create_task(load.measure("http://127.0.0.1:1", "m", "D(9,5)", 2, tmp_path / "runs" / "0"))
        while not list((tmp_path / "processes").glob("*.json")):
            await asyncio.sleep(0.01)
        measuring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await measuring
        assert not list((tmp_path / "processes").glob("*.json"))
