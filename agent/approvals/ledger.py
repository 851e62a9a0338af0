"""The ledger: what was proposed, decided and run, kept in the database and nowhere else.

Every method is one transaction, and those that change something of a session exclude each other.
"""

from collections.abc import Collection, Mapping

from pydantic import JsonValue
from sqlalchemy import ColumnElement, exists, insert, select, update

from agent.approvals.policy import PolicyDecision
from agent.approvals.records import executions, grants
from agent.approvals.records.audit import EVERYTHING, Audit, AuditQuery
from agent.approvals.records.executions import CallOutcome, Ending
from agent.approvals.records.requests import OPEN, UNUSED, Approvals, missing, overdue
from agent.approvals.toolbox import Toolbox, digest
from agent.domain import Approval, ApprovalState, AuditEntry, Decision, Grant, Reject
from agent.settings import AgentSettings
from agent.storage.schema import APPROVAL, GRANT, SESSION, VERDICT
from agent.storage.sessions import session_row
from tuner.errors import ConflictError, NotFoundError
from tuner.storage.database import Database, whole
from tuner.storage.schema import printable
from tuner.storage.statements import now

Args = Mapping[str, JsonValue]


class Ledger:
    """Records of privileged calls, on an open database with the assistant's tables.

    Every method raises StorageError where the database cannot be used, and NotFoundError for a session, approval or
    grant that is not there, or is another session's. Arguments are canonical ones.
    """

    def __init__(
        self, database: Database, settings: AgentSettings, toolbox: Toolbox, *, secrets: Collection[str] = ()
    ) -> None:
        """
        Args:
            secrets: by their value; the audit log shows none of them, nor what else looks like one.
        """
        self._database, self.toolbox, self.secrets = database, toolbox, tuple(secrets)
        self._audit = Audit(self.secrets)
        self._approvals = Approvals(settings, toolbox, self._audit)

    @whole
    async def policy_decision(self, session_id: str, call_id: str, tool: str, args: Args) -> PolicyDecision | None:
        """What the policy said of a call when it was first seen.

        Raises:
            ConflictError: another call of the session has this id.
        """
        async with self._database.reading() as connection:
            row = await executions.policy_decision(connection, session_id, call_id)
        executions.check_same(row, tool, digest(tool, args))
        return None if row is None else PolicyDecision(row.verdict, row.reason)

    @whole
    async def record_policy_decision(
        self, session_id: str, call_id: str, tool: str, args: Args, decision: PolicyDecision
    ) -> PolicyDecision:
        """Writes down what the policy says of a call. What was written first stays: that comes back.

        Raises:
            ConflictError: as for `policy_decision`.
        """
        called = digest(tool, args)
        async with self._database.writing() as connection:
            await session_row(connection, session_id, lock=True)
            if row := await executions.policy_decision(connection, session_id, call_id):
                executions.check_same(row, tool, called)
                return PolicyDecision(row.verdict, row.reason)
            written = {"tool": tool, "digest": called, "verdict": decision.kind, "reason": decision.reason}
            await connection.execute(insert(VERDICT).values(session_id=session_id, call_id=call_id, **written))
            if decision.kind != "ask":
                action = "denied" if decision.kind == "deny" else "auto_approved"
                detail: dict[str, JsonValue] = {"args": dict(args), "digest": called, "reason": decision.reason}
                await self._audit.record(
                    connection, action, session_id, call_id, tool=tool, who="policy", detail=detail
                )
        return decision

    @whole
    async def propose(
        self, session_id: str, run_id: str, call_id: str, tool: str, args: Args, preview: Args
    ) -> Approval:
        """Asks about a call, once: proposed again, its approval comes back as it is.

        A grant approves it at once, unless the session is tainted.

        Raises:
            ConflictError: another call of the session has this id.
        """
        async with self._database.writing() as connection:
            session = await session_row(connection, session_id, lock=True)
            decision = await executions.policy_decision(connection, session_id, call_id)
            executions.check_same(decision, tool, digest(tool, args))
            if there := await self._approvals.read(connection, *_of_call(session_id, call_id)):
                return there[0]
            return await self._approvals.add(connection, session, run_id, call_id, tool, args, preview)

    async def open_approvals(self, session_id: str | None = None) -> list[Approval]:
        """Approvals that wait for a decision, oldest first."""
        here = [OPEN, *([] if session_id is None else [APPROVAL.c.session_id == printable(session_id)])]
        found = await self._read(*here)
        if any(one.expires_at <= now() for one in found):
            await self.expire()
            found = await self._read(*here)
        return found

    async def approval_of_call(self, session_id: str, call_id: str) -> Approval | None:
        await self.expire()
        found = await self._read(*_of_call(session_id, call_id))
        return found[0] if found else None

    async def approvals_of_calls(self, session_id: str, stem: str) -> list[Approval]:
        """Approvals of the calls whose ids begin with `stem`, oldest first."""
        await self.expire()
        of_stem = APPROVAL.c.call_id.startswith(printable(stem), autoescape=True)
        return await self._read(APPROVAL.c.session_id == printable(session_id), of_stem)

    async def approval(self, approval_id: str) -> Approval:
        await self.expire()
        found = await self._read(APPROVAL.c.id == printable(approval_id))
        if not found:
            raise missing(approval_id)
        return found[0]

    @whole
    async def approvals(
        self, *, session_id: str | None = None, state: ApprovalState | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[list[Approval], int]:
        """A page of them, newest first, and how many there are in all."""
        await self.expire()
        async with self._database.reading() as connection:
            return await self._approvals.page(connection, session_id, state, limit, offset)

    @whole
    async def expire(self) -> list[Approval]:
        """Closes the open approvals whose time has ended; those that this call closed come back."""
        async with self._database.reading() as connection:
            if not await connection.scalar(select(exists().where(overdue()))):
                return []
        async with self._database.writing() as connection:
            return await self._approvals.close(connection, ApprovalState.EXPIRED, overdue())

    @whole
    async def cancel(self, session_id: str) -> list[Approval]:
        """Closes what waits in a session: open approvals, and given ones whose call has not begun."""
        async with self._database.writing() as connection:
            await session_row(connection, session_id, lock=True)
            here = APPROVAL.c.session_id == session_id
            return await self._approvals.close(connection, ApprovalState.CANCELLED, here, UNUSED)

    async def decide(self, session_id: str, approval_id: str, decision: Decision, who: str) -> Approval:
        """Closes an open approval; of several decisions the first counts. Nothing runs by this.

        Raises:
            NotFoundError: also where the approval is another session's.
            ConflictError: it is decided, expired or cancelled already, or the decision is about another digest; or a
                grant is asked for in a tainted session.
            InvalidArgumentsError: the edited arguments are none of this tool's, or the pattern does not mean the call.
        """
        shown = await self.approval(approval_id)
        if shown.session_id != session_id:
            raise missing(approval_id)
        if isinstance(decision, Reject):
            return await self._decide(shown, shown.args, decision, who)
        if decision.digest not in (None, shown.digest):
            raise ConflictError(
                f"Approval {approval_id} is about a call with the digest {shown.digest}, not {decision.digest:.80}. "
                "Nothing was approved; look at it again, and decide anew."
            )
        args = shown.args if decision.args is None else await self.toolbox.canonical(shown.tool, decision.args)
        if decision.for_session and decision.pattern is not None:
            grants.check_pattern(shown.tool, args, decision.pattern)
        return await self._decide(shown, args, decision, who)

    @whole
    async def begin(
        self, session_id: str, call_id: str, tool: str, args: Args, *, forbidden: str = ""
    ) -> CallOutcome | None:
        """The right to run a call, given once: exactly these arguments are what was approved, or needs no approval.

        Args:
            forbidden: why it must not run, where the caller knows of a reason.

        Returns:
            None where it may run now; how it ended where it has run to its end before.

        Raises:
            ConflictError: something forbids it, or it was started before and its outcome is unknown.
        """
        called = digest(tool, args)
        detail: dict[str, JsonValue] = {"args": dict(args), "digest": called}
        async with self._database.writing() as connection:
            await session_row(connection, session_id, lock=True)
            found = await executions.check(connection, session_id, call_id, called, now()) or forbidden or None
            if found is None:
                await executions.add(connection, session_id, call_id, tool, called, now())
                await self._audit.record(connection, "started", session_id, call_id, tool=tool, detail=detail)
            elif isinstance(found, str):
                detail["reason"] = found
                await self._audit.record(connection, "refused", session_id, call_id, tool=tool, detail=detail)
        if isinstance(found, str):
            raise ConflictError(found)
        return found

    @whole
    async def end(self, session_id: str, call_id: str, outcome: Ending, content: str) -> None:
        """Completes what `begin` began. What is complete stays as it is."""
        action = {"done": "finished", "failed": "failed", "cancelled": "cancelled"}[outcome]
        async with self._database.writing() as connection:
            tool = await executions.complete(connection, session_id, call_id, outcome, content, now())
            if tool is not None:
                detail: dict[str, JsonValue] = {} if outcome == "done" else {"reason": content}
                await self._audit.record(connection, action, session_id, call_id, tool=tool, detail=detail)

    @whole
    async def grants(self, session_id: str) -> list[Grant]:
        """Newest first, with those that are over."""
        async with self._database.reading() as connection:
            return await grants.read(connection, printable(session_id))

    @whole
    async def revoke(self, session_id: str, grant_id: str, who: str = "user") -> Grant:
        """Ends a grant; one that is revoked already stays as it is."""
        here = (GRANT.c.id == printable(grant_id), GRANT.c.session_id == printable(session_id))
        async with self._database.writing() as connection:
            await session_row(connection, session_id, lock=True)
            revoked = update(GRANT).where(*here, GRANT.c.revoked_at.is_(None)).values(revoked_at=now())
            if row := (await connection.execute(revoked.returning(GRANT))).one_or_none():
                detail: dict[str, JsonValue] = {"grant": row.id}
                await self._audit.record(connection, "revoked", session_id, tool=row.tool, who=who, detail=detail)
            row = row or (await connection.execute(select(GRANT).where(*here))).one_or_none()
        if row is None:
            raise NotFoundError(f"No grant {grant_id!r:.80} in session {session_id}; the session lists its grants.")
        return grants.grant_of(row)

    @whole
    async def audit(self, wanted: AuditQuery = EVERYTHING) -> list[AuditEntry]:
        async with self._database.reading() as connection:
            return await self._audit.entries(connection, wanted)

    @whole
    async def tainted(self, session_id: str) -> bool:
        async with self._database.reading() as connection:
            return bool((await session_row(connection, session_id)).tainted)

    @whole
    async def taint(self, session_id: str) -> None:
        """From now on nothing privileged is approved ahead in the session."""
        if not await self.tainted(session_id):
            async with self._database.writing() as connection:
                await connection.execute(update(SESSION).where(SESSION.c.id == session_id).values(tainted=True))

    @whole
    async def _read(self, *where: ColumnElement[bool]) -> list[Approval]:
        async with self._database.reading() as connection:
            return await self._approvals.read(connection, *where)

    @whole
    async def _decide(self, shown: Approval, args: dict[str, JsonValue], decision: Decision, who: str) -> Approval:
        async with self._database.writing() as connection:
            session = await session_row(connection, shown.session_id, lock=True)
            return await self._approvals.decide(connection, session, shown, args, decision, who)


def _of_call(session_id: str, call_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return APPROVAL.c.session_id == printable(session_id), APPROVAL.c.call_id == printable(call_id)
