"""A load generator for the fast tests: the product's is right and slow to start, this one is a hundred lines."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from tuner.benchmarks import requests
from tuner.benchmarks.requests import Level, Request
from tuner.benchmarks.statistics import summarize
from tuner.domain import Label, LoadPoint
from tuner.errors import BenchmarkError, FailureKind
from tuner.protocols import Recipe, Workload

CHARACTERS_PER_TOKEN = 4
"""As the simulated engine counts."""
SCENARIO = re.compile(r"D\((\d+),(\d+)\)")


@dataclass(frozen=True)
class QuickBenchmark:
    """A closed loop of streamed chats from inside the test's process; D(in,out) scenarios only."""

    home: Path
    recipes: ClassVar[Mapping[str, Recipe]] = {}
    shapes: ClassVar[frozenset[str]] = frozenset()

    def missing(self) -> None:
        return None

    @asynccontextmanager
    async def open(self, workload: Workload, log: Path, label: Label) -> AsyncIterator["QuickLoad"]:
        async with httpx.AsyncClient(
            verify=False, timeout=workload.max_time_s, limits=httpx.Limits(max_connections=None)
        ) as client:
            yield QuickLoad(workload, log, client)


@dataclass(frozen=True)
class QuickLoad:
    workload: Workload
    log: Path
    client: httpx.AsyncClient

    async def measure(
        self,
        url: str,
        model: str,
        scenario: str,
        concurrency: int,
        folder: Path,
        *,
        rate: float | None = None,
        held_out: bool = False,
    ) -> LoadPoint:
        match = SCENARIO.fullmatch(scenario)
        if match is None:
            raise BenchmarkError(FailureKind.BENCHMARK_FAILED, f"{scenario} is not D(in,out), the only one known here.")
        input_tokens, output_tokens = int(match[1]), int(match[2])
        prompts = self._prompts(input_tokens)
        done: list[Request] = []

        async def client() -> None:
            for prompt in prompts:
                done.append(await self._request(url, model, prompt, output_tokens))  # noqa: PERF401  # kept if time runs out

        try:
            async with asyncio.timeout(self.workload.max_time_s), asyncio.TaskGroup() as clients:
                for _ in range(concurrency):
                    clients.create_task(client())
        except TimeoutError:
            pass  # what finished in time counts
        folder.mkdir(parents=True, exist_ok=True)
        raw = folder / f"{re.sub('[^0-9A-Za-z]+', '_', scenario)}{concurrency}.jsonl"
        level = Level.whole("quick", done)
        requests.write(raw, level, done)
        point = summarize(scenario, concurrency, level, done, self.workload.slos, raw=f"{folder.name}/{raw.name}")
        with self.log.open("a") as log:
            log.write(f"quick: {point.name}: {point.requests} requests, {point.output_tokens_per_s:.1f} tokens/s\n")
        return point

    def _prompts(self, tokens: int) -> Iterator[str]:
        """As many as the level has requests, different after the shared prefix; clients take turns at it."""
        shared = self.workload.prefix_len or int(tokens * (self.workload.prefix_ratio or 0))
        prefix = "pre " * shared
        for number in range(self.workload.max_requests or 100):
            yield (prefix + f"{number:08d} " + "abc " * tokens)[: tokens * CHARACTERS_PER_TOKEN]

    async def _request(self, url: str, model: str, prompt: str, output_tokens: int) -> Request:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": output_tokens,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.workload.additional_params,
        }
        began, first, error = time.monotonic(), None, None
        usage: dict[str, int] = {}
        try:
            async with self.client.stream("POST", f"{url}/v1/chat/completions", json=body) as answer:
                if not answer.is_success:
                    error = f"{answer.status_code}: {(await answer.aread()).decode()}"
                async for line in answer.aiter_lines():
                    if not line.startswith("data: ") or line == "data: [DONE]":
                        continue
                    chunk = json.loads(line.removeprefix("data: "))
                    usage = chunk.get("usage") or usage
                    if first is None and chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                        first = time.monotonic()
                if not usage and error is None:
                    error = "the answer is not a stream of chat chunks"
        except httpx.HTTPError as failure:
            error = repr(failure)
        return Request(
            started_at=began,
            first_token_at=first,
            finished_at=time.monotonic(),
            input_tokens=usage.get("prompt_tokens", 0),
            output_tokens=usage.get("completion_tokens", 0),
            wanted_tokens=output_tokens,
            error=error,
        )
