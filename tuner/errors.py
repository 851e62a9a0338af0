"""Every error the tuner raises on purpose.

TunerError
├── NotFoundError            no such task, experiment, engine, environment
├── ConflictError            the task's state does not allow this
├── InvalidSpecError         the task cannot run as written; carries every problem found
├── InvalidSettingsError     a variable AUTOTUNER_… cannot be used
├── UnavailableError         this machine lacks something the task needs; says how to get it
├── StorageError             the database or the data folder cannot be used: full, locked, read-only, too new
├── LeaseLostError           another worker has taken the task over; the old one must stop at once
└── ExperimentError          this configuration failed; the task goes on
    ├── DeploymentError      the engine did not start, or died
    └── BenchmarkError       the load could not be sent, or what came back cannot be trusted
"""

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Why an experiment failed. Only `infrastructure` is tried again: it says nothing about the configuration."""

    INVALID_FLAG = "invalid_flag"
    OUT_OF_MEMORY = "out_of_memory"
    START_TIMEOUT = "start_timeout"
    CRASHED = "crashed"
    BENCHMARK_FAILED = "benchmark_failed"
    UNHEALTHY_OUTPUT = "unhealthy_output"
    INFRASTRUCTURE = "infrastructure"
    OVERLOADED = "overloaded"
    """Requests came faster than they were answered: an open loop without a steady state. Says of a load level only."""
    STOPPED = "stopped"
    """Not measured: a stop rule ended the experiment. Says of a load level only."""


class TunerError(Exception):
    """Base of the errors a caller may show to the user as they are: the value, the limit, the way out."""


class NotFoundError(TunerError): ...


class ConflictError(TunerError): ...


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a task file."""

    message: str
    where: str = ""
    """Path to the value, dotted: `optimization.strategy`. Empty for the file as a whole."""
    line: int | None = None
    """1-based line in the file, where there is a file."""

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.where) if part)
        return f"{place}: {self.message}" if place else self.message


class InvalidSpecError(TunerError):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class InvalidSettingsError(TunerError): ...


class UnavailableError(TunerError): ...


class StorageError(TunerError): ...


class LeaseLostError(TunerError): ...


class ExperimentError(TunerError):
    """Carries what the failed experiment will say of itself."""

    def __init__(self, kind: FailureKind, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.lines = kind, lines


class DeploymentError(ExperimentError): ...


class BenchmarkError(ExperimentError): ...
