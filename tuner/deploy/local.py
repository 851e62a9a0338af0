"""Servers as child processes of this machine."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tuner.domain import Label
from tuner.errors import DeploymentError, FailureKind
from tuner.machine import locks, processes
from tuner.protocols import Launch


@dataclass(frozen=True)
class LocalDeployment:
    url: str
    argv: tuple[str, ...]
    session: processes.Child
    kills_before: int | None
    """How often the kernel had killed for memory when the server was started."""

    @property
    def log(self) -> Path:
        return self.session.log

    @property
    def pid(self) -> int | None:
        return self.session.pid

    async def exit_code(self) -> int | None:
        return self.session.exit_code

    async def wait(self) -> int:
        return await self.session.process.wait()

    async def out_of_memory(self) -> bool:
        """The kernel has killed for memory since the start, this server or one of its children."""
        if self.session.exit_code in (None, 0):
            return False
        kills = memory_kills()
        if kills is None or self.kills_before is None:
            return self.session.exit_code == -signal.SIGKILL
        return kills > self.kills_before


@dataclass(frozen=True)
class Local:
    registry: Path
    port_low: int
    port_high: int

    @asynccontextmanager
    async def deploy(
        self, launch: Launch, label: Label, log: Path, gpu_ids: Sequence[str]
    ) -> AsyncIterator[LocalDeployment]:
        with held_port(self.port_low, self.port_high) as port:
            argv = tuple(part.replace("{port}", str(port)) for part in launch.argv)
            kills = memory_kills()
            env = {**processes.inherited(), **launch.env, "CUDA_VISIBLE_DEVICES": ",".join(gpu_ids)}
            async with processes.session(argv, env, log, label, self.registry) as session:
                yield LocalDeployment(f"http://127.0.0.1:{port}", argv, session, kills)

    async def reap(self, task_id: str | None) -> list[str]:
        return processes.reap(self.registry, task_id)


def memory_kills() -> int | None:
    """The kernel's count of processes killed for memory, on the whole machine; None where it keeps none."""
    for line in Path("/proc/vmstat").read_text().splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return None


@contextmanager
def held_port(low: int, high: int) -> Iterator[int]:
    """A port that nobody listens on and no other tuner is given until this context is left.

    The lock is the kernel's: it goes when its holder dies, and an engine that outlives its tuner still listens,
    so its port is not given out either.

    Raises:
        DeploymentError: every port of the range is taken.
    """
    for port in range(low, high + 1):
        lock = locks.take(f"port-{port}")
        if lock is None:
            continue
        try:
            if _free(port):
                yield port
                return
        finally:
            os.close(lock)
    raise DeploymentError(
        FailureKind.INFRASTRUCTURE,
        f"Every port from {low} to {high} is taken; free one, or set AUTOTUNER_PORT_LOW and AUTOTUNER_PORT_HIGH.",
    )


def _free(port: int) -> bool:
    """Nobody listens there; connections that merely linger from a stopped server do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
