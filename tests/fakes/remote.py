"""A deployer on another machine: no process and no log file of its servers is this machine's."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from tests.fakes.remote_node import LISTED, RESOLVED, Order
from tuner.domain import Label
from tuner.errors import DeploymentError, FailureKind
from tuner.launch import Launch, Target
from tuner.machine.processes import opened
from tuner.protocols import Engine, Resolved, Running
from tuner.spec.task import TaskSpec


@contextmanager
def node(home: Path) -> Iterator[str]:
    """Another machine; its address."""
    command = (sys.executable, "-m", "tests.fakes.remote_node", str(home))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)


@dataclass(frozen=True)
class RemoteDeployment:
    url: str
    argv: tuple[str, ...]
    client: httpx.AsyncClient
    name: str
    copied: asyncio.Task[None]
    """Its log, until its end."""

    async def exit_code(self) -> int | None:
        code: int | None = (await self.client.get(f"/servers/{self.name}")).json()
        return code

    async def wait(self) -> int:
        code: int = (await self._ended())["code"]
        await asyncio.shield(self.copied)
        return code

    async def out_of_memory(self) -> bool:
        return bool((await self._ended())["out_of_memory"])

    async def _ended(self) -> dict[str, int]:
        answer = await self.client.get(f"/servers/{self.name}/wait")
        return dict(answer.json())


@dataclass(frozen=True)
class RemoteDeployer:
    title: ClassVar[str] = "Remote"
    address: str
    gpus: int = 0

    async def resolve(self, engine: Engine, spec: TaskSpec) -> Resolved:
        async with self._client() as client:
            answer = await client.post("/resolve", content=spec.model_dump_json())
        return RESOLVED.validate_json(answer.content)

    @contextmanager
    def reserve(self, gpus: int) -> Iterator[tuple[str, ...]]:
        if gpus > self.gpus:
            raise DeploymentError(FailureKind.INFRASTRUCTURE, f"GPUs needed: {gpus}; there are {self.gpus}.")
        yield tuple(map(str, range(gpus)))

    @asynccontextmanager
    async def deploy(
        self, launch: Launch, target: Target, label: Label, log: Path, gpu_ids: Sequence[str]
    ) -> AsyncIterator[RemoteDeployment]:
        order = Order(launch=launch, target=target, label=label, gpu_ids=tuple(gpu_ids))
        with opened(log) as sink:
            async with self._client() as client:
                answer = await client.post("/servers", content=order.model_dump_json())
                if answer.is_error:
                    raise DeploymentError(FailureKind(answer.json()["kind"]), answer.json()["message"])
                there = answer.json()

                async def copy() -> None:
                    async with client.stream("GET", f"/servers/{there['name']}/log") as text:
                        async for piece in text.aiter_raw():
                            sink.write(piece)
                            sink.flush()

                copied = asyncio.create_task(copy())
                try:
                    yield RemoteDeployment(there["url"], tuple(there["argv"]), client, there["name"], copied)
                finally:
                    await asyncio.shield(client.delete(f"/servers/{there['name']}"))
                    await copied

    async def running(self) -> list[Running]:
        async with self._client() as client:
            found = LISTED.validate_json((await client.get("/running")).content)
        return [one.model_copy(update={"pid": None, "log": None}) for one in found]

    async def stop(self, running_id: str) -> bool:
        async with self._client() as client:
            return bool((await client.delete(f"/running/{running_id}")).json())

    async def reap(self, task_id: str | None) -> list[str]:
        async with self._client() as client:
            return list((await client.post("/reap", json={"task_id": task_id})).json())

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, timeout=None, trust_env=False, verify=False)
