"""Approvals: statements of the ledger's transactions, each on the connection of its transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.approvals.records import grants
from agent.approvals.records.audit import Audit
from agent.approvals.toolbox import Toolbox, digest
from agent.domain import Approval, ApprovalState, Approve, Decision
from agent.settings import AgentSettings
from agent.storage.schema import APPROVAL, EXECUTION
from tuner.errors import ConflictError, NotFoundError
from tuner.storage.schema import printable
from tuner.storage.statements import now

OPEN = APPROVAL.c.state == ApprovalState.OPEN.value

BEGUN = exists().where(EXECUTION.c.session_id == APPROVAL.c.session_id, EXECUTION.c.call_id == APPROVAL.c.call_id)

UNUSED = OPEN | ((APPROVAL.c.state == ApprovalState.APPROVED.value) & ~BEGUN)
"""Open, or given for a call that has not begun."""

TAINTED = (
    "Text that nobody here vouches for (a log, a model card, an issue) has been read in this session, so nothing is "
    "approved ahead in it. Approve this call alone."
)


def overdue() -> ColumnElement[bool]:
    """Open approvals whose time has ended."""
    return OPEN & (APPROVAL.c.expires_at <= now())


def missing(approval_id: str) -> NotFoundError:
    return NotFoundError(f"No approval {approval_id!r:.80} in this session; the session lists those that are open.")


@dataclass(frozen=True)
class Approvals:
    """Statements about approvals."""

    settings: AgentSettings
    toolbox: Toolbox
    audit: Audit

    def from_row(self, row: Row[Any]) -> Approval:
        fields = {name: value for name, value in row._asdict().items() if name in Approval.model_fields}
        # A tool may be gone since.
        schema = self.toolbox.args_schema(row.tool) if row.tool in self.toolbox.TOOLS else {}
        return Approval.model_validate({**fields, "args_schema": schema})

    async def read(self, connection: AsyncConnection, *where: ColumnElement[bool]) -> list[Approval]:
        wanted = select(APPROVAL).where(*where).order_by(APPROVAL.c.created_at, APPROVAL.c.id)
        return [self.from_row(row) for row in await connection.execute(wanted)]

    async def page(
        self, connection: AsyncConnection, session_id: str | None, state: ApprovalState | None, limit: int, offset: int
    ) -> tuple[list[Approval], int]:
        where = [APPROVAL.c.session_id == printable(session_id)] if session_id is not None else []
        where += [APPROVAL.c.state == state.value] if state is not None else []
        newest = select(APPROVAL).where(*where).order_by(APPROVAL.c.created_at.desc(), APPROVAL.c.id)
        total = await connection.scalar(select(func.count()).select_from(APPROVAL).where(*where)) or 0
        rows = (await connection.execute(newest.limit(limit).offset(offset))).all() if total > offset else []
        return [self.from_row(row) for row in rows], total

    async def add(
        self,
        connection: AsyncConnection,
        session: Row[Any],
        run_id: str,
        call_id: str,
        tool: str,
        args: Mapping[str, JsonValue],
        preview: Mapping[str, JsonValue],
    ) -> Approval:
        """An open approval, or where a grant means this call, one that is given."""
        at = now()
        values = {"id": uuid4().hex, "session_id": session.id, "run_id": run_id, "call_id": call_id, "tool": tool}
        values |= {"args": dict(args), "preview": dict(preview), "digest": digest(tool, args), "created_at": at}
        values |= {"expires_at": at + timedelta(seconds=self.settings.approval_expires_s), "state": "open"}
        grant = None if session.tainted else await grants.matching(connection, session.id, tool, args, at)
        if grant is not None:
            values |= {"state": "approved", "grant_id": grant.id, "decided_at": at, "decided_by": f"grant {grant.id}"}
        approval = self.from_row((await connection.execute(insert(APPROVAL).values(values).returning(APPROVAL))).one())
        await self.audit.record_approval(connection, "proposed", approval, args=approval.args)
        if grant is not None:
            await self.audit.record_approval(connection, "auto_approved", approval, grant=grant.id)
        return approval

    async def close(
        self, connection: AsyncConnection, state: ApprovalState, *where: ColumnElement[bool]
    ) -> list[Approval]:
        """Without a decision: expired or cancelled."""
        closed = update(APPROVAL).where(*where).values(state=state.value, decided_at=now()).returning(APPROVAL)
        approvals = [self.from_row(row) for row in (await connection.execute(closed)).all()]
        for approval in approvals:
            await self.audit.record_approval(connection, state.value, approval)
        return approvals

    async def decide(
        self,
        connection: AsyncConnection,
        session: Row[Any],
        shown: Approval,
        args: dict[str, JsonValue],
        decision: Decision,
        who: str,
    ) -> Approval:
        """
        Raises:
            ConflictError: it is not any more as it was shown, or a grant is asked for in a tainted session.
        """
        at, called = now(), digest(shown.tool, args)
        values: dict[str, object] = {"decided_at": at, "decided_by": who}
        if isinstance(decision, Approve):
            values["state"] = ApprovalState.APPROVED.value
        else:
            values |= {"state": ApprovalState.REJECTED.value, "reason": decision.reason}
        if called != shown.digest:
            # The plan that was shown belongs to the arguments that were.
            values |= {"args": args, "digest": called, "preview": {}}
        as_shown = (APPROVAL.c.id == shown.id, APPROVAL.c.digest == shown.digest, OPEN, APPROVAL.c.expires_at > at)
        row = (
            await connection.execute(update(APPROVAL).where(*as_shown).values(values).returning(APPROVAL))
        ).one_or_none()
        if row is None:
            state = await connection.scalar(select(APPROVAL.c.state).where(APPROVAL.c.id == shown.id))
            state = "expired" if state == "open" else state or "gone"
            raise ConflictError(f"Approval {shown.id} is {state} already, so this decision changes nothing.")
        approval = self.from_row(row)
        if not isinstance(decision, Approve):
            await self.audit.record_approval(connection, "rejected", approval, who, reason=decision.reason)
            return approval
        edited: dict[str, JsonValue] = {} if called == shown.digest else {"args": args, "was": shown.digest}
        await self.audit.record_approval(connection, "edited" if edited else "approved", approval, who, **edited)
        if decision.for_session:
            if session.tainted:
                raise ConflictError(TAINTED)
            grant = await grants.add(connection, approval, decision, at, self.settings.grant_expires_s)
            about: dict[str, JsonValue] = {"grant": grant.id, "pattern": grant.pattern, "exact": grant.exact}
            await self.audit.record_approval(connection, "granted", approval, who, **about)
        return approval
