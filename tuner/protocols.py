"""The seams: engines, deployers, load generators, strategies, load policies and stop rules implement these."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from pydantic import JsonValue

from tuner.domain import Experiment, Label, Level, LoadPoint, Params
from tuner.errors import FailureKind
from tuner.launch import Launch, Program, Target
from tuner.spec.objectives import SLO, Objective
from tuner.spec.presets import Preset
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen


@dataclass(frozen=True)
class Flag:
    """One flag, as the engine's own help describes it."""

    name: str
    """By `spec.flag_name`."""
    spelling: str
    """As the engine writes it: `--max-num-seqs`."""
    choices: tuple[str, ...] = ()
    negation: str | None = None
    """`--no-enable-prefix-caching`, where there is such a form."""
    takes_value: bool = True
    many: bool = False
    """Takes several values: `1 2 4` as one string."""
    default: str | None = None
    help: str = ""


@dataclass(frozen=True)
class FailurePattern:
    """A line of an engine's log that tells why it failed. The first pattern of a table that matches decides."""

    regex: str
    kind: FailureKind


@dataclass(frozen=True)
class Recipe:
    """How to make an environment for an engine or a load generator."""

    requirement: str | None
    """Whose version is the environment's; None: the one of our own extra `bench`."""
    module: str
    """Can be imported when all is well."""
    disk_gib: float
    first: tuple[str, ...] = ()
    """Installed before the rest, with the options that the user gave for torch."""
    without: frozenset[str] = frozenset()
    """What it asks for and can do without."""
    cpu_only: bool = False
    python_below: tuple[int, int] | None = None


class Engine(Protocol):
    """What to run: turns a configuration into a launch. Starts nothing."""

    name: str
    aliases: tuple[str, ...]
    """Other names that task files may use."""
    simulated: bool
    """What is measured on it says nothing about real hardware, and every surface says so."""
    recipes: Mapping[str, Recipe]
    """Environments that can hold it, by name, the preferred one first; empty: built in."""
    image: str | None
    """Repository of its container image for NVIDIA GPUs; None: there is none on the public hub."""
    cpu_image: str | None
    presets: tuple[Preset, ...]
    """Spaces to begin a task with."""
    parallel_presets: Mapping[str, Mapping[str, bool | int]]
    reserved: Mapping[str, str]
    """Flags that the tuner sets itself or that would break a measurement, with the reason."""
    reserved_env: Mapping[str, str]
    """Environment variables of that kind. What the tuner's own environment has of them does not reach the engine."""
    failures: Sequence[FailurePattern]
    """Most specific first; `failures.COMMON` is asked after them."""
    help: tuple[str, ...]
    """What its program is given to list every flag."""

    def program(self, target: Target) -> Program:
        """What starts it there."""
        ...

    def launch(self, model: str, params: Params, target: Target, schema: Mapping[str, Flag] | None) -> Launch:
        """`schema` is what the program printed for `help`, parsed; with None flags are written by convention."""
        ...

    def world_size(self, params: Params) -> int:
        """GPUs that this configuration needs on a GPU machine."""
        ...

    def refusal(self, params: Params, quantization: str | None) -> str | None:
        """Why the engine cannot run this configuration, known without starting it; None if nothing speaks against it.

        Args:
            quantization: how the checkpoint is already quantized; None: it is not.
        """
        ...


class Deployment(Protocol):
    """A server that was started."""

    @property
    def url(self) -> str: ...

    @property
    def argv(self) -> tuple[str, ...]:
        """As it was started, with its real host and port."""
        ...

    async def exit_code(self) -> int | None:
        """None while it runs."""
        ...

    async def wait(self) -> int:
        """Its exit code, once it has ended and its log is complete. Can be asked by several at once, and later."""
        ...

    async def out_of_memory(self) -> bool:
        """The operating system says that it was killed for its memory."""
        ...


@dataclass(frozen=True)
class Resolved:
    """What a task's engine is launched from."""

    target: Target
    missing: str | None = None
    """What must be there first, as a sentence with the command that brings it; None: it is ready."""
    schema: Mapping[str, Flag] | None = None
    """Every flag of exactly this target, under each of its names; None: they are not known."""
    gpus: int | None = None
    """The most that one experiment can have there; None: it needs none, or nobody knows."""


class Running(Frozen):
    """An engine or a load generator that runs now."""

    id: str
    kind: Literal["engine", "benchmark"]
    task_id: str
    task_name: str = ""
    experiment: int | None = None
    """None: it serves the whole task."""
    pid: int | None = None
    """None: it is no process of this machine."""
    started_at: datetime
    url: str | None = None
    argv: tuple[str, ...] = ()
    cpu_percent: float = 0.0
    """100 is one core."""
    memory_gib: float = 0.0
    """Resident; what its processes share counts for each."""
    gpus: tuple[str, ...] = ()
    log: str | None = None


class Deployer(Protocol):
    """A place where engines run: what is there, what is free, what runs."""

    title: ClassVar[str]
    """Two or three words for a menu."""

    async def resolve(self, engine: Engine, spec: TaskSpec) -> Resolved:
        """The target of an engine there, as a task asks for it. Takes nothing.

        Raises:
            StorageError: what was found out about its flags cannot be kept.
        """
        ...

    def reserve(self, gpus: int) -> AbstractContextManager[tuple[str, ...]]:
        """Ids of that many GPUs, which no other experiment is given until the context is left.

        Raises:
            DeploymentError: fewer are free (`infrastructure`).
        """
        ...

    def deploy(
        self, launch: Launch, target: Target, label: Label, log: Path, gpu_ids: Sequence[str]
    ) -> AbstractAsyncContextManager[Deployment]:
        """Starts a server. Leaving the context stops it and all that it started, whatever happened inside.

        Args:
            log: file of this machine that gets what the server prints, wherever it runs.

        Raises:
            DeploymentError: it could not even be started.
        """
        ...

    async def running(self) -> list[Running]:
        """What tuners with this data folder run there now, the oldest first."""
        ...

    async def stop(self, running_id: str) -> bool:
        """Kills one of those, so that its task sees a machine that failed; False: nothing runs under that id.

        Raises:
            ConflictError: it may not be stopped from here.
        """
        ...

    async def reap(self, task_id: str | None) -> list[str]:
        """Stops what a dead owner left behind (of one task whoever owns it, else of every dead owner); says what."""
        ...


@dataclass(frozen=True)
class Workload:
    """The traffic of a task, resolved: what `BenchmarkConfig` says, with files and names in place."""

    task_id: str
    scenarios: tuple[str, ...]
    concurrencies: tuple[int, ...]
    tokenizer: str
    max_time_s: float
    max_requests: int | None = None
    """Requests to measure at each level; None: `benchmarks.window.requests_for`."""
    far: bool = False
    """A 99th percentile counts, which takes more requests."""
    model_name: str | None = None
    additional_params: Mapping[str, JsonValue] = field(default_factory=dict)
    dataset: Path | None = None
    """A JSON list of prompts (`benchmarks.datasets`), for the scenario `dataset`."""
    held_out: Path | None = None
    """Prompts that only confirmations are measured with."""
    prefix_len: int | None = None
    prefix_ratio: float | None = None
    slos: tuple[SLO, ...] = ()
    arrival: str = "poisson"
    """How the requests of an open loop come; or `constant`."""
    trace: Path | None = None
    """Recorded traffic (`benchmarks.traces`), for the scenario `trace`."""
    turns: int = 1
    """Of a conversation."""
    think_s: float = 0.0


class LoadGenerator(Protocol):
    """A benchmark that has been started: imports and tokenizer are loaded."""

    async def measure(
        self,
        url: str,
        model: str,
        scenario: str,
        concurrency: int,
        folder: Path,
        *,
        rate: float | None = None,
        held_out: bool = False,
    ) -> LoadPoint:
        """Sends one load level and keeps its per-request data under `folder`, as `benchmarks.requests` says.

        What comes back is the steady state, every request counted. A level that ran and cannot be trusted (requests
        failed or were never answered, answers were empty, too few came, the generator itself was too slow) comes back
        with `failure` and what was measured. When cancelled, everything it started is gone.

        Args:
            concurrency: 0: an open loop, of `rate` requests per second, or of a trace at its own pace.
            held_out: the prompts are those that were set aside, where the workload has such.

        Raises:
            BenchmarkError: the load could not be sent at all (`infrastructure` where the generator itself died).
            UnavailableError: no load can be sent, whatever the configuration: the tokenizer cannot be loaded.
        """
        ...


class Benchmark(Protocol):
    """How load is sent and timed."""

    recipes: ClassVar[Mapping[str, Recipe]]
    """Environments that it runs in, by name; empty: built in."""
    shapes: ClassVar[frozenset[str]]
    """Keys of a task's load that it can send besides closed loops: request_rate, trace, turns."""

    def missing(self) -> str | None:
        """What must be installed first, as a sentence with the command; None if it is ready."""
        ...

    def open(self, workload: Workload, log: Path, label: Label) -> AbstractAsyncContextManager[LoadGenerator]:
        """Starts warming up and returns at once; leaving the context stops whatever runs."""
        ...


class Space(Protocol):
    """What a strategy sees of a search space (`space.SearchSpace`)."""

    @property
    def candidates(self) -> Sequence[Params] | None:
        """Every valid configuration, in a fixed order; None where there are too many to list, or infinitely many."""
        ...

    @property
    def dimensions(self) -> Mapping[str, "Dimension"]:
        """By flat name, what is varied."""
        ...

    def point(self, values: Mapping[str, bool | int | float | str]) -> Params | None:
        """The configuration with these values, or None where a constraint forbids it."""
        ...

    def values(self, params: Params) -> Mapping[str, bool | int | float | str] | None:
        """Where a configuration lies: a value for each dimension; None if it is no point of this space."""
        ...


@dataclass(frozen=True)
class Dimension:
    """One varied name. `values` where it is a closed list, else bounds."""

    values: tuple[bool | int | float | str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    integer: bool = False

    @property
    def ordered(self) -> bool:
        """Its values are numbers, so that near ones may behave alike."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)


@dataclass(frozen=True)
class Search:
    """What every `ask` of one task is given, besides the history."""

    space: Space
    objectives: tuple[Objective, ...]
    seed: int
    n_initial_random: int
    budget: int
    """Configurations the task may try in all."""


class Strategy(Protocol):
    """What to try next, given everything tried so far. Holds no state, so a task resumes by asking again."""

    name: str
    """As task files say it."""
    title: str
    """Two or three words for a menu."""
    description: str
    """What it does, in a few words without a full stop."""
    spoken: tuple[str, ...]
    """How people say it in a sentence."""
    in_order: bool
    """It takes the candidates in their order, so that a limit cuts off the last ones."""

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        """A configuration that is neither in the history nor pending, or None: the space is spent.

        The same arguments give the same answer.

        Args:
            history: finished experiments, baseline included.
            pending: experiments under way, without points and scores. A model counts one as a failure until it has
                ended, so that the next proposal lies elsewhere: what Optuna does with running trials (constant liar).
        """
        ...


class LoadPolicy(Protocol):
    """Which load level an experiment is measured at next. Holds no state: its points so far are all that it goes by."""

    def next(self, task: TaskSpec, points: Sequence[LoadPoint]) -> Level | None:
        """A level of a requested scenario that has no point yet, or None: enough is known.

        The same points give the same answer, and it ends whatever they say.

        Args:
            points: in the order they were measured. Levels that failed, or could not be sent at all, are among them.
        """
        ...


class StopRule(Protocol):
    """When to measure no more. Holds no state and reads no clock, so a resumed task stops where it would have stopped.

    All rules are asked of every task; one that a task has not asked for by its keys says None.
    """

    def ends_search(self, task: TaskSpec, history: Sequence[Experiment], pending: Sequence[Experiment]) -> str | None:
        """Why no further candidate is started, in a sentence; None: nothing speaks against one.

        Args:
            history: experiments that have ended, confirmations among them.
            pending: experiments under way. The answer may depend on them, and is asked for again when one has ended.
        """
        ...

    def ends_experiment(self, task: TaskSpec, history: Sequence[Experiment], experiment: Experiment) -> str | None:
        """Why the load levels that are left of an experiment are not measured, in a sentence; None: go on.

        Args:
            history: experiments that have ended.
            experiment: under way, with its points so far.
        """
        ...


Progress = Callable[[str, Mapping[str, JsonValue]], None]
"""Told of steps while something long runs: (kind, payload)."""
