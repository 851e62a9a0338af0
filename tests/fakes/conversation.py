"""Run events as a turn would write them down."""

from datetime import UTC, datetime, timedelta

from agent.domain import Approval, ApprovalState
from agent.events.log import sequence_width
from agent.events.types import (
    Payload,
    RunEvent,
    RunFinished,
    RunStarted,
    TextDelta,
    TextEnded,
    TextStarted,
    UserMessage,
)

SESSION = "5" * 32
AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
STARTED = RunStarted(trigger="message", model="offline")


def events(*payloads: Payload, run: str = "run", after: int = 0) -> list[RunEvent]:
    """Numbered as the log numbers them: a delta by its last character."""
    numbered = []
    for payload in payloads:
        after += sequence_width(payload)
        numbered.append(RunEvent(session_id=SESSION, run_id=run, sequence=after, at=AT, payload=payload))
    return numbered


def said(*words: str, message: str = "m1") -> list[Payload]:
    deltas = [TextDelta(message_id=message, text=word) for word in words]
    return [TextStarted(message_id=message), *deltas, TextEnded(message_id=message)]


def turn(question: str, *words: str, message: str = "m1") -> list[Payload]:
    asked = UserMessage(message_id=f"{message}-asked", text=question)
    return [STARTED, asked, *said(*words, message=message), RunFinished(outcome="done")]


def approval(id: str = "a" * 32, *, call: str = "c1", state: ApprovalState = ApprovalState.OPEN) -> Approval:  # noqa: A002
    return Approval(
        id=id,
        session_id=SESSION,
        run_id="run",
        call_id=call,
        tool="start_task",
        args={"task": "0123abcd"},
        preview={"experiments": 3},
        digest="d" * 64,
        args_schema={"type": "object"},
        state=state,
        created_at=AT,
        expires_at=AT + timedelta(hours=1),
    )
