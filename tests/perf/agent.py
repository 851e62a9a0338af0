"""What the assistant adds to a model's own time, and how many turns it takes at once: `autotuner serve` with a model
server on loopback, asked over HTTP. And, from `tests.perf.serve`, what the service costs by itself.

    python -m tests.perf.agent [--turns 60] [--at-once 50] [--tasks 10000]

Prints each number beside its limit and exits with 1 if one is missed. What the model server needs itself is measured
by a plain client in turn with the turns, so that a noisy machine tilts both sides.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.fakes.agent_app import Client
from tests.fakes.model_server import MODEL, Answer, ModelServer, model_server
from tests.fakes.service import Service
from tests.perf import serve
from tests.perf.overhead import Cost

WARM_UP = 5
ANSWER = Answer("It is done: " + "all as it should be. " * 10, pause_s=0.05)
"""Twenty pieces a second: a quick model that many share."""


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = await asyncio.to_thread(serve.measure, Path(folder) / "lists", options.tasks)
        with model_server(ANSWER, repeat=True) as model:
            service = Service(Path(folder) / "home", model.url)
            try:
                await asyncio.to_thread(service.start)
                costs += [await first_token(service, model, options.turns), *await at_once(service, options.at_once)]
            finally:
                service.close()
    print("\n".join(map(str, costs)))
    return 0 if all(cost.kept for cost in costs) else 1


async def first_token(service: Service, model: ModelServer, turns: int) -> Cost:
    """Over HTTP, from the request to the first piece of text; every turn in a session of its own."""
    own, whole = [], []
    async with httpx.AsyncClient(timeout=30) as plain:
        for _ in range(WARM_UP + turns):
            own.append(await _own(plain, model))
            async with service.chat() as chat:
                whole.append(min(await _turn(chat)))
    added = statistics.median(whole[WARM_UP:]) - statistics.median(own[WARM_UP:])
    return Cost(f"first token over the model's own, median of {turns} turns", 1000 * added, 15, "ms")


async def at_once(service: Service, turns: int) -> list[Cost]:
    async with service.chat() as one:
        made = await asyncio.gather(*(one.post("/sessions") for _ in range(turns)))
        chats = [Client(one.url, one.http, session["id"]) for session in made]
        told = await asyncio.gather(*map(_turn, chats), return_exceptions=True)
    finished = [times for times in told if not isinstance(times, BaseException)]
    first = statistics.quantiles(map(min, finished), n=20)[-1]
    return [
        Cost(f"{turns} turns at once: not finished", turns - len(finished), 0, "turns"),
        Cost(f"{turns} turns at once: first token, p95", first, 1.0, "s"),
    ]


async def _own(http: httpx.AsyncClient, model: ModelServer) -> float:
    """Seconds to the model server's first piece of text."""
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    began, first = time.perf_counter(), 0.0
    async with http.stream("POST", f"{model.url}/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if not first and '"content"' in line:
                first = time.perf_counter() - began
    return first


async def _turn(chat: Client) -> Sequence[float]:
    """Seconds to each piece of text, of a turn that ends as it should."""
    began, times, last = time.perf_counter(), [], ""
    async for told in chat.stream("How is it going?"):
        last = told.type
        if last == "TEXT_MESSAGE_CONTENT":
            times.append(time.perf_counter() - began)
    if last != "RUN_FINISHED" or not times:
        raise AssertionError(f"the turn ended with {last} after {len(times)} pieces of text")
    return times


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
