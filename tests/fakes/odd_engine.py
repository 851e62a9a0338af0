"""An engine that spells everything differently: `… -m tests.fakes.odd_engine MODEL --bind=HOST --server-port=PORT`.

Its model is positional, its address has names of its own, it is ready at `/ready` and empties its cache at `/forget`.
As a program it is the simulated engine behind another command line.
"""

import argparse
from collections.abc import Mapping, Sequence

import uvicorn
from starlette.types import Receive, Scope, Send

from tuner.domain import Params
from tuner.engines.argv import Convention, environment, located, render, served_name
from tuner.engines.simulated.api import Faults, Server
from tuner.engines.simulated.law import Configuration
from tuner.launch import HOST, MODEL, PORT, Launch, Program, Target
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset


class OddEngine:
    name: str = "odd"
    aliases: tuple[str, ...] = ()
    simulated: bool = False
    recipes: Mapping[str, Recipe] = {}
    image: str | None = "odd/engine"
    cpu_image: str | None = "odd/engine-cpu"
    presets: tuple[Preset, ...] = ()
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = {}
    reserved_env: Mapping[str, str] = {}
    reserved: Mapping[str, str] = dict.fromkeys(("bind", "server-port", "help"), "the tuner sets it")
    failures: Sequence[FailurePattern] = ()
    help: tuple[str, ...] = ("--help",)

    def program(self, target: Target) -> Program:
        return Program(words=("tests.fakes.odd_engine",), module=True)

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        return Launch(
            program=self.program(target),
            args=(("--bind=", HOST), ("--server-port=", PORT), *render(params.flags, schema, Convention()), MODEL),
            env=environment(params.env, model, {}),
            measuring_env={"ODD_FORGETS": "1"},
            model=located(model),
            served_model=served_name(model),
            health_path="/ready",
            reset_cache_path="/forget",
        )

    def world_size(self, params: Params) -> int:
        return 1

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        return None


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("model")
    made.add_argument("--bind", required=True)
    made.add_argument("--server-port", type=int, required=True)
    made.add_argument("--max-num-seqs", type=int, default=8)
    return made


PATHS = {"/ready": "/health", "/forget": "/reset_prefix_cache"}


def main() -> None:
    given = parser().parse_args()
    usual = Server(
        served_name(given.model), Configuration(max_num_seqs=given.max_num_seqs, sim_speed=20), Faults()
    ).app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        await usual({**scope, "path": PATHS.get(path, "/nowhere" if path in PATHS.values() else path)}, receive, send)

    uvicorn.run(app, host=given.bind, port=given.server_port, log_level="warning")


if __name__ == "__main__":
    main()
