"""An engine that is only described: flags, a schema, degrees; what serves them is `tests.fakes.rig`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tuner.domain import Params
from tuner.errors import FailureKind
from tuner.launch import PORT, Launch, Program, Target
from tuner.machine.environments import Record
from tuner.protocols import FailurePattern, Flag, Recipe
from tuner.spec.presets import Preset

RECIPE = Recipe(requirement="fake", module="fake", disk_gib=0.01)
HELP = "options:\n  --speed N   How fast it is.\n  --batch N   How many at once.\n  --mode {a,b}   Which way.\n"


@dataclass
class FakeEngine:
    """Its flags are `--speed`, `--batch` and `--mode`; tp is a degree. `recipes` make it one that is installed."""

    name: str = "fake"
    aliases: tuple[str, ...] = ()
    simulated: bool = False
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    image: str | None = None
    cpu_image: str | None = None
    parallel_presets: Mapping[str, Mapping[str, bool | int]] = field(default_factory=lambda: {"wide": {"tp": 4}})
    reserved: Mapping[str, str] = field(default_factory=lambda: {"port": "the tuner picks it"})
    reserved_env: Mapping[str, str] = field(default_factory=lambda: {"FAKE_KEY": "nobody asks for it"})
    failures: Sequence[FailurePattern] = (FailurePattern("^fake: no memory", FailureKind.OUT_OF_MEMORY),)
    help: tuple[str, ...] = ("%s", HELP)

    def program(self, target: Target) -> Program:
        """For its help only: `tests.fakes.rig` starts no process."""
        return Program(words=("printf",)) if self.recipes else Program(words=("tests.fakes.say",), module=True)

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        degrees = {"tp": self.world_size(params)} if "tp" in params.parallel else {}
        flags = [part for name, value in {**degrees, **params.flags}.items() for part in (f"--{name}", str(value))]
        return Launch(
            program=Program(words=("fake",), module=True),
            args=("--port", PORT, *flags),
            env={name: str(value) for name, value in params.env.items()},
            model=model,
            served_model=model,
            gpus=self.world_size(params) if self.recipes and not target.cpu_only else 0,
            reset_cache_path="/reset",
            unset=tuple(self.reserved_env),
        )

    def world_size(self, params: Params) -> int:
        return int(params.parallel.get("tp", 1))

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        if params.flags.get("mode") == "b" and quantization:
            return f"mode b cannot load {quantization}"
        return None


def installed_engine(*environments: str, help: str = HELP) -> FakeEngine:  # noqa: A002 - the engine's word
    """One that lives in environments of its own."""
    return FakeEngine(recipes=dict.fromkeys(environments, RECIPE), help=("%s", help))


def install_environment(home: Path, name: str, *, cpu_only: bool = False) -> None:
    """An engine's environment as `engine install` leaves it, with nothing in it."""
    folder = home / "engines" / name
    folder.mkdir(parents=True)
    record = Record(
        name=name, version="1.2.3", python="/bin/sh", installed_at=datetime(2026, 1, 1, tzinfo=UTC), cpu_only=cpu_only
    )
    (folder / "environment.json").write_text(record.model_dump_json())
