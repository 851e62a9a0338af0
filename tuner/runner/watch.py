"""A server that runs: until it is ready, while something goes on with it, and why it ended."""

import asyncio
import errno
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from tuner.errors import BenchmarkError, DeploymentError, FailureKind
from tuner.launch import LOOPBACK, Launch
from tuner.logs import failures
from tuner.logs.tail import tail
from tuner.protocols import Deployment, FailurePattern

READY_EVERY_S, READY_AT_MOST_S = 0.1, 0.5
READY_PART = 0.02
"""Of the start so far: an engine that takes long is asked less often, for each look takes time from it."""
HARDLY_BEFORE = 0.8
"""Of the quickest start: until then an engine of the same task is asked least often."""
LAST_BREATH_S = 1.0
LEAST_FREE_BYTES = 2**20
"""With less on its disk a server cannot even write down why it ends."""
RESET_WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Between tries to empty a cache: requests that were cut off give their blocks back within a few steps."""
HELD_STATUSES = (400, 409, 423, 429, 503)
"""How engines say that they cannot empty it just now."""
RESET_CHARACTERS = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Watch:
    """Raises DeploymentError, with its class and its decisive lines, as soon as the server has ended."""

    deployment: Deployment
    launch: Launch
    log: Path
    """What the server prints."""
    patterns: Sequence[FailurePattern]
    """Of its engine."""

    async def until_ready(self, quickest_s: float = 0.0) -> None:
        """Waits until the server answers its health path with success.

        Args:
            quickest_s: how long the quickest of its kind took.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self.client(timeout_s=5) as client, self._ending() as ended:
            while not ended.done():
                if not _refused(self.deployment.url):
                    try:
                        if (await client.get(self.launch.health_path)).is_success:
                            return
                    except httpx.HTTPError:
                        pass  # busy with starting
                waited_s = loop.time() - began
                early = waited_s + READY_AT_MOST_S < HARDLY_BEFORE * quickest_s
                pause_s = READY_AT_MOST_S if early else max(READY_EVERY_S, READY_PART * waited_s)
                await asyncio.wait([ended], timeout=min(pause_s, READY_AT_MOST_S))
        raise await self._death()

    async def alongside(self, work: Coroutine[None, None, T]) -> T:
        """The outcome of `work`, unless the server dies first. Its death is the cause also where the work failed."""
        busy = asyncio.ensure_future(work)
        try:
            async with self._ending() as ended:
                either: list[asyncio.Future[Any]] = [busy, ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not busy.done():
                raise await self._death()
            return busy.result()
        except BenchmarkError as error:
            if error.kind is not FailureKind.INFRASTRUCTURE:
                await self.rule_out_death()
            raise
        finally:
            busy.cancel()
            await asyncio.gather(busy, return_exceptions=True)

    async def rule_out_death(self) -> None:
        """Requests can fail a moment before the server that failed them is seen to have ended."""
        try:
            async with asyncio.timeout(LAST_BREATH_S):
                await self.deployment.wait()
        except TimeoutError:
            return
        raise await self._death()

    async def reset_cache(self) -> None:
        """Empties the prefix cache, so that no level is served from what an earlier one left there.

        An engine that refuses because requests still hold the cache, as just after a level was cut off, is asked again.

        Raises:
            BenchmarkError: it may not be empty.
        """
        if (path := self.launch.reset_cache_path) is None:
            return
        waits_s = [*RESET_WAITS_S]
        async with self.client(timeout_s=30) as client:
            while (why := await self._refused_reset(client, path)) is not None:
                if not waits_s:
                    why = f"{why}, also after {sum(RESET_WAITS_S):g} s"
                    raise _not_empty(f"POST {path} {why}; requests may still hold it")
                await asyncio.sleep(waits_s.pop(0))

    async def _refused_reset(self, client: httpx.AsyncClient, path: str) -> str | None:
        """What it answered where the cache is held; None: it is empty now."""
        try:
            answer = await client.post(path)
        except httpx.HTTPError as error:
            raise _not_empty(f"POST {path} failed: {error!r}") from error
        said = f"answered {answer.status_code}: {answer.text.strip()[:RESET_CHARACTERS]!r}"
        if answer.status_code in HELD_STATUSES:
            return said
        if not answer.is_success:
            raise _not_empty(f"POST {path} {said}")
        refusal = self.launch.reset_cache_refusal
        return said if refusal and re.search(refusal, answer.text) else None

    @asynccontextmanager
    async def _ending(self) -> AsyncIterator[asyncio.Future[int]]:
        """Done as soon as the server has ended."""
        ended = asyncio.ensure_future(self.deployment.wait())
        try:
            yield ended
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def _death(self) -> DeploymentError:
        """Why it ended. Killed from outside, or with its disk full, says nothing about the configuration."""
        code, starved = await self.deployment.exit_code(), await self.deployment.out_of_memory()
        if code == -signal.SIGKILL and not starved:
            return DeploymentError(FailureKind.INFRASTRUCTURE, "The engine was killed from outside (SIGKILL).")
        if shutil.disk_usage(self.log.parent).free < LEAST_FREE_BYTES:
            message = f"The disk of {self.log.parent} is full, and the engine ended. Free some space."
            return DeploymentError(FailureKind.INFRASTRUCTURE, message)
        lines = await asyncio.to_thread(tail, self.log)
        failure = failures.classify(self.patterns, exit_code=code, out_of_memory=starved, lines=lines)
        return DeploymentError(failure.kind, failure.message, failure.lines)

    def client(self, timeout_s: float) -> httpx.AsyncClient:
        """To ask the server by paths; to be entered."""
        # Plain HTTP: reading the certificates that nobody asks for would take 16 ms each time.
        url = self.deployment.url
        return httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False, verify=False)  # noqa: S501


def _not_empty(why: str) -> BenchmarkError:
    return BenchmarkError(FailureKind.BENCHMARK_FAILED, f"{why}; the prefix cache may not be empty.")


def _refused(url: str) -> bool:
    """Nobody listens there, as this machine can tell at once of itself; it costs a hundredth of a request."""
    address = urlsplit(url)
    if address.hostname != LOOPBACK:
        return False
    with socket.socket() as probe:
        probe.setblocking(False)
        return probe.connect_ex((LOOPBACK, address.port)) == errno.ECONNREFUSED
