"""The oracle in a process of its own, so that nothing that a test does disturbs its clock."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.truth import Outcome, Served

QUIET_FOR_S, QUIET_LOOKS = 0.4, 10


@dataclass(frozen=True)
class Oracle:
    process: subprocess.Popen[bytes]

    def open(self, behaviour: str, scale: float = 1.0) -> "Stage":
        """A server that plays a behaviour from its beginning, so many times as slow as it is declared."""
        return Stage(self, int(self._ask({"open": behaviour, "scale": scale})))

    def late(self, since: float) -> Lateness:
        """How late timers on this machine were since then."""
        return Lateness(**self._ask({"late": since}))

    async def wait_for_quiet(self) -> Lateness:
        """Until timers are on time, or will not be soon; the last that was seen of them."""
        for _ in range(QUIET_LOOKS):
            since = time.monotonic()
            await asyncio.sleep(QUIET_FOR_S)
            late = self.late(since)
            if late.quiet:
                break
        return late

    def _ask(self, order: dict[str, object]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@dataclass(frozen=True)
class Stage:
    oracle: Oracle
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def served(self) -> list[Served]:
        """Every streamed request that has arrived, in that order."""
        told = self.oracle._ask({"truth": self.port})
        return [Served(**{**one, "outcome": Outcome(one["outcome"])}) for one in told]

    def late(self) -> Lateness:
        """How late timers were since the first request arrived."""
        return self.oracle.late(min((one.arrived for one in self.served()), default=0.0))


@contextmanager
def oracle() -> Iterator[Oracle]:
    argv = [sys.executable, "-m", "tests.fakes.oracle.server"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Oracle(process)
        finally:
            process.kill()
