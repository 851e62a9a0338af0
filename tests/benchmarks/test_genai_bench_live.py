"""genai-bench itself, against the simulated engine."""

import asyncio
import json
import re
import signal
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fakes.genai_home import genai_home
from tests.fakes.load_rig import LoadRig, load_rig
from tests.fakes.simulated_process import MODEL, simulated
from tuner.benchmarks import genai_bench, pacing, warm_process
from tuner.benchmarks.requests import Request, read
from tuner.engines.models import demo_model
from tuner.errors import BenchmarkError, FailureKind, UnavailableError

pytestmark = pytest.mark.bench
FAST = ("--sim-speed", "20")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_model.make(tmp_path_factory.mktemp("a model") / MODEL)


def kept(raw: Path) -> list[Request]:
    """What was sent and answered."""
    return [one for one in read(raw)[1] if one.answered]


def rig(tmp_path: Path, tokenizer: Path, **changes: Any) -> AbstractAsyncContextManager[LoadRig]:
    return load_rig("genai-bench", tmp_path, tokenizer, 2, **{"max_requests": 8, **changes})


async def test_every_kind_of_scenario_is_measured_and_kept_apart(tmp_path: Path, tokenizer: Path) -> None:
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps(["one\nprompt", 'another, "quoted" one']))
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, dataset=prompts, additional_params={"max_tokens": 6}) as bench:
            points = [
                await bench.measure(server.url, scenario)
                for scenario in ("D(40,8)", "N(40,5)/(8,2)", "U(30,50)/(4,8)", "dataset")
            ]
    assert [point.error for point in points] == [None] * 4
    assert len({point.raw for point in points}) == 4
    for point in points:
        requests = kept(bench.file(point.raw))
        assert {request.output_tokens for request in requests} == {6}  # the user's max_tokens wins over the scenario's
        assert len(requests) >= point.requests == 8


async def test_lengths_and_prefixes_are_those_that_were_asked_for(tmp_path: Path, tokenizer: Path) -> None:
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, prefix_len=20) as bench:
            point = await bench.measure(server.url, "D(60,8)")
            varied = await bench.measure(server.url, "U(30,50)/(4,8)")
    assert point.valid
    for request in kept(bench.file(point.raw)):
        assert (request.wanted_tokens, request.output_tokens, request.pieces) == (8, 8, 8)
    assert varied.valid
    assert len({request.wanted_tokens for request in kept(bench.file(varied.raw))}) > 1


async def test_clients_start_one_by_one_and_the_load_is_kept_up_to_the_end(tmp_path: Path, tokenizer: Path) -> None:
    with simulated("--sim-speed", "5") as server:
        async with rig(tmp_path, tokenizer, max_requests=24) as bench:
            point = await bench.measure(server.url, "D(40,16)", 6)
    level, sent = read(bench.file(point.raw))
    assert level is not None
    assert (point.requests, point.sent, level.unmeasured, level.wanted) == (24, len(sent), 6, 24)
    first, starts = sent[0], [request.started_at for request in sent[:6]]
    assert first.chunk_at is not None
    assert first.chunk_at[0] < starts[1] < starts[3] < starts[5], "each waits for a part of the first answer"
    under_way = [request for request in sent if request.finished_at is None]
    assert len(under_way) == 5, "all but the client whose answer ended the level are at work"
    assert all(request.started_at <= level.ended_at for request in sent)
    assert all((request.finished_at or 0) <= level.ended_at for request in sent)


async def test_many_clients_are_shared_by_processes(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genai_bench, "CLIENTS_EACH", 3)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    with simulated("--sim-speed", "5") as server:
        async with rig(tmp_path, tokenizer, max_requests=40) as bench:
            point = await bench.measure(server.url, "D(40,8)", 9)
    assert point.valid
    assert (point.requests, point.failed) == (40, 0)
    assert [path.name for path in bench.file(point.raw).parent.glob("requests*")] == ["requests.jsonl"]


async def test_prompts_of_a_dataset_are_not_repeated_before_all_were_sent(tmp_path: Path, tokenizer: Path) -> None:
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps(["prompt " * (number + 1) for number in range(10)]))
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, dataset=prompts, additional_params={"max_tokens": 4}) as bench:
            point = await bench.measure(server.url, "dataset", 2)
    sizes = [request.input_tokens for request in kept(bench.file(point.raw))]
    assert len(set(sizes[:10])) == min(10, len(sizes)) >= 10


async def test_a_user_who_lets_the_model_stop_gets_no_check_of_lengths(tmp_path: Path, tokenizer: Path) -> None:
    with simulated(*FAST, "--sim-answer-tokens", "3") as server:
        async with rig(tmp_path, tokenizer, additional_params={"ignore_eos": False}) as bench:
            point = await bench.measure(server.url)
    assert point.valid
    assert {request.wanted_tokens for request in kept(bench.file(point.raw))} == {None}


async def test_a_sick_server_makes_a_level_invalid_with_its_reason_and_the_next_level_runs(
    tmp_path: Path, tokenizer: Path
) -> None:
    failed, unhealthy = FailureKind.BENCHMARK_FAILED, FailureKind.UNHEALTHY_OUTPUT
    cases = {
        ("--sim-refuse",): (failed, "500: "),
        ("--sim-garbage",): (failed, "no stream of events"),
        ("--sim-empty",): (unhealthy, "empty"),
        ("--sim-answer-tokens", "3"): (unhealthy, "3 of 8 tokens"),
        ("--sim-crash-after", "4"): (failed, "requests failed"),
    }
    async with rig(tmp_path, tokenizer) as bench:
        warm = bench.processes()
        for flags, (kind, reason) in cases.items():
            with simulated(*FAST, *flags) as server:
                point = await bench.measure(server.url)
            assert (point.failure, reason in (point.error or "")) == (kind, True), (flags, point.error)
            assert bench.file(point.raw).exists()
        with simulated(*FAST) as server:
            assert (await bench.measure(server.url)).valid
        assert bench.processes() == warm


async def test_what_genai_bench_refuses_is_told_in_its_own_words(tmp_path: Path, tokenizer: Path) -> None:
    async with rig(tmp_path, tokenizer, prefix_ratio=0.5) as bench:
        with pytest.raises(BenchmarkError, match="--prefix-ratio requires") as caught:
            await bench.measure("http://127.0.0.1:9", "U(10,20)/(5,8)")
    assert caught.value.kind is FailureKind.BENCHMARK_FAILED


async def test_a_tokenizer_that_cannot_be_loaded_says_nothing_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tokenizer.json").write_text("{")
    async with rig(tmp_path, tmp_path / "broken") as bench:
        with pytest.raises(UnavailableError, match=r"The tokenizer .*broken cannot be loaded"):
            await bench.measure("http://127.0.0.1:9")


@pytest.mark.parametrize("victim", ["the warm process", "the level"])
async def test_a_killed_generator_is_this_machines_fault_and_is_replaced(
    tmp_path: Path, tokenizer: Path, victim: str
) -> None:
    with simulated("--sim-speed", "0.2") as slow, simulated(*FAST) as fast:
        async with rig(tmp_path, tokenizer) as bench:
            measuring = asyncio.create_task(bench.measure(slow.url, "D(40,100)"))
            warm, level = await _level_of(bench)
            (warm if victim == "the warm process" else level).kill()
            with pytest.raises(BenchmarkError) as caught:
                await measuring
            assert caught.value.kind is FailureKind.INFRASTRUCTURE
            assert (await bench.measure(fast.url)).valid


async def test_a_cancelled_level_leaves_no_process(tmp_path: Path, tokenizer: Path) -> None:
    with simulated("--sim-speed", "0.2") as slow, simulated(*FAST) as fast:
        async with rig(tmp_path, tokenizer) as bench:
            measuring = asyncio.create_task(bench.measure(slow.url, "D(40,100)"))
            await _level_of(bench)
            measuring.cancel()
            with pytest.raises(asyncio.CancelledError):
                await measuring
            assert bench.processes() == []
            assert (await bench.measure(fast.url)).valid
        assert bench.processes() == []


async def test_a_level_that_does_not_end_is_stopped(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_process, "GRACE_S", -59.0)  # a minute and the grace: one second
    with simulated("--sim-speed", "0.01") as server:
        async with rig(tmp_path, tokenizer) as bench:
            with pytest.raises(BenchmarkError, match="more than 1 s for this level") as caught:
                await bench.measure(server.url, "D(40,100)")
            assert caught.value.kind is FailureKind.BENCHMARK_FAILED
            assert bench.processes() == []


async def test_nothing_outlives_a_tuner_that_is_killed(tmp_path: Path, tokenizer: Path) -> None:
    home = genai_home(tmp_path / "home")
    program = f"""
import asyncio, pathlib
from tuner.benchmarks.genai_bench import GenaiBench
from tuner.domain import Label
from tuner.protocols import Workload

async def main():
    home = pathlib.Path({str(home)!r})
    workload = Workload("task", (), (), {str(tokenizer)!r}, 60, 8)
    async with GenaiBench(home).open(workload, home / "log", Label("task", -1, str(home))) as load:
        await load.measure("URL", {MODEL!r}, "D(40,100)", 2, home / "runs" / "task" / "3")

asyncio.run(main())
"""
    with simulated("--sim-speed", "0.2") as slow:
        tuner = await asyncio.create_subprocess_exec(sys.executable, "-c", program.replace("URL", slow.url))
        left = await _level_of(LoadRig(home, None))  # type: ignore[arg-type]
        tuner.kill()
        await tuner.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=20)
        assert (len(gone), alive) == (2, [])


async def _answered(url: str, requests: int) -> None:
    """Waits until the server has answered so many."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            said = re.search(r"request_success_total\S* (\d+)", (await client.get(f"{url}/metrics")).text)
            if said and int(said[1]) >= requests:
                return
            await asyncio.sleep(0.05)


async def _level_of(bench: LoadRig) -> list[psutil.Process]:
    """The warm process and the level that it runs, once it does."""
    async with asyncio.timeout(60):
        while True:
            found = sorted(bench.processes(), key=lambda process: process.pid)
            if len(found) == 2 and list(bench.folder.glob("*/experiment_metadata.json")):
                return found
            await asyncio.sleep(0.05)


async def test_an_engine_that_stops_answering_ends_its_level_by_itself(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LEAST_PATIENCE_S", 0.5)
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, max_requests=3000) as bench:
            measuring = asyncio.create_task(bench.measure(server.url))
            await _answered(server.url, 6)
            server.process.send_signal(signal.SIGSTOP)
            point = await measuring
    assert point.failure is FailureKind.BENCHMARK_FAILED
    assert "stopped answering: 2 requests were under way" in (point.error or "")
