"""A machine that is asked over HTTP to run engines: `python -m tests.fakes.remote_node FOLDER` prints its address."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import uvicorn
from pydantic import BaseModel, TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tuner.deploy.local import Local, LocalDeployment
from tuner.domain import Label
from tuner.engines import ENGINES
from tuner.errors import DeploymentError
from tuner.launch import Launch, Target
from tuner.protocols import Resolved, Running
from tuner.settings import Settings
from tuner.spec.task import TaskSpec

RESOLVED, LISTED = TypeAdapter(Resolved), TypeAdapter(list[Running])


class Order(BaseModel):
    """What a deployer asks this machine to start."""

    launch: Launch
    target: Target
    label: Label
    gpu_ids: tuple[str, ...] = ()


@dataclass
class Node:
    local: Local
    names: Iterator[int] = field(default_factory=count)
    servers: dict[str, tuple[LocalDeployment, AsyncExitStack]] = field(default_factory=dict)

    async def resolve(self, request: Request) -> Response:
        spec = TaskSpec.model_validate(await request.json())
        resolved = await self.local.resolve(ENGINES[spec.base_runtime], spec)
        return Response(RESOLVED.dump_json(resolved))

    async def start(self, request: Request) -> Response:
        order = Order.model_validate(await request.json())
        name, stack = str(next(self.names)), AsyncExitStack()
        log = self.local.settings.home / "logs" / f"{name}.log"
        starting = self.local.deploy(order.launch, order.target, order.label, log, order.gpu_ids)
        try:
            deployment = await stack.enter_async_context(starting)
        except DeploymentError as error:
            return JSONResponse({"kind": error.kind, "message": str(error)}, 409)
        self.servers[name] = deployment, stack
        return JSONResponse({"name": name, "url": deployment.url, "argv": deployment.argv})

    async def wait(self, request: Request) -> Response:
        deployment, _ = self.servers[request.path_params["name"]]
        code = await deployment.wait()
        return JSONResponse({"code": code, "out_of_memory": await deployment.out_of_memory()})

    async def code(self, request: Request) -> Response:
        deployment, _ = self.servers[request.path_params["name"]]
        return JSONResponse(await deployment.exit_code())

    async def log(self, request: Request) -> Response:
        deployment, _ = self.servers[request.path_params["name"]]

        async def text() -> AsyncIterator[bytes]:
            with deployment.session.log.open("rb") as file:
                while True:
                    ended = deployment.session.exit_code is not None
                    if read := file.read(2**16):
                        yield read
                    elif ended:
                        return
                    else:
                        await asyncio.sleep(0.02)

        return StreamingResponse(text())

    async def stop(self, request: Request) -> Response:
        _, stack = self.servers[request.path_params["name"]]
        await stack.aclose()
        return JSONResponse({})

    async def running(self, request: Request) -> Response:
        return Response(LISTED.dump_json(await self.local.running()))

    async def kill(self, request: Request) -> Response:
        return JSONResponse(await self.local.stop(request.path_params["name"]))

    async def reap(self, request: Request) -> Response:
        return JSONResponse(await self.local.reap((await request.json())["task_id"]))


def main(home: Path) -> None:
    node = Node(Local(Settings(_env_file=None, home=home)))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        for _, stack in node.servers.values():
            await stack.aclose()

    routes = [
        Route("/resolve", node.resolve, methods=["POST"]),
        Route("/servers", node.start, methods=["POST"]),
        Route("/servers/{name}/wait", node.wait),
        Route("/servers/{name}/log", node.log),
        Route("/servers/{name}", node.code),
        Route("/servers/{name}", node.stop, methods=["DELETE"]),
        Route("/running", node.running),
        Route("/running/{name}", node.kill, methods=["DELETE"]),
        Route("/reap", node.reap, methods=["POST"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = Starlette(routes=routes, lifespan=lifespan)
    uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)).run([listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
