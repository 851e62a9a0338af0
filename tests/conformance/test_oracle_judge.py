"""The judge passes a generator that is right, and catches each common mistake where the oracle plays for it."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.fakes.oracle.again import settle
from tests.fakes.oracle.behaviours import BEHAVIOURS
from tests.fakes.oracle.client import Client, Slip
from tests.fakes.oracle.judge import Judge, Problem, Verdict
from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.process import Oracle, oracle

pytestmark = pytest.mark.alone
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


async def verdict(served_by: Oracle, name: str, concurrency: int, slip: Slip | None = None) -> Verdict:
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
    return Judge(behaviour, concurrency, requests, measured, stage.served(), stage.late()).verdict()


async def test_a_right_generator_passes_everywhere(served_by: Oracle) -> None:
    cases = [(name, (1, 8)[number % 2]) for number, name in enumerate(BEHAVIOURS)]
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def measured(case: tuple[str, int]) -> Verdict:
        async with slots:
            return await verdict(served_by, *case)

    found = dict(zip(cases, await asyncio.gather(*map(measured, cases)), strict=True))
    await settle(served_by, found, measured)
    assert {case: one.problems for case, one in found.items() if one.problems and not one.unsure} == {}
    if unsure := [one.unsure for one in found.values() if one.unsure]:
        pytest.skip(f"{len(unsure)} of {len(cases)} levels: {unsure[0]}")


@pytest.mark.parametrize(("slip", "name", "word"), CAUGHT)
async def test_a_slip_is_caught(served_by: Oracle, slip: Slip, name: str, word: str) -> None:
    assert any(word in problem.text for problem in (await verdict(served_by, name, 8, slip)).problems)


def test_every_slip_is_caught_somewhere() -> None:
    assert {slip for slip, _, _ in CAUGHT} == set(Slip)


def test_on_a_busy_machine_wrong_times_say_nothing_and_wrong_counts_still_do() -> None:
    slow, wrong = Problem("ttft", timed=True), Problem("tokens")
    busy = Lateness(p99=0.01, worst=0.02)
    assert "0.0100 s late" in (Verdict((slow,), busy).unsure or "")
    assert [
        Verdict(problems, late).unsure
        for problems, late in (
            ((slow,), Lateness()),
            ((slow, wrong), busy),
            ((wrong,), busy),
            ((), busy),
        )
    ] == [None] * 4
