"""The judge passes a generator that is right, and catches each common mistake where the oracle plays for it."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.fakes.oracle.behaviours import BEHAVIOURS
from tests.fakes.oracle.client import Client, Slip
from tests.fakes.oracle.judge import Judge, Problem
from tests.fakes.oracle.process import Oracle, oracle

pytestmark = pytest.mark.alone
AGAIN = 3
LIMIT_S = 3.0
SIDE_BY_SIDE = 6
CAUGHT = [
    (Slip.CHUNKS_ARE_TOKENS, "stream-interval", "output tokens"),
    (Slip.CHUNKS_ARE_TOKENS, "speculation", "tpot"),
    (Slip.CHUNKS_ARE_TOKENS, "speculation", "output rate"),
    (Slip.SURVIVORS_ONLY, "429-some", "not refused"),
    (Slip.SURVIVORS_ONLY, "never-answers-some", "not refused"),
    (Slip.SURVIVORS_ONLY, "error-seldom", "0 failed, not 1"),
    (Slip.ERRORS_ARE_ANSWERS, "error-text", "not refused"),
    (Slip.ERRORS_ARE_ANSWERS, "error-midway", "not refused"),
    (Slip.ERRORS_ARE_ANSWERS, "200-html", "not refused"),
    (Slip.ERRORS_ARE_ANSWERS, "ended-midway", "not refused"),
    (Slip.FIRST_EVENT_IS_FIRST_TOKEN, "role-first", "ttft"),
    (Slip.USAGE_ENDS_THE_ANSWER, "usage-late", "e2e_latency"),
    (Slip.EVERY_TOKEN_HAS_TEXT, "hidden-first", "tpot"),
    (Slip.EVERY_TOKEN_HAS_TEXT, "buffered", "tpot"),
    (Slip.TEXT_IS_ALL, "hidden-spread", "output tokens"),
    (Slip.UNDER_WAY_IS_LOST, "steady", "output rate"),
    (Slip.FIRST_WAVE_IS_MEASURED, "cold-start", "ttft"),
]


@pytest.fixture(scope="module")
def served_by() -> Iterator[Oracle]:
    with oracle() as running:
        yield running


async def problems(served_by: Oracle, name: str, concurrency: int, slip: Slip | None = None) -> list[Problem]:
    behaviour, stage, requests = BEHAVIOURS[name], served_by.open(name), 24 if concurrency > 1 else 4
    one_s = behaviour.ttft_s + behaviour.asked_tokens * behaviour.tpot_s
    client = Client(
        url=stage.url,
        max_tokens=behaviour.asked_tokens,
        free=behaviour.free,
        concurrency=concurrency,
        requests=requests,
        ramp_s=one_s,
        limit_s=LIMIT_S if behaviour.hangs else 20.0,
        slip=slip,
    )
    measured = await client.measure()
    return Judge(behaviour, concurrency, requests, measured, stage.served(), stage.late()).problems()


async def test_a_right_generator_passes_everywhere(served_by: Oracle) -> None:
    """Times that a busy machine may have spoiled are measured again, by themselves."""
    cases = [(name, concurrency) for name in BEHAVIOURS for concurrency in (1, 8)]
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def judged(name: str, concurrency: int) -> list[Problem]:
        async with slots:
            return await problems(served_by, name, concurrency)

    found = dict(zip(cases, await asyncio.gather(*(judged(*case) for case in cases)), strict=True))
    for case in [case for case in cases for _ in range(AGAIN)]:
        if found[case] and all(problem.timed for problem in found[case]):
            found[case] = await problems(served_by, *case)
    assert {case: wrong for case, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(("slip", "name", "word"), CAUGHT)
async def test_a_slip_is_caught(served_by: Oracle, slip: Slip, name: str, word: str) -> None:
    assert any(word in problem.text for problem in await problems(served_by, name, 8, slip))


def test_every_slip_is_caught_somewhere() -> None:
    assert {slip for slip, _, _ in CAUGHT} == set(Slip)
