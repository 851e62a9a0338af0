"""The simulated engine's HTTP interface, and the loop that runs the law's steps on the clock."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from pydantic import JsonValue, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tuner.engines.simulated import wire as wire
from tuner.engines.simulated.law import VERSION, Configuration
from tuner.engines.simulated.scheduler import Generation, Scheduler

log = logging.getLogger("simulated")

MAX_LAG_S = 0.25
"""A clock further behind than this (the machine slept) starts anew instead of racing after it."""


@dataclass(frozen=True)
class Faults:
    """Faults that flags ask the server to show."""

    sim_start_time: float = 0.0
    sim_hang: bool = False
    sim_log_flood: float = 0.0
    sim_oom_concurrency: int | None = None
    sim_crash_after: int | None = None
    sim_refuse: bool = False
    sim_garbage: bool = False
    sim_empty: bool = False
    sim_answer_tokens: int | None = None


class Core:
    """Runs the scheduler's steps on the wall clock and hands each token to the request that waits for it."""

    def __init__(self, configuration: Configuration, most: int | None) -> None:
        self.scheduler = Scheduler(configuration)
        self.most = most
        """Requests at once, running or waiting, that memory can take."""
        self.prompt_tokens = self.generated_tokens = self.finished = 0
        self._outlets: dict[Generation, asyncio.Queue[None]] = {}
        self._woken = asyncio.Event()

    async def generate(self, request: Generation) -> AsyncGenerator[int, None]:
        """The number of each token, from 1, when it is there; left early, the request is forgotten."""
        outlet = self._outlets[request] = asyncio.Queue()
        if self.most is not None and len(self._outlets) > self.most:
            die(f"simulated: out of memory: {len(self._outlets)} requests at once do not fit; at most {self.most} do")
        self.scheduler.add(request)
        self.prompt_tokens += request.prompt_tokens
        self._woken.set()
        try:
            for token in range(1, request.max_tokens + 1):
                await outlet.get()
                yield token
            self.finished += 1
        finally:
            del self._outlets[request]
            self.scheduler.remove(request)

    async def run(self) -> None:
        """Runs steps until cancelled. Deadlines are absolute, so that late wake-ups do not add up."""
        clock = asyncio.get_running_loop().time
        deadline = clock()
        while True:
            step = self.scheduler.step()
            if step is None:
                self._woken.clear()
                await self._woken.wait()
                deadline = clock()
                continue
            deadline = max(deadline + step.duration_s, clock() - MAX_LAG_S)
            await asyncio.sleep(deadline - clock())
            for request in step.yielded:
                self.generated_tokens += 1
                if request in self._outlets:
                    self._outlets[request].put_nowait(None)


class Server:
    """The endpoints of one simulated engine."""

    def __init__(self, model: str, configuration: Configuration, faults: Faults) -> None:
        self.model, self.faults = model, faults
        self.core = Core(configuration, faults.sim_oom_concurrency)
        self._received = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/completions", self.completions, methods=["POST"]),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/models", self.models),
                Route("/health", self.health),
                Route("/version", self.version),
                Route("/metrics", self.metrics),
                Route("/reset_prefix_cache", self.reset_prefix_cache, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        # There is nothing to save, so SIGTERM ends it at once, whatever requests are on their way.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stepping = asyncio.create_task(self.core.run())
        yield
        stepping.cancel()
        with suppress(asyncio.CancelledError):
            await stepping

    async def completions(self, http: Request) -> Response:
        return await self._answer(http, wire.CompletionBody)

    async def chat(self, http: Request) -> Response:
        return await self._answer(http, wire.ChatBody)

    async def models(self, http: Request) -> Response:
        limit = self.core.scheduler.configuration.max_model_len
        card = {"id": self.model, "object": "model", "created": 0, "owned_by": "simulated", "max_model_len": limit}
        return JSONResponse({"object": "list", "data": [card]})

    async def health(self, http: Request) -> Response:
        return Response()

    async def version(self, http: Request) -> Response:
        return JSONResponse({"version": VERSION})

    async def reset_prefix_cache(self, http: Request) -> Response:
        self.core.scheduler.forget_prefixes()
        return Response()

    async def metrics(self, http: Request) -> Response:
        core, scheduler = self.core, self.core.scheduler
        lines = []
        for kind, name, value in (
            ("gauge", "num_requests_running", len(scheduler.running)),
            ("gauge", "num_requests_waiting", len(scheduler.waiting)),
            ("gauge", "kv_cache_usage_perc", scheduler.held / scheduler.configuration.capacity),
            ("counter", "num_preemptions_total", scheduler.preemptions),
            ("counter", "prompt_tokens_total", core.prompt_tokens),
            ("counter", "generation_tokens_total", core.generated_tokens),
            ("counter", "request_success_total", core.finished),
            ("counter", "prefix_cache_queries_total", scheduler.prefix_queries),
            ("counter", "prefix_cache_hits_total", scheduler.prefix_hits),
        ):
            lines += [f"# TYPE simulated:{name} {kind}", f'simulated:{name}{{model_name="{self.model}"}} {value}']
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    async def _answer(self, http: Request, kind: type[wire.CompletionBody | wire.ChatBody]) -> Response:
        self._received += 1
        if self.faults.sim_crash_after is not None and self._received > self.faults.sim_crash_after:
            die(f"simulated: engine core died: it was told to after {self.faults.sim_crash_after} requests")
        if self.faults.sim_refuse:
            return wire.error(500, "simulated: this engine was told to refuse")
        if self.faults.sim_garbage:
            return PlainTextResponse("<html>simulated garbage {", media_type="application/json")
        try:
            body = kind.model_validate_json(await http.body())
        except ValidationError as error:
            return wire.error(400, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
        if body.model != self.model:
            return wire.error(404, f"The model {body.model!r} does not exist; this server has {self.model!r}.")
        prompt_tokens, limit = wire.count(body.text), self.core.scheduler.configuration.max_model_len
        if prompt_tokens + body.answer_tokens > limit:
            too_long = f"{prompt_tokens} of the prompt and {body.answer_tokens} of the answer are more"
            return wire.error(400, f"This model's maximum context length is {limit} tokens; {too_long}.")
        request = Generation(prompt_tokens, self._answer_tokens(body), wire.blocks(body.text))
        if body.stream:
            return StreamingResponse(self._stream(body, request), media_type="text/event-stream")
        async for _ in self.core.generate(request):
            pass
        choice = body.choice(wire.WORD * request.max_tokens, wire.finish(body, request), whole=True)
        return JSONResponse({**wire.head(body, body.whole), "choices": [choice], "usage": wire.usage(request)})

    def _answer_tokens(self, body: wire.Body) -> int:
        if self.faults.sim_empty:
            return 0
        return min(body.answer_tokens, self.faults.sim_answer_tokens or body.answer_tokens)

    async def _stream(self, body: wire.CompletionBody | wire.ChatBody, request: Generation) -> AsyncIterator[str]:
        head = wire.head(body, body.chunk)
        counted = body.stream_options is not None and body.stream_options.include_usage
        unset: dict[str, JsonValue] = {"usage": None} if counted else {}
        word = wire.event({**head, "choices": [body.choice(wire.WORD, None, whole=False)], **unset})
        last = body.choice(wire.WORD if request.max_tokens else "", wire.finish(body, request), whole=False)
        async with aclosing(self.core.generate(request)) as tokens:
            async for token in tokens:
                if token < request.max_tokens:
                    yield word
        yield wire.event({**head, "choices": [last], **unset})
        if counted:
            yield wire.event({**head, "choices": [], "usage": wire.usage(request)})
        yield "data: [DONE]\n\n"


def die(message: str) -> NoReturn:
    """Ends the process at once, as a crash does."""
    log.critical(message)
    os._exit(1)
