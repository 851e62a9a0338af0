import re

import httpx
import pytest

from tests.fakes.simulated_process import MODEL, simulated
from tuner.benchmarks import warmup
from tuner.errors import BenchmarkError, FailureKind

NOBODY = "http://127.0.0.1:9"


async def test_as_many_requests_are_sent_as_were_asked_for() -> None:
    with simulated("--sim-speed", "50") as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            await warmup.send(client, MODEL, 11, "D(40,3)")
            metrics = (await client.get("/metrics")).text
    assert re.search(r"^simulated:request_success_total\S* 11$", metrics, re.MULTILINE), metrics


async def test_none_are_sent_where_none_are_wanted() -> None:
    async with httpx.AsyncClient(base_url=NOBODY) as client:
        await warmup.send(client, MODEL, 0, "D(40,3)")


@pytest.mark.parametrize(
    ("flag", "kind", "reason"),
    [
        ("--sim-refuse", FailureKind.BENCHMARK_FAILED, "answered 500"),
        ("--sim-garbage", FailureKind.UNHEALTHY_OUTPUT, "no chat completion"),
        ("--sim-empty", FailureKind.UNHEALTHY_OUTPUT, "no token at all"),
    ],
)
async def test_a_sick_server_fails_the_warm_up(flag: str, kind: FailureKind, reason: str) -> None:
    with simulated("--sim-speed", "50", flag) as server, pytest.raises(BenchmarkError, match=reason) as caught:
        async with httpx.AsyncClient(base_url=server.url) as client:
            await warmup.send(client, MODEL, 2, "D(40,3)")
    assert caught.value.kind is kind


async def test_a_server_that_is_gone_fails_the_warm_up() -> None:
    async with httpx.AsyncClient(base_url=NOBODY) as client:
        with pytest.raises(BenchmarkError, match="ConnectError"):
            await warmup.send(client, MODEL, 2, "D(40,3)")


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("D(40,3)", (40, 3)),
        ("N(50,10)/(8,2)", (50, 8)),
        ("U(10,60)/(4,9)", (60, 9)),
        ("D(100000,5000)", (1024, 32)),
        ("D(0,0)", (1, 1)),
        ("dataset", (256, 32)),
    ],
)
def test_lengths_follow_the_scenario_and_are_bounded(scenario: str, expected: tuple[int, int]) -> None:
    assert warmup.lengths(scenario) == expected
