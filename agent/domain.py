"""The nouns of a conversation: sessions, approvals and what people decide."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from tuner.spec.values import Frozen


class Session(Frozen):
    id: str
    """32 hexadecimal digits."""
    title: str
    """From the first message, until somebody writes another."""
    created_at: datetime
    updated_at: datetime
    input_tokens: int = 0
    output_tokens: int = 0
    """Of all its turns, as the model's provider counts them."""
    tainted: bool = False
    """Text that nobody here vouches for (logs, model cards, issues) has entered it: grants no longer approve."""
    running: str | None = None
    """The run that goes on now."""


Trigger = Literal["message", "decisions", "task_ended"]


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    APPROVALS = "approvals"
    """It waits for the decisions on every open approval of its session."""
    CANCELLED = "cancelled"
    FAILED = "failed"


class Run(Frozen):
    """A turn, or the part of one between two rounds of decisions."""

    id: str
    session_id: str
    trigger: Trigger
    state: RunState
    started_at: datetime
    ended_at: datetime | None = None


class ApprovalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    """Its turn was cancelled, or its session deleted."""


class Approval(Frozen):
    """A privileged call, as it will run."""

    id: str
    session_id: str
    run_id: str
    call_id: str
    tool: str
    args: dict[str, JsonValue]
    """Canonical: validated by the tool's schema, defaults filled in. After an edit, the edited ones."""
    preview: dict[str, JsonValue] = {}
    """What it would do: for start_task the plan."""
    digest: str
    """SHA-256 of tool and arguments, hexadecimal."""
    args_schema: dict[str, Any] = {}
    """JSON Schema of the arguments, for a form."""
    state: ApprovalState
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None


class Approve(Frozen):
    kind: Literal["approve"] = "approve"
    args: dict[str, JsonValue] | None = None
    """Edited arguments; None: as shown."""
    digest: str | None = None
    """Of the call that was shown. Where it is given and no longer fits, nothing is approved."""
    for_session: bool = False
    """Also grant later calls of this tool in this session whose arguments match `pattern`."""
    pattern: dict[str, JsonValue] | None = None
    """Arguments that later calls must have, by name; a string may hold `*`. None: exactly these arguments."""


class Reject(Frozen):
    kind: Literal["reject"] = "reject"
    reason: str = Field(default="", max_length=2000)


Decision = Annotated[Approve | Reject, Field(discriminator="kind")]


class Grant(Frozen):
    """`allow for this session`."""

    id: str
    session_id: str
    tool: str
    pattern: dict[str, JsonValue]
    """Arguments that a call must have; a string may hold `*`."""
    exact: bool = False
    """A call must have these arguments and no others, and `*` is just a star."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


AuditAction = Literal[
    "proposed", "approved", "edited", "rejected", "expired", "cancelled", "auto_approved",
    "denied", "started", "finished", "failed", "refused", "granted", "revoked",
]  # fmt: skip


class AuditEntry(Frozen):
    """One line of what was proposed, decided, granted, run. Append-only."""

    sequence: int
    at: datetime
    session_id: str | None
    call_id: str | None
    approval_id: str | None
    action: AuditAction
    tool: str | None
    who: str | None
    detail: dict[str, JsonValue] = {}
    """Arguments, digest, reason; without secrets."""
