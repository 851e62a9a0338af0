"""Recorded traffic: JSONL files of when requests came and how long they were, in the format of the Mooncake traces."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_BYTES = 256 * 2**20
MOST_LISTED = 5
"""Lines whose mistakes are told one by one."""
BLOCK_TOKENS = 512
"""Tokens that one of `hash_ids` stands for; of the last one, what is left of the prompt."""


class TraceRequest(BaseModel):
    """One line. Keys that are not known here are ignored: recorded traffic has many."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    timestamp: float = Field(ge=0)
    """Milliseconds, from any beginning."""
    input_length: int = Field(ge=1)
    """Tokens of the prompt; in a later turn of a session, of the new message."""
    output_length: int = Field(ge=1)
    """Tokens of the answer."""
    hash_ids: tuple[int, ...] = ()
    """Blocks of 512 tokens of the prompt: where ids are equal, so is the text, and a prefix cache can answer it."""
    session_id: str | int | None = None
    """Requests of one session are turns of a conversation."""


class TraceError(Exception):
    """The file is no trace; the message is a sentence for whoever wrote its path."""


def read(path: Path) -> tuple[TraceRequest, ...]:
    """In the order of their times.

    Raises:
        TraceError: it cannot be read, a line is not what it should be, or there is none.
    """
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise TraceError(f"the trace {path} has {size / 2**20:.0f} MiB, at most {MOST_BYTES // 2**20} are read")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise TraceError(f"the trace {path} cannot be read: {error}") from error
    requests: list[TraceRequest] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            requests.append(TraceRequest.model_validate_json(line))
        except ValidationError as error:
            wrong.append(f"line {number}: {_told(line, error)}")
    if wrong:
        more = f"; and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
        raise TraceError(f"the trace {path} has lines that are no requests: {'; '.join(wrong[:MOST_LISTED])}{more}")
    if not requests:
        raise TraceError(
            f"the trace {path} is empty; write lines like "
            '{"timestamp": 1500, "input_length": 1024, "output_length": 128}, with the timestamp in milliseconds'
        )
    return tuple(sorted(requests, key=lambda request: request.timestamp))


def _told(line: str, error: ValidationError) -> str:
    try:
        json.loads(line)
    except ValueError:
        return f"{line[:60]!r} is not JSON"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg'].lower()}"
