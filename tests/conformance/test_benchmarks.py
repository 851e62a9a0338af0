"""What every load generator must do. A new one is tested by being listed in BENCHMARKS."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.genai_home import genai_home
from tests.fakes.load_rig import unspoiled
from tests.fakes.simulated_process import MODEL, simulated
from tests.fakes.watching import owned
from tuner.benchmarks import BENCHMARKS
from tuner.domain import Label
from tuner.engines.models import demo_model
from tuner.errors import FailureKind, UnavailableError
from tuner.protocols import LoadGenerator, Workload
from tuner.spec.objectives import SLO, Metric

pytestmark = pytest.mark.parametrize("name", BENCHMARKS)
BUSY = re.compile(r"^simulated:num_requests_running.* [1-9]", re.MULTILINE)
SLO_TTFT = SLO(metric=Metric.TTFT, statistic="p90", threshold=60)


@asynccontextmanager
async def opened(name: str, tmp_path: Path) -> AsyncIterator[tuple[LoadGenerator, Path]]:
    """The generator, and the folder of an experiment."""
    home = genai_home(tmp_path / "home", name)
    workload = Workload(
        task_id="task",
        scenarios=("D(40,8)",),
        concurrencies=(2,),
        tokenizer=str(demo_model.make(home / "models" / MODEL)),
        max_time_s=60,
        max_requests=8,
        slos=(SLO_TTFT,),
    )
    log = home / "runs" / "task" / "benchmark.log"
    async with BENCHMARKS[name](home).open(workload, log, Label("task", -1, str(home))) as load:
        yield load, home / "runs" / "task" / "0"


async def running(url: str) -> None:
    """Waits until the server works on a request."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            if BUSY.search((await client.get(f"{url}/metrics")).text):
                return
            await asyncio.sleep(0.05)


def test_what_is_missing_comes_with_the_command_that_gets_it(name: str, tmp_path: Path) -> None:
    said = BENCHMARKS[name](tmp_path).missing()
    assert said is None or "autotuner engine install" in said


async def test_what_is_missing_cannot_be_opened(name: str, tmp_path: Path) -> None:
    generator = BENCHMARKS[name](tmp_path)
    if generator.missing() is None:
        return
    with pytest.raises(UnavailableError):
        async with generator.open(Workload("task", (), (), "/", 60, 1), tmp_path / "log", Label("task", -1, "me")):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bench
async def test_a_level_is_measured_with_its_requests_kept_and_nothing_left(name: str, tmp_path: Path) -> None:
    with simulated("--sim-speed", "20") as server:
        async with opened(name, tmp_path) as (load, folder):
            point = await unspoiled(lambda: load.measure(server.url, MODEL, "D(40,8)", 2, folder))
            assert owned(tmp_path / "home")
    assert point.valid, point.error
    assert (point.scenario, point.concurrency) == ("D(40,8)", 2)
    assert point.requests >= 8
    assert point.output_tokens == 8 * point.requests
    assert point.ttft is not None
    assert point.e2e_latency is not None
    assert 0 < point.ttft.p50 < point.e2e_latency.p50 < point.duration_s
    assert point.goodput_per_s == pytest.approx(point.requests_per_s)
    assert point.raw is not None
    assert (folder.parent / point.raw).is_relative_to(folder)
    assert (folder.parent / point.raw).stat().st_size
    assert owned(tmp_path / "home") == []


@pytest.mark.bench
async def test_a_level_that_runs_again_replaces_what_it_left(name: str, tmp_path: Path) -> None:
    with simulated("--sim-speed", "20") as server:
        async with opened(name, tmp_path) as (load, folder):
            points = [await unspoiled(lambda: load.measure(server.url, MODEL, "D(40,8)", 2, folder)) for _ in range(2)]
    assert points[0].raw == points[1].raw
    assert all(point.valid for point in points)


@pytest.mark.bench
async def test_a_server_that_refuses_makes_a_failed_level_not_an_exception(name: str, tmp_path: Path) -> None:
    with simulated("--sim-refuse") as server:
        async with opened(name, tmp_path) as (load, folder):
            point = await load.measure(server.url, MODEL, "D(40,8)", 2, folder)
    assert point.failure is FailureKind.BENCHMARK_FAILED
    assert point.failed == point.requests > 0
    assert "500" in (point.error or "")


@pytest.mark.bench
async def test_answers_without_text_make_an_unhealthy_level(name: str, tmp_path: Path) -> None:
    with simulated("--sim-empty") as server:
        async with opened(name, tmp_path) as (load, folder):
            point = await load.measure(server.url, MODEL, "D(40,8)", 2, folder)
    assert point.failure is FailureKind.UNHEALTHY_OUTPUT


@pytest.mark.bench
async def test_a_cancelled_level_leaves_nothing_and_the_next_one_runs(name: str, tmp_path: Path) -> None:
    with simulated("--sim-speed", "0.1") as slow, simulated("--sim-speed", "20") as fast:
        async with opened(name, tmp_path) as (load, folder):
            measuring = asyncio.create_task(load.measure(slow.url, MODEL, "D(40,200)", 2, folder))
            await running(slow.url)
            measuring.cancel()
            with pytest.raises(asyncio.CancelledError):
                await measuring
            assert owned(tmp_path / "home") == []
            assert (await load.measure(fast.url, MODEL, "D(40,8)", 2, folder)).valid


@pytest.mark.bench
async def test_an_exception_inside_leaves_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with opened(name, tmp_path):
            raise KeyError
    assert owned(tmp_path / "home") == []
