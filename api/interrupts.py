"""Approvals as AG-UI's interrupts, and the answers to those as decisions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ag_ui.core import Interrupt, ResumeEntry
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from agent.domain import Approval, ApprovalState, Approve, Decision, Reject
from agent.errors import InvalidInputError
from tuner.errors import ConflictError

if TYPE_CHECKING:
    from agent.service import Assistant

# Plain on purpose: clients that build a form of it know neither `$ref` nor `oneOf`.
RESPONSE_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean", "description": "Whether the call may run."},
        "reason": {"type": "string", "maxLength": 2000, "description": "Why not; the assistant reads it."},
        "editedArgs": {"type": "object", "description": "Arguments to run it with instead of those shown."},
        "digest": {"type": "string", "description": "Of the call as it was shown; approves no other."},
        "forSession": {"type": "boolean", "description": "Also approve later calls of this tool in this session."},
        "pattern": {
            "type": "object",
            "description": "Arguments that those later calls must have; a string may hold *.",
        },
    },
    "required": ["approved"],
    "additionalProperties": False,
}


class InterruptAnswer(BaseModel):
    """The payload with which an approval is resumed."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    approved: bool
    reason: str = Field(default="", max_length=2000)
    edited_args: dict[str, JsonValue] | None = None
    digest: str | None = None
    for_session: bool = False
    pattern: dict[str, JsonValue] | None = None

    def decision(self) -> Decision:
        if not self.approved:
            return Reject(reason=self.reason)
        return Approve(args=self.edited_args, digest=self.digest, for_session=self.for_session, pattern=self.pattern)


def interrupt(approval: Approval) -> Interrupt:
    """An approval as AG-UI asks for it: the call exactly as it will run."""
    return Interrupt(
        id=approval.id,
        reason="tool_call",
        message=f"{approval.tool} waits for approval.",
        tool_call_id=approval.call_id,
        response_schema=RESPONSE_SCHEMA,
        expires_at=approval.expires_at.isoformat(),
        metadata={
            "tool": approval.tool,
            "args": approval.args,
            "argsSchema": approval.args_schema,
            "digest": approval.digest,
            "preview": approval.preview,
        },
    )


async def decisions(assistant: "Assistant", session_id: str, entries: Sequence[ResumeEntry]) -> dict[str, Decision]:
    """What is still to be decided of the answers: nothing, where all of them give up approvals that have expired.

    An answer that was taken before, as when a request is repeated after half of it was, is left out.

    Raises:
        ConflictError: an open approval has no answer, or all answers were taken before.
        InvalidInputError: an answer is not what the interrupt asks for.
        NotFoundError: there is no such session or approval.
    """
    await assistant.session(session_id)
    answers = {entry.interrupt_id: _decision(entry) for entry in entries}
    if len(answers) < len(entries):
        raise InvalidInputError("`resume` answers an interrupt twice. Send one answer for each.")
    waiting, _ = await assistant.ledger.approvals(session_id=session_id, state=ApprovalState.OPEN)
    opened = {approval.id for approval in waiting}
    if missing := sorted(opened - answers.keys()):
        raise ConflictError(
            f"{len(opened)} approvals are open, and `resume` has no answer for {', '.join(missing)}. Answer all."
        )
    closed = [await assistant.ledger.approval(name) for name in answers.keys() - opened]
    taken = {one.id for one in closed if one.session_id == session_id and _taken(one, answers[one.id])}
    if taken == answers.keys() and any(one.state != ApprovalState.EXPIRED for one in closed):
        raise ConflictError("This was decided before, and nothing is open in the session. Read its events, or go on.")
    return {name: answer for name, answer in answers.items() if name not in taken}


def _decision(entry: ResumeEntry) -> Decision:
    if entry.status == "cancelled":
        return Reject(reason="Cancelled.")
    try:
        return InterruptAnswer.model_validate(entry.payload).decision()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in error.errors())
        raise InvalidInputError(
            f"The payload for interrupt {entry.interrupt_id:.100} does not fit its responseSchema: {problems}."
        ) from error


def _taken(approval: Approval, answer: Decision) -> bool:
    """Whether the approval was decided before as this answer decides it."""
    match answer:
        case Approve(args=args):
            return approval.state == ApprovalState.APPROVED and args in (None, approval.args)
        case Reject():
            return approval.state not in (ApprovalState.OPEN, ApprovalState.APPROVED)
