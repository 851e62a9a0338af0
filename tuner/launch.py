"""How an engine is started, wherever that is: a template, the program it calls, and the target that has the program."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, TypeAlias

from tuner.spec.values import Frozen

LOOPBACK, ANY = "127.0.0.1", "0.0.0.0"  # noqa: S104 - inside a container, whose ports are opened one by one
MODEL_MOUNT = PurePosixPath("/model")
"""Where a container finds a model folder."""


class Blank(Frozen):
    """A place in a template that is filled when it is known where the server runs."""

    blank: Literal["model", "host", "port"]


MODEL, HOST, PORT = Blank(blank="model"), Blank(blank="host"), Blank(blank="port")

Word: TypeAlias = str | Blank | tuple[str | Blank, ...]
"""One argument; a tuple is joined: `("--bind=", HOST, ":", PORT)`."""


class Program(Frozen):
    """What is called: a program that an installation brings (`vllm serve`), or a module of its interpreter."""

    words: tuple[str, ...]
    """The name first."""
    module: bool = False


@dataclass(frozen=True)
class Installation:
    """A target: an engine's environment on a machine."""

    name: str
    """Of the environment: vllm-cpu."""
    python: Path
    """Its interpreter."""
    version: str
    cpu_only: bool = False
    kind: Literal["installation"] = "installation"
    host: ClassVar[str] = LOOPBACK

    def command(self, program: Program) -> tuple[str, ...]:
        if program.module:
            return (str(self.python), "-m", *program.words)
        return (str(self.python.parent / program.words[0]), *program.words[1:])

    def place(self, model: str) -> str:
        return model


@dataclass(frozen=True)
class Image:
    """A target: a container image, in which interpreter and programs are on the path."""

    reference: str
    version: str = ""
    cpu_only: bool = False
    kind: Literal["image"] = "image"
    host: ClassVar[str] = ANY

    @property
    def name(self) -> str:
        return self.reference

    def command(self, program: Program) -> tuple[str, ...]:
        return ("python3", "-m", *program.words) if program.module else program.words

    def place(self, model: str) -> str:
        return str(MODEL_MOUNT) if model.startswith("/") else model


Target: TypeAlias = Installation | Image
"""Where an engine's program is, and how a model is named there.

`command` gives the words that call a program, `place` the name of a model, `host` the address to listen on there;
`version` is empty where it is unknown.
"""


class Launch(Frozen):
    """A server to be started: a template without host, port and place of the model."""

    program: Program
    args: tuple[Word, ...]
    env: dict[str, str] = {}
    measuring_env: dict[str, str] = {}
    """Set while it is measured only: what lets the tuner empty its cache, and the like."""
    unset: tuple[str, ...] = ()
    """Variables that it does not inherit from the tuner's environment, as they would break the measurement."""
    model: str
    """An absolute folder, to be mounted where the server runs elsewhere, or an id on the hub."""
    served_model: str
    """The name that requests ask for."""
    gpus: int = 0
    """World size; 0 runs without a GPU."""
    health_path: str = "/health"
    """Answers with success once requests are served."""
    reset_cache_path: str | None = None
    """POST here empties the prefix cache; None: the engine cannot, or it was not asked to be able to."""
    reset_cache_refusal: str | None = None
    """Regular expression of what it answers, with success, where it has emptied nothing; None: success is success."""

    @property
    def folder(self) -> str | None:
        """The model's folder; None: it comes from the hub, whose cache is to be mounted."""
        return self.model if self.model.startswith("/") else None

    def arguments(self, target: Target, host: str, port: int | str) -> tuple[str, ...]:
        """What is given to the program, filled."""
        filled = {"model": target.place(self.model), "host": host, "port": str(port)}

        def text(word: Word) -> str:
            parts = word if isinstance(word, tuple) else (word,)
            return "".join(filled[part.blank] if isinstance(part, Blank) else part for part in parts)

        return tuple(map(text, self.args))

    def command(self, target: Target, host: str, port: int | str) -> tuple[str, ...]:
        """The whole command line."""
        return (*target.command(self.program), *self.arguments(target, host, port))
