"""The oracle in a process of its own, so that nothing that a test does disturbs its clock."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.truth import Outcome, Served


@dataclass(frozen=True)
class Oracle:
    process: subprocess.Popen[bytes]

    def open(self, behaviour: str, scale: float = 1.0) -> "Stage":
        """A server that plays a behaviour from its beginning, so many times as slow as it is declared."""
        return Stage(self, int(self._ask({"open": behaviour, "scale": scale})))

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
        told = self.oracle._ask({"truth": self.port})["served"]
        return [Served(**{**one, "outcome": Outcome(one["outcome"])}) for one in told]

    def late(self) -> Lateness:
        """How late timers were since the first request arrived."""
        return Lateness(**self.oracle._ask({"truth": self.port})["late"])


@contextmanager
def oracle() -> Iterator[Oracle]:
    argv = [sys.executable, "-m", "tests.fakes.oracle.server"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Oracle(process)
        finally:
            process.kill()
