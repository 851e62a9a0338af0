"""The simulated engine: no model and no GPU, but a server that queues, batches and fails by a known law."""

from collections.abc import Mapping, Sequence

from tuner.domain import Params
from tuner.engines import argv, parallel
from tuner.engines.quantization import AUTO
from tuner.errors import FailureKind
from tuner.launch import HOST, PORT, Launch, Program, Target
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset

MODULE = "tuner.engines.simulated.server"
DEGREES: parallel.Degrees = {"tp": ("tensor-parallel-size",)}


class Simulated:
    """Built in: it runs on the tuner's own interpreter. Every answer it gives is labelled `simulated`."""

    name = "simulated"
    aliases: tuple[str, ...] = ("simulation", "simulator")
    simulated: bool = True
    recipes: Mapping[str, Recipe] = {}
    image: str | None = None
    cpu_image: str | None = None
    presets: tuple[Preset, ...] = ()
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = {"single-gpu": {"tp": 1}}
    reserved: Mapping[str, str] = {
        "help": "it only prints the flags",
        "host": "the tuner binds every engine to the loopback interface",
        "model": "the task's model says it",
        "port": "the tuner picks a free one",
    }
    reserved_env: Mapping[str, str] = {}
    failures: Sequence[FailurePattern] = (
        FailurePattern(r"^simulated: out of memory", FailureKind.OUT_OF_MEMORY),
        FailurePattern(r"^simulated: invalid configuration", FailureKind.INVALID_FLAG),
        FailurePattern(r"^simulated: cannot listen on", FailureKind.INFRASTRUCTURE),
        FailurePattern(r"^simulated: engine core died", FailureKind.CRASHED),
    )

    help: tuple[str, ...] = ("--help",)

    def program(self, target: Target) -> Program:
        return Program(words=(MODULE,), module=True)

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        """`gpus` is 0 whatever the configuration says: its ranks are simulated too."""
        served = argv.served_name(model)
        flags = {**parallel.flags(params, DEGREES), **params.flags}
        rendered = argv.render(flags, schema, argv.Convention(negates=True))
        return Launch(
            program=self.program(target),
            args=("--host", HOST, "--port", PORT, "--model", served, *rendered),
            env={name: argv.text(value) for name, value in params.env.items()},
            model=argv.located(model),
            served_model=served,
            reset_cache_path="/reset_prefix_cache",
        )

    def world_size(self, params: Params) -> int:
        """The ranks it pretends to have, so that plans and rates per GPU can be tried out; no GPU is taken for them."""
        return parallel.degree(params, "tp", DEGREES)

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        for part, dtype in params.quant.items():
            if dtype != AUTO:
                return f"simulated runs no model, so there is nothing to quantize; leave {part} {dtype!r} out"
        mapped = parallel.flags(params, DEGREES)
        return parallel.unknown_refusal(self.name, params, DEGREES) or parallel.twice_refusal(
            params, mapped, DEGREES.values()
        )
