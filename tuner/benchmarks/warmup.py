"""Requests before the first level, so that no level pays for an engine's first steps. Nothing here is measured."""

import asyncio
import random
import re

import httpx

from tuner.errors import BenchmarkError, FailureKind

CONCURRENCY = 8
TIMEOUT_S = 120.0
MAX_INPUT_TOKENS, MAX_OUTPUT_TOKENS = 1024, 32
"""Enough to have every code path of an engine run once; a long scenario would only cost its time."""
DATASET_TOKENS = (256, 32)
SYLLABLES = ("ba", "do", "ke", "li", "mu", "na", "po", "ra", "si", "tu", "ve", "zo")


async def send(client: httpx.AsyncClient, model: str, count: int, scenario: str) -> None:
    """Sends `count` requests to the server of `client`, no longer than the scenario's, with words that no level sends.

    Raises:
        BenchmarkError: the server refuses one, does not answer in time, or answers with nothing.
    """
    input_tokens, output_tokens = lengths(scenario)
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one() -> None:
        async with slots:
            await _request(client, model, input_tokens, output_tokens)

    results = await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def lengths(scenario: str) -> tuple[int, int]:
    """Tokens in and out, typical of a scenario and bounded: its mean, or the upper end of its range."""
    numbers = [int(number) for number in re.findall(r"\d+", scenario)]
    match scenario[0], numbers:
        case "D", [size_in, size_out]:
            pass
        case "N", [size_in, _, size_out, _]:
            pass
        case "U", [_, size_in, _, size_out]:
            pass
        case _:
            size_in, size_out = DATASET_TOKENS
    return min(max(size_in, 1), MAX_INPUT_TOKENS), min(max(size_out, 1), MAX_OUTPUT_TOKENS)


async def _request(client: httpx.AsyncClient, model: str, input_tokens: int, output_tokens: int) -> None:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": _words(input_tokens)}],
        "max_tokens": output_tokens,
        "temperature": 0.0,
        "ignore_eos": True,
    }
    try:
        answer = await client.post("/v1/chat/completions", json=body)
    except httpx.HTTPError as error:
        raise BenchmarkError(FailureKind.BENCHMARK_FAILED, f"A warm-up request failed: {error!r}.") from error
    if not answer.is_success:
        message = f"A warm-up request was answered {answer.status_code}: {answer.text[:300]}"
        raise BenchmarkError(FailureKind.BENCHMARK_FAILED, message)
    try:
        written = answer.json()["usage"]["completion_tokens"]
    except (ValueError, LookupError, TypeError) as error:
        message = f"A warm-up request was answered with no chat completion: {answer.text[:300]!r}"
        raise BenchmarkError(FailureKind.UNHEALTHY_OUTPUT, message) from error
    if not written:
        raise BenchmarkError(FailureKind.UNHEALTHY_OUTPUT, "A warm-up request was answered with no token at all.")


def _words(tokens: int) -> str:
    """Nonsense of at most so many tokens: a word takes two to five, and a prompt too long would be refused."""
    return " ".join("".join(random.choices(SYLLABLES, k=2)) for _ in range(max(1, tokens // 5)))  # noqa: S311
