"""Executions of privileged calls: the check immediately before one begins, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.approvals.records.grants import in_force
from agent.domain import Approval, ApprovalState
from agent.storage.schema import APPROVAL, EXECUTION, VERDICT
from tuner.errors import ConflictError

Ending = Literal["done", "failed", "cancelled"]

CHECK_FIRST = "It is not run again: look at what it changed before you propose it anew."


@dataclass(frozen=True)
class CallOutcome:
    """What a call gave: the tool's answer, or why it failed or did not run."""

    content: str
    failed: bool


def refusal(approval: Approval) -> str:
    """Why an approval lets nothing run, told to the model. Empty where it was given."""
    match approval.state:
        case ApprovalState.APPROVED:
            return ""
        case ApprovalState.OPEN:
            return "Nobody has approved this call yet, so it did not run."
        case ApprovalState.REJECTED:
            why = f"and says: {approval.reason}" if approval.reason else "and gives no reason"
            return f"The user rejects this call {why}. It did not run; do not repeat it, do or ask what fits instead."
        case ApprovalState.EXPIRED:
            return f"{_unused(approval.expires_at)} Propose it again if it is still wanted."
        case ApprovalState.CANCELLED:
            return "This call was cancelled before it ran. Propose it again only if the user asks for it."


async def check(
    connection: AsyncConnection, session_id: str, call_id: str, called: str, now: datetime
) -> CallOutcome | str | None:
    """Whether a call with the digest `called` may begin.

    Returns:
        None if so; how it ended if it has run; otherwise a sentence that says what forbids it.
    """
    if row := await _of_call(connection, EXECUTION, session_id, call_id):
        return _earlier_outcome(row, called)
    decision = await policy_decision(connection, session_id, call_id)
    if decision is not None and decision.verdict == "deny":
        return f"This call was denied: {decision.reason}"
    approval = await _of_call(connection, APPROVAL, session_id, call_id)
    if approval is None:
        if decision is None or decision.verdict != "auto":
            return "Nobody was asked about this call, so it did not run."
        return None if decision.digest == called else _changed("judged")
    if approval.state != ApprovalState.APPROVED:
        return f"This call is {approval.state}, not approved, so it did not run."
    if approval.digest != called:
        return _changed("approved")
    if approval.expires_at <= now:
        return f"This call was approved, but too long ago. {_unused(approval.expires_at)}"
    if approval.grant_id is not None and not await in_force(connection, approval.grant_id, now):
        return "The grant that approved this call is no longer in force, so it did not run. Propose it again."
    return None


def check_same(row: Row[Any] | None, tool: str, called: str) -> None:
    """
    Raises:
        ConflictError: the row is of another call that had the same id.
    """
    if row is not None and (row.tool, row.digest) != (tool, called):
        raise ConflictError(
            f"The id {row.call_id} belongs to another call of this session, of {row.tool}. Nothing ran; "
            "make the call again under an id of its own."
        )


async def policy_decision(connection: AsyncConnection, session_id: str, call_id: str) -> Row[Any] | None:
    return await _of_call(connection, VERDICT, session_id, call_id)


async def add(
    connection: AsyncConnection, session_id: str, call_id: str, tool: str, called: str, now: datetime
) -> None:
    row = {"session_id": session_id, "call_id": call_id, "tool": tool, "digest": called, "started_at": now}
    await connection.execute(insert(EXECUTION).values(row))


async def complete(
    connection: AsyncConnection, session_id: str, call_id: str, outcome: Ending, content: str, now: datetime
) -> str | None:
    """The tool's name, where there was something to complete."""
    here = (EXECUTION.c.session_id == session_id, EXECUTION.c.call_id == call_id, EXECUTION.c.finished_at.is_(None))
    ended = update(EXECUTION).where(*here).values(finished_at=now, outcome=outcome, content=content)
    tool: str | None = await connection.scalar(ended.returning(EXECUTION.c.tool))
    return tool


async def _of_call(connection: AsyncConnection, table: Table, session_id: str, call_id: str) -> Row[Any] | None:
    here = select(table).where(table.c.session_id == session_id, table.c.call_id == call_id)
    return (await connection.execute(here)).one_or_none()


def _earlier_outcome(row: Row[Any], called: str) -> CallOutcome | str:
    if row.digest != called:
        return _changed("run")
    begun = f"This call was started before, at {row.started_at:%Y-%m-%d %H:%M:%S} UTC"
    if row.finished_at is None:
        return f"{begun}, and its end is not known: its outcome is unknown. {CHECK_FIRST}"
    if row.outcome == "cancelled":
        return f"{begun}, and cancelled while it ran: its outcome is unknown. {CHECK_FIRST}"
    return CallOutcome(row.content, failed=row.outcome == "failed")


def _changed(what: str) -> str:
    return f"What is about to run is not what was {what}, so it did not run."


def _unused(expires_at: datetime) -> str:
    return f"Its time ended at {expires_at:%Y-%m-%d %H:%M:%S} UTC, and it did not run."
