"""Grants, as "allow for this session" gives them: statements of the ledger's transactions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.approvals.patterns import matches
from agent.approvals.toolbox import digest
from agent.domain import Approval, Approve, Grant
from agent.storage.schema import GRANT
from tools.errors import InvalidArgumentsError
from tuner.errors import Problem
from tuner.spec.problems import alternatives


def grant_of(row: Row[Any]) -> Grant:
    return Grant.model_validate(row._asdict())


async def add(
    connection: AsyncConnection, approval: Approval, decision: Approve, now: datetime, lasts_s: float
) -> Grant:
    """A grant for calls like the one that was approved."""
    exact, ends = decision.pattern is None, now + timedelta(seconds=lasts_s)
    pattern = approval.args if decision.pattern is None else decision.pattern
    values = {"session_id": approval.session_id, "tool": approval.tool, "pattern": pattern, "exact": exact}
    new = insert(GRANT).values(values | {"id": uuid4().hex, "created_at": now, "expires_at": ends})
    return grant_of((await connection.execute(new.returning(GRANT))).one())


async def read(connection: AsyncConnection, session_id: str) -> list[Grant]:
    of_session = select(GRANT).where(GRANT.c.session_id == session_id)
    rows = await connection.execute(of_session.order_by(GRANT.c.created_at.desc(), GRANT.c.id))
    return [grant_of(row) for row in rows]


async def matching(
    connection: AsyncConnection, session_id: str, tool: str, args: Mapping[str, JsonValue], now: datetime
) -> Grant | None:
    """The oldest grant in force that covers this call."""
    in_force = (GRANT.c.revoked_at.is_(None), GRANT.c.expires_at > now)
    of_tool = select(GRANT).where(GRANT.c.session_id == session_id, GRANT.c.tool == tool, *in_force)
    rows = await connection.execute(of_tool.order_by(GRANT.c.created_at))
    return next((grant for grant in map(grant_of, rows) if covers(grant, args)), None)


def covers(grant: Grant, args: Mapping[str, JsonValue]) -> bool:
    if grant.exact:
        return digest(grant.tool, grant.pattern) == digest(grant.tool, args)
    return matches(grant.pattern, dict(args))


async def in_force(connection: AsyncConnection, grant_id: str, now: datetime) -> bool:
    row = (await connection.execute(select(GRANT).where(GRANT.c.id == grant_id))).one_or_none()
    return row is not None and row.revoked_at is None and row.expires_at > now


def check_pattern(tool: str, args: Mapping[str, JsonValue], pattern: Mapping[str, JsonValue]) -> None:
    """
    Raises:
        InvalidArgumentsError: it names what the tool does not have, or does not even mean the call with `args`.
    """
    problems = [
        Problem(f"no such argument; {alternatives(name, args)}", f"pattern.{name}")
        for name in pattern
        if name not in args
    ] or [
        Problem("the call that is approved has another value; write a pattern that means it too", f"pattern.{name}")
        for name, part in pattern.items()
        if not matches(part, args[name])
    ]
    if problems:
        raise InvalidArgumentsError(tool, problems)
