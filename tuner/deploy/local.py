"""Servers as child processes of this machine."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tuner.deploy import processes_list
from tuner.domain import Label
from tuner.engines import flags
from tuner.errors import DeploymentError, FailureKind, StorageError
from tuner.launch import LOOPBACK, Installation, Launch, Target
from tuner.machine import hardware, locks, processes
from tuner.machine.environments import find
from tuner.protocols import Engine, Resolved, Running
from tuner.settings import Settings
from tuner.spec.task import TaskSpec


@dataclass(frozen=True)
class LocalDeployment:
    url: str
    argv: tuple[str, ...]
    session: processes.Child
    kills_before: int | None
    """How often the kernel had killed for memory when the server was started."""

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
    title: ClassVar[str] = "On this machine"
    settings: Settings

    async def resolve(self, engine: Engine, spec: TaskSpec) -> Resolved:
        names = tuple(engine.recipes)
        installation = find(self.settings.home, names)
        gpus = len((await asyncio.to_thread(hardware.survey)).gpus)
        if installation is None:
            name = names[0 if gpus else -1]
            missing = f"{spec.base_runtime} is not installed here; run: autotuner engine install {name}"
            return Resolved(Installation("not installed", Path("python"), ""), missing)
        try:
            schema = await flags.load(engine, installation, self.settings.engines)
        except OSError as error:
            raise StorageError(
                f"What the engine's flags are cannot be kept in {self.settings.engines}: {error}. "
                "Mend that, or set AUTOTUNER_HOME to a folder that can be written."
            ) from error
        return Resolved(installation, schema=schema, gpus=None if installation.cpu_only else gpus)

    @contextmanager
    def reserve(self, gpus: int) -> Iterator[tuple[str, ...]]:
        with hardware.hold(gpus) as held:
            if isinstance(held, hardware.Short):
                message = f"GPUs needed: {held.needed}; not held by another experiment: {held.free}."
                raise DeploymentError(FailureKind.INFRASTRUCTURE, message)
            yield tuple(gpu.id for gpu in held)

    @asynccontextmanager
    async def deploy(
        self, launch: Launch, target: Target, label: Label, log: Path, gpu_ids: Sequence[str]
    ) -> AsyncIterator[LocalDeployment]:
        with held_port(self.settings.port_low, self.settings.port_high) as port:
            argv, url = launch.command(target, LOOPBACK, port), f"http://{LOOPBACK}:{port}"
            kills, own = memory_kills(), {**launch.measuring_env, **launch.env}
            inherited = {name: value for name, value in processes.inherited().items() if name not in launch.unset}
            env = {**inherited, **own, hardware.VISIBLE: ",".join(gpu_ids)}
            async with processes.session(argv, env, log, label, self.settings.processes, url=url) as session:
                yield LocalDeployment(url, argv, session, kills)

    async def running(self) -> list[Running]:
        return await processes_list.listed(self.settings.processes)

    async def stop(self, running_id: str) -> bool:
        return await asyncio.to_thread(processes_list.stop, self.settings.processes, running_id)

    async def reap(self, task_id: str | None) -> list[str]:
        return processes.reap(self.settings.processes, task_id)


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
