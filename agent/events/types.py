"""The events of a conversation: an append-only log per session, from which AG-UI, terminal and transcript derive."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from agent.domain import Approval, Trigger
from tuner.spec.values import Frozen


class RunStarted(Frozen):
    kind: Literal["run_started"] = "run_started"
    trigger: Trigger
    model: str
    """Which model answers: `offline`, or its provider's name for it."""


class UserMessage(Frozen):
    kind: Literal["user_message"] = "user_message"
    message_id: str
    text: str


class HistoryCut(Frozen):
    """A user message is written anew: it, and all that came after it, is no part of the conversation any more."""

    kind: Literal["history_cut"] = "history_cut"
    message_id: str


class TextStarted(Frozen):
    kind: Literal["text_started"] = "text_started"
    message_id: str


class TextDelta(Frozen):
    kind: Literal["text_delta"] = "text_delta"
    message_id: str
    text: str


class TextEnded(Frozen):
    kind: Literal["text_ended"] = "text_ended"
    message_id: str


class ToolCallStarted(Frozen):
    kind: Literal["tool_call_started"] = "tool_call_started"
    call_id: str
    tool: str
    message_id: str | None = None


class ToolCallArgs(Frozen):
    kind: Literal["tool_call_args"] = "tool_call_args"
    call_id: str
    delta: str
    """A piece of the arguments' JSON."""


class ToolCallEnded(Frozen):
    """The model has written its arguments to the end; the call has not run yet."""

    kind: Literal["tool_call_ended"] = "tool_call_ended"
    call_id: str


class ToolProgress(Frozen):
    kind: Literal["tool_progress"] = "tool_progress"
    call_id: str
    data: dict[str, JsonValue]


class ToolResult(Frozen):
    kind: Literal["tool_result"] = "tool_result"
    call_id: str
    tool: str
    content: str
    """JSON where the tool answers, a sentence where it fails."""
    failed: bool = False


class Usage(Frozen):
    """Of one call of the model, as its provider counts."""

    kind: Literal["usage"] = "usage"
    message_id: str
    input_tokens: int
    output_tokens: int


class ApprovalRequested(Frozen):
    kind: Literal["approval_requested"] = "approval_requested"
    approval: Approval


class ApprovalDecided(Frozen):
    kind: Literal["approval_decided"] = "approval_decided"
    approval: Approval


class RunFinished(Frozen):
    kind: Literal["run_finished"] = "run_finished"
    outcome: Literal["done", "approvals", "cancelled"]
    """`approvals`: the turn waits for the decisions on every open approval of its session."""


class RunFailed(Frozen):
    kind: Literal["run_failed"] = "run_failed"
    message: str
    """What a user may read."""
    error_id: str | None = None
    """Under which the log has the rest."""


Payload = Annotated[
    RunStarted
    | UserMessage
    | HistoryCut
    | TextStarted
    | TextDelta
    | TextEnded
    | ToolCallStarted
    | ToolCallArgs
    | ToolCallEnded
    | ToolProgress
    | ToolResult
    | Usage
    | ApprovalRequested
    | ApprovalDecided
    | RunFinished
    | RunFailed,
    Field(discriminator="kind"),
]


BETWEEN = ""
"""As a run's id: what happens while none goes on, such as decisions of which others are still to come."""


class RunEvent(Frozen):
    session_id: str
    run_id: str
    """Or BETWEEN."""
    sequence: int
    """Per session, from 1, growing; there may be holes. A delta takes one number per character, and bears the last of
    them: so deltas can be joined, and cut where a reader stopped."""
    at: datetime
    payload: Payload

    @property
    def ends_run(self) -> bool:
        return isinstance(self.payload, RunFinished | RunFailed)
