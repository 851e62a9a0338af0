"""Puts a long conversation into a data folder: `chat-seed.py HOME TURNS [TASK]` prints its session's id.

In the last turn the TASK is put to work, so that its card stands in the conversation.
"""

import json
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, insert

from agent.events.types import (
    Payload,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolCallArgs,
    ToolCallEnded,
    ToolCallStarted,
    ToolResult,
    UserMessage,
)
from agent.storage.schema import RUN, RUN_EVENT, SESSION

TEXT = """Answer {turn}.

| level | tokens/s |
|------:|---------:|
| 1 | {turn} |

```python
print({turn})
```
"""


def turn(number: int) -> list[Payload]:
    said = f"m{number}"
    return [
        RunStarted(trigger="message", model="offline"),
        UserMessage(message_id=f"u{number}", text=f"Question {number}"),
        TextStarted(message_id=said),
        TextDelta(message_id=said, text=TEXT.format(turn=number)),
        TextEnded(message_id=said),
        RunFinished(outcome="done"),
    ]


def length(payload: Payload) -> int:
    """How many sequence numbers it takes."""
    match payload:
        case TextDelta():
            return len(payload.text)
        case ToolCallArgs():
            return len(payload.delta)
        case _:
            return 1


def start(task: str) -> list[Payload]:
    call, asked = "call_start", json.dumps({"id": task})
    return [
        RunStarted(trigger="message", model="offline"),
        UserMessage(message_id="start", text=f"Start {task}"),
        ToolCallStarted(call_id=call, tool="start_task"),
        ToolCallArgs(call_id=call, delta=asked),
        ToolCallEnded(call_id=call),
        ToolResult(call_id=call, tool="start_task", content=asked),
        RunFinished(outcome="done"),
    ]


def main(home: Path, turns: int, task: str | None) -> None:
    session, at = secrets.token_hex(16), datetime.now(UTC)
    runs, events, sequence = [], [], 0
    told = [turn(number) for number in range(1, turns + 1)]
    for payloads in [*told, *([start(task)] if task else [])]:
        run = secrets.token_hex(8)
        runs.append(
            {"id": run, "session_id": session, "trigger": "message", "state": "done", "started_at": at, "ended_at": at}
            | {"owner": "seed", "beat_at": at, "cancel_requested": False}
        )
        for payload in payloads:
            sequence += length(payload)
            events.append(
                {"session_id": session, "sequence": sequence, "run_id": run, "at": at}
                | {"payload": payload.model_dump(mode="json")}
            )
    kept = {
        "id": session,
        "title": "A long conversation",
        "created_at": at - timedelta(hours=1),
        "updated_at": at,
        "thread_id": session,
    }
    with create_engine(f"sqlite:///{home / 'autotuner.db'}").begin() as connection:
        connection.execute(insert(SESSION).values(**kept, input_tokens=0, output_tokens=0, tainted=False))
        connection.execute(insert(RUN), runs)
        connection.execute(insert(RUN_EVENT), events)
    print(session)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), next(iter(sys.argv[3:]), None))
