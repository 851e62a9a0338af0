"""The requests of a load level as they were sent and answered: one file, in one format, whatever generator made it.

`requests.jsonl` has a first line about the level, `{"level": {…}}`, by the names of `Level`, then a line for each
request that was sent, by the names of `Request`. Times are seconds on one monotonic clock. From this file alone every
figure of a report can be computed again (`autotuner recompute`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from tuner.errors import BenchmarkError, FailureKind

NAME = "requests.jsonl"
ERROR_CHARACTERS = 300
ANSWERED_SHARE = 0.9
"""An answer shorter than this part of what was asked for is short."""

Ending = Literal["complete", "tail", "time", "stalled"]
"""Why a level ended: every measured request has its outcome; all but a last hundredth that took too long; its time was
up; or nothing came any more."""


@dataclass(frozen=True)
class Request:
    """One request. What was still under way when its level ended has neither an end nor an error."""

    started_at: float
    first_token_at: float | None
    """When the first text came: content, reasoning or a call of a tool. None: no text came."""
    finished_at: float | None
    """When the last text came, or the failure; where there was no text, the end of the answer."""
    input_tokens: int
    output_tokens: int
    """As the server counts them; of a request under way, 0."""
    wanted_tokens: int | None
    """The output length that was enforced; None where the model was free to stop."""
    error: str | None = None
    chunk_at: tuple[float, ...] | None = None
    """When each piece with text came; None: not seen (files of older versions)."""
    first_tokens: float | None = None
    """Tokens that the first piece with text brought the count to: as the server counted, else by its share of the text.
    None where tokens came one by one."""
    text_tokens: int | None = None
    """Tokens of the text, by the tokenizer; counted where there were clearly fewer pieces than tokens."""
    hidden_tokens: int | None = None
    """Tokens that the server says it made and did not send; None: it says nothing of them."""
    estimated: bool = False
    """The server sent no count: `output_tokens` is the length that it was told to write, or the tokenizer's count."""
    scheduled_at: float | None = None
    """When it was due, under an open loop; its latencies begin there."""

    @property
    def begun_at(self) -> float:
        return self.started_at if self.scheduled_at is None else min(self.scheduled_at, self.started_at)

    @property
    def answered(self) -> bool:
        return self.finished_at is not None and self.error is None

    @property
    def e2e_latency(self) -> float | None:
        return None if self.finished_at is None else self.finished_at - self.begun_at

    @property
    def ttft(self) -> float | None:
        return None if self.first_token_at is None else self.first_token_at - self.begun_at

    @property
    def pieces(self) -> int | None:
        return None if self.chunk_at is None else len(self.chunk_at)

    @property
    def empty(self) -> bool:
        return self.output_tokens < 1 or (self.first_token_at is None and not self.hidden_tokens)

    @property
    def short(self) -> bool:
        return self.wanted_tokens is not None and self.output_tokens < ANSWERED_SHARE * self.wanted_tokens


@dataclass(frozen=True)
class Level:
    """What a generator says of a level as a whole."""

    generator: str
    ended_at: float
    ending: Ending
    unmeasured: int
    """Requests that were sent first and only brought the engine to its steady state."""
    wanted: int
    """Requests to measure, those sent next."""
    lag_s: float = 0.0
    """By how much the generator itself was late, at the 90th percentile: it asked to be woken again and again."""
    busy: float = 0.0
    """Share of its time that the busiest of its processes used a processor; 1 is all of it."""
    cpu_s: float = 0.0
    """Processor time that all of it took while the level ran."""
    trace: bool = False
    """Recorded traffic, all of which is measured: it need not have a steady state."""
    unsent: int = 0
    """Requests of an open loop that were due and never left."""

    @classmethod
    def whole(cls, generator: str, requests: Sequence[Request]) -> "Level":
        """A level of which every request is measured, from the first one sent to the end of the last: how older
        versions measured."""
        ended_at = max(
            (one.started_at if one.finished_at is None else one.finished_at for one in requests), default=0.0
        )
        return cls(generator, ended_at, "complete", 0, len(requests))


def write(path: Path, level: Level, requests: Sequence[Request]) -> None:
    """Raises:
    BenchmarkError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as out:
            out.write(json.dumps({"level": asdict(level)}) + "\n")
            for request in requests:
                out.write(json.dumps(asdict(request)) + "\n")
    except OSError as error:
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, f"{path} cannot be written: {error}") from error


def read(path: Path) -> tuple[Level | None, list[Request]]:
    """The level, None in a file of an older version, and its requests.

    Raises:
        BenchmarkError: the file is missing or damaged.
    """
    level: Level | None = None
    found: list[Request] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if not found and level is None and line.startswith('{"level"'):
                    level = _LevelLine.model_validate_json(line).level
                else:
                    found.append(parsed(line))
    except (OSError, ValidationError) as error:
        message = f"The per-request data of the level cannot be read: {error}"
        raise BenchmarkError(FailureKind.INFRASTRUCTURE, message) from error
    return level, found


def parsed(line: str) -> Request:
    """Raises:
    ValidationError: the line is no request.
    """
    request = _RequestLine.model_validate_json(line).request
    return request if request.error is None else replace(request, error=_told(request.error))


class _LevelLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    level: Level


class _RequestLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    request: Request

    @model_validator(mode="before")
    @classmethod
    def _older(cls, raw: dict[str, object]) -> dict[str, object]:
        """Older files hold gaps instead of the pieces' times."""
        gaps, first = raw.pop("itl", None), raw.get("first_token_at")
        if isinstance(gaps, list) and isinstance(first, float | int) and "chunk_at" not in raw:
            raw["chunk_at"] = _summed(first, gaps)
        return {"request": raw}


def _summed(first: float, gaps: Sequence[float]) -> list[float]:
    times = [first]
    for gap in gaps:
        times.append(times[-1] + gap)
    return times


def _told(error: str) -> str:
    """An error as it is kept: equal ones at different addresses count as one."""
    return re.sub(r"0x[0-9a-f]+", "0x…", error)[:ERROR_CHARACTERS]
