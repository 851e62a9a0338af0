"""The audit log: what was proposed, decided, granted and run. It is only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Approval, AuditEntry
from agent.schema import AUDIT
from tuner.secrets import redact_json

LARGEST = 2**31 - 1
"""What an integer column holds."""


@dataclass(frozen=True)
class Audit:
    """The steps of the ledger's transactions that are about the log."""

    secrets: tuple[str, ...] = ()
    """By their value; these are taken out, and what else looks like one."""

    async def record(
        self,
        connection: AsyncConnection,
        action: str,
        session_id: str,
        call_id: str | None = None,
        *,
        approval_id: str | None = None,
        tool: str | None = None,
        who: str | None = None,
        detail: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Adds an entry, in the transaction of what it tells of."""
        values = {"session_id": session_id, "call_id": call_id, "approval_id": approval_id, "tool": tool, "who": who}
        shown = redact_json(dict(detail or {}), self.secrets)
        await connection.execute(insert(AUDIT).values(at=datetime.now(UTC), action=action, detail=shown, **values))

    async def tell(
        self, connection: AsyncConnection, action: str, approval: Approval, who: str | None = None, **detail: JsonValue
    ) -> None:
        """Adds an entry about an approval."""
        await self.record(
            connection,
            action,
            approval.session_id,
            approval.call_id,
            approval_id=approval.id,
            tool=approval.tool,
            who=who,
            detail={"digest": approval.digest, **detail},
        )

    async def entries(
        self, connection: AsyncConnection, session_id: str | None, after: int, limit: int
    ) -> list[AuditEntry]:
        wanted = select(AUDIT).where(AUDIT.c.sequence > min(after, LARGEST)).order_by(AUDIT.c.sequence).limit(limit)
        if session_id is not None:
            wanted = wanted.where(AUDIT.c.session_id == session_id)
        return [AuditEntry.model_validate(row._asdict()) for row in await connection.execute(wanted)]
