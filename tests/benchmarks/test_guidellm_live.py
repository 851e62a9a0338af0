"""guidellm itself, against the simulated engine."""

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import httpx
import psutil
import pytest
from tokenizers import Tokenizer

from tests.fakes.genai_home import genai_home
from tests.fakes.load_rig import LoadRig, load_rig
from tests.fakes.simulated_process import MODEL, simulated
from tuner.benchmarks import guidellm
from tuner.benchmarks.requests import Request, read
from tuner.domain import LoadPoint
from tuner.engines.models import demo_model
from tuner.engines.simulated.law import Configuration
from tuner.errors import BenchmarkError, FailureKind, UnavailableError

pytestmark = pytest.mark.bench
FAST = ("--sim-speed", "20")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_model.make(tmp_path_factory.mktemp("a model") / MODEL)


def sent(bench: LoadRig, point: LoadPoint) -> list[Request]:
    return sorted(read(bench.file(point.raw))[1], key=lambda one: one.begun_at)


def rig(tmp_path: Path, tokenizer: Path, **changes: Any) -> AbstractAsyncContextManager[LoadRig]:
    return load_rig("guidellm", tmp_path, tokenizer, **{"max_requests": 20, **changes})


def gaps(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


async def test_requests_are_due_at_the_rate_that_was_asked_for(tmp_path: Path, tokenizer: Path) -> None:
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, arrival="constant") as bench:
            point = await bench.measure(server.url, rate=20.0)
    assert point.valid, point.error
    assert (point.name, point.requests) == ("D(40,8) @ 20/s", 20)
    due = [one.scheduled_at or 0.0 for one in sent(bench, point)]
    assert median(gaps(due)) == pytest.approx(0.05, abs=0.002)
    assert {(one.wanted_tokens, one.output_tokens, one.pieces) for one in sent(bench, point) if one.answered} == {
        (8, 8, 8)
    }


async def test_poisson_requests_are_due_at_the_planned_times_and_the_next_configuration_gets_the_same(
    tmp_path: Path, tokenizer: Path
) -> None:
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer) as bench:
            points = [await bench.measure(server.url, rate=30.0) for _ in range(2)]
            due = [one.scheduled_at or 0.0 for one in sent(bench, points[0])]
            again = [one.scheduled_at or 0.0 for one in sent(bench, points[1])]
    both = min(len(due), len(again))
    assert gaps(due[:both]) == pytest.approx(gaps(again[:both]), abs=0.003)
    assert max(gaps(due)) > 3 * min(gaps(due))


async def test_latencies_are_those_of_the_queue_that_the_engine_is(tmp_path: Path, tokenizer: Path) -> None:
    """One sequence at a time and answers of one length: a queue with a fixed service time, the law's. What each request
    waits follows from when it was due (Lindley); the rest of its latency is that of a request alone."""
    law = Configuration.of({"max_num_seqs": 1, "sim_speed": 3.0})
    service_s = law.step_s(0, 66) + 5 * law.step_s(1, 0)
    with simulated("--max-num-seqs", "1", "--sim-speed", "3") as server:
        async with rig(tmp_path, tokenizer, max_requests=80) as bench:
            alone = await bench.measure(server.url, "D(40,6)", 1)
            point = await bench.measure(server.url, "D(40,6)", rate=0.7 / service_s)
    assert point.valid, point.error
    assert alone.e2e_latency is not None
    waits: dict[float, float] = {}
    wait, before = 0.0, -1.0
    for one in sent(bench, point):
        wait = max(0.0, wait + service_s - (one.begun_at - before)) if waits else 0.0
        before, waits[one.begun_at] = one.begun_at, wait
    answered = [one for one in sent(bench, point) if one.answered]
    expected = alone.e2e_latency.mean + fmean(waits[one.begun_at] for one in answered)
    measured = fmean(one.e2e_latency or 0.0 for one in answered)
    assert measured == pytest.approx(expected, rel=0.15)
    assert fmean(waits.values()) > 0.3 * service_s, "requests do wait for one another"


async def test_a_rate_that_the_engine_cannot_serve_is_told_as_such(tmp_path: Path, tokenizer: Path) -> None:
    with simulated("--max-num-seqs", "1", "--sim-speed", "5") as server:
        async with rig(tmp_path, tokenizer, max_requests=40) as bench:
            point = await bench.measure(server.url, "D(40,6)", rate=80.0)
    assert point.failure is FailureKind.OVERLOADED
    assert "cannot keep up with this rate" in (point.error or "")


async def test_a_trace_is_replayed_with_its_times_lengths_blocks_and_sessions(tmp_path: Path, tokenizer: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    lines: list[dict[str, object]] = [
        {"timestamp": 5000 + 40 * n, "input_length": 30 + n, "output_length": 1 + n % 5} for n in range(16)
    ]
    lines += [
        {"timestamp": 6000 + 100 * n, "input_length": 1100, "output_length": 2, "hash_ids": [1, 2, 50 + n]}
        for n in range(4)
    ]
    lines += [{"timestamp": 6500 + n, "input_length": 40, "output_length": 3, "session_id": "s"} for n in range(3)]
    trace.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with simulated(*FAST, "--enable-prefix-caching") as server:
        async with rig(tmp_path, tokenizer, trace=trace, max_requests=None) as bench:
            point = await bench.measure(server.url, "trace")
        hits = await _metric(server.url, "prefix_cache_hits_total")
    assert point.valid, point.error
    assert (point.name, point.requests, point.sent) == ("trace", 23, 23)
    requests = sent(bench, point)
    first = requests[0].scheduled_at or 0.0
    assert [(one.scheduled_at or 0.0) - first for one in requests[:16]] == pytest.approx(
        [0.04 * n for n in range(16)], abs=0.003
    )
    assert [one.wanted_tokens for one in requests[:16]] == [1 + n % 5 for n in range(16)]
    assert hits > 3 * 900, "equal blocks are equal text"
    turns = requests[-3:]
    sizes = [one.input_tokens for one in turns]
    assert sizes == sorted(set(sizes)), "a turn sends the earlier ones along"
    for before, after in pairwise(turns):
        assert before.finished_at is not None
        assert after.scheduled_at is not None
        assert after.scheduled_at >= before.finished_at - 0.002, "and is not due before they are answered"


async def test_the_turns_of_a_conversation_reuse_what_was_said(tmp_path: Path, tokenizer: Path) -> None:
    found = {}
    for turns in (1, 4):
        with simulated(*FAST, "--enable-prefix-caching") as server:
            async with rig(tmp_path / str(turns), tokenizer, turns=turns, think_s=0.05, max_requests=40) as bench:
                points = [
                    await bench.measure(server.url, "D(96,16)", 2),
                    await bench.measure(server.url, "D(96,16)", rate=20.0),
                ]
            found[turns] = await _metric(server.url, "prefix_cache_hits_total")
        assert [point.error for point in points] == [None, None]
        assert all(point.requests == 40 for point in points)
    assert found[1] == 0
    assert found[4] > 40 * 96


async def _metric(url: str, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    match = re.search(rf"^simulated:{name}\S* (\S+)$", text, re.MULTILINE)
    assert match is not None
    return float(match[1])


async def test_prompts_have_the_lengths_that_were_asked_for(tmp_path: Path, tokenizer: Path) -> None:
    """Counted by the tokenizer itself, from what a server received."""
    bodies: list[dict[str, object]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head.lower())
        assert size is not None
        bodies.append(json.loads(await reader.readexactly(int(size[1]))))
        events = [{"choices": [{"delta": {"content": "x"}, "finish_reason": "length"}]}]
        events.append({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})  # type: ignore[dict-item]
        text = "".join(f"data: {json.dumps(one)}\n\n" for one in events) + "data: [DONE]\n\n"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, rig(tmp_path, tokenizer, prefix_len=64, max_requests=30) as bench:
        assert (await bench.measure(f"http://127.0.0.1:{port}", "D(200,1)", 2)).valid
    counts = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    texts = [body["messages"][0]["content"] for body in bodies]  # type: ignore[index]
    assert {len(counts.encode(f" {text}", add_special_tokens=False).ids) for text in texts} == {200}
    assert len({tuple(text.split()[:64]) for text in texts}) == 1, "the prefix is shared"
    assert len({tuple(text.split()[64:]) for text in texts}) == len(texts), "nothing else is"


async def test_a_dataset_is_sent_without_repetition(tmp_path: Path, tokenizer: Path) -> None:
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps([f"prompt {number} " * (1 + number) for number in range(40)]))
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, dataset=prompts, additional_params={"max_tokens": 6}) as bench:
            point = await bench.measure(server.url, "dataset", 2)
    assert point.valid, point.error
    answered = [one for one in sent(bench, point) if one.answered]
    assert {one.output_tokens for one in answered} == {6}
    assert len({one.input_tokens for one in answered}) == len(answered)


async def test_many_levels_in_a_row_all_end(tmp_path: Path, tokenizer: Path) -> None:
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer, max_requests=10) as bench:
            assert (await bench.measure(server.url, rate=60.0)).sent >= 10
            warm = bench.processes()
            for _ in range(7):
                assert (await bench.measure(server.url, rate=60.0)).sent >= 10
            assert bench.processes() == warm


async def test_a_sick_server_makes_a_level_invalid_with_its_reason(tmp_path: Path, tokenizer: Path) -> None:
    failed, unhealthy = FailureKind.BENCHMARK_FAILED, FailureKind.UNHEALTHY_OUTPUT
    cases = {
        ("--sim-refuse",): (failed, "500: "),
        ("--sim-empty",): (unhealthy, "empty"),
        ("--sim-answer-tokens", "3"): (unhealthy, "3 of 8 tokens"),
        ("--sim-crash-after", "4"): (failed, "requests failed"),
    }
    async with rig(tmp_path, tokenizer) as bench:
        for flags, (kind, reason) in cases.items():
            with simulated(*FAST, *flags) as server:
                point = await bench.measure(server.url, rate=40.0)
            assert (point.failure, reason in (point.error or "")) == (kind, True), (flags, point.error)


async def test_a_tokenizer_that_cannot_be_loaded_says_nothing_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tokenizer.json").write_text("{")
    async with rig(tmp_path, tmp_path / "broken") as bench:
        with pytest.raises(UnavailableError, match=r"The tokenizer .*broken cannot be loaded"):
            await bench.measure("http://127.0.0.1:9", rate=1.0)


@pytest.mark.parametrize("victim", ["the warm process", "a worker"])
async def test_a_killed_generator_is_this_machines_fault_and_is_replaced(
    tmp_path: Path, tokenizer: Path, victim: str
) -> None:
    with simulated("--sim-speed", "0.2") as slow, simulated(*FAST) as fast:
        async with rig(tmp_path, tokenizer) as bench:
            measuring = asyncio.create_task(bench.measure(slow.url, "D(40,100)", 2))
            processes = await _level_of(bench, slow.url)
            (processes[0] if victim == "the warm process" else processes[-1]).kill()
            with pytest.raises(BenchmarkError) as caught:
                await measuring
            assert caught.value.kind is FailureKind.INFRASTRUCTURE
            assert (await bench.measure(fast.url, rate=20.0)).sent


async def test_a_level_that_does_not_begin_is_this_machines_fault_and_the_next_one_runs(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulated(*FAST) as server:
        async with rig(tmp_path, tokenizer) as bench:
            await bench.measure(server.url, rate=20.0)
            before = {process.pid for process in bench.processes()}
            monkeypatch.setattr(guidellm, "START_LIMIT_S", 1.0)
            measuring = asyncio.create_task(bench.measure(server.url, rate=20.0))
            async with asyncio.timeout(60):
                while not (fresh := [process for process in bench.processes() if process.pid not in before]):
                    await asyncio.sleep(0.01)
            for process in fresh:
                process.suspend()
            with pytest.raises(BenchmarkError, match="no request left within 1 s") as caught:
                await measuring
            assert caught.value.kind is FailureKind.INFRASTRUCTURE
            monkeypatch.undo()
            assert (await bench.measure(server.url, rate=20.0)).sent
            assert not [process for process in fresh if process.is_running()]


async def test_a_cancelled_level_leaves_no_process(tmp_path: Path, tokenizer: Path) -> None:
    with simulated("--sim-speed", "0.2") as slow, simulated(*FAST) as fast:
        async with rig(tmp_path, tokenizer) as bench:
            measuring = asyncio.create_task(bench.measure(slow.url, "D(40,100)", rate=5.0))
            await _level_of(bench, slow.url)
            measuring.cancel()
            with pytest.raises(asyncio.CancelledError):
                await measuring
            assert bench.processes() == []
            assert (await bench.measure(fast.url, rate=20.0)).sent
        assert bench.processes() == []


async def test_nothing_outlives_a_tuner_that_is_killed(tmp_path: Path, tokenizer: Path) -> None:
    home = genai_home(tmp_path / "home", "guidellm")
    program = f"""
import asyncio, pathlib
from tuner.benchmarks import guidellm
from tuner.benchmarks.guidellm import Guidellm
from tuner.domain import Label
from tuner.protocols import Workload

async def main():
    home = pathlib.Path({str(home)!r})
    workload = Workload("task", (), (), {str(tokenizer)!r}, 60, 8)
    async with Guidellm(home).open(workload, home / "log", Label("task", -1, str(home))) as load:
        await load.measure("URL", {MODEL!r}, "D(40,100)", 0, home / "runs" / "task" / "3", rate=5.0)

asyncio.run(main())
"""
    with simulated("--sim-speed", "0.2") as slow:
        tuner = await asyncio.create_subprocess_exec(sys.executable, "-c", program.replace("URL", slow.url))
        left = await _level_of(LoadRig(home, None), slow.url)  # type: ignore[arg-type]
        tuner.kill()
        await tuner.wait()
        _, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=20)
        assert alive == []


async def _level_of(bench: LoadRig, url: str) -> list[psutil.Process]:
    """The warm process, and its children, the workers last, once requests are under way."""
    async with asyncio.timeout(60):
        while await _metric(url, "num_requests_running") == 0:
            await asyncio.sleep(0.05)
    return sorted(bench.processes(), key=lambda process: process.create_time())
