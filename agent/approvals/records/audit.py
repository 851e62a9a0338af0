"""The audit log: what was proposed, decided, granted and run. Append-only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import String, cast, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Approval, AuditAction, AuditEntry
from agent.storage.schema import AUDIT
from tuner.domain import LARGEST
from tuner.logs.redaction import redact_json
from tuner.storage.schema import printable
from tuner.storage.statements import now


@dataclass(frozen=True)
class AuditQuery:
    """Which entries."""

    session_id: str | None = None
    action: AuditAction | None = None
    tool: str | None = None
    search: str | None = None
    """Text anywhere in an entry, in any case."""
    newest_first: bool = False
    after: int = 0
    """The sequence of the last one that was read, in their order."""
    limit: int = 100


EVERYTHING = AuditQuery()


@dataclass(frozen=True)
class Audit:
    """Statements of the ledger's transactions about the audit log."""

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
        await connection.execute(insert(AUDIT).values(at=now(), action=action, detail=shown, **values))

    async def record_approval(
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

    async def entries(self, connection: AsyncConnection, wanted: AuditQuery) -> list[AuditEntry]:
        sequence, after = AUDIT.c.sequence, min(wanted.after, LARGEST)
        rows = select(AUDIT).order_by(sequence.desc() if wanted.newest_first else sequence).limit(wanted.limit)
        if after or not wanted.newest_first:
            rows = rows.where(sequence < after if wanted.newest_first else sequence > after)
        for name in ("session_id", "action", "tool"):
            if (value := getattr(wanted, name)) is not None:
                rows = rows.where(AUDIT.c[name] == printable(value))
        if text := printable(wanted.search or "").strip():
            columns = (AUDIT.c.action, AUDIT.c.tool, AUDIT.c.who, AUDIT.c.session_id)
            found = [column.icontains(text, autoescape=True) for column in columns]
            # As it stands in the column: JSON, with other scripts escaped.
            within = cast(AUDIT.c.detail, String).icontains(json.dumps(text)[1:-1], autoescape=True)
            rows = rows.where(or_(*found, within))
        return [AuditEntry.model_validate(row._asdict()) for row in await connection.execute(rows)]
