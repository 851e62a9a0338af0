"""Programs that call the tools themselves, over MCP: without a model of ours, and through the same ledger.

Such a call has no conversation to wait in. It is known by its client, tool and arguments: while its approval waits,
or is given and not used, the same call made again is the same call; after that it is a new one, and asks anew.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any, Self

from pydantic import JsonValue

import tools
from agent.approvals.ledger import Ledger
from agent.approvals.middleware import Policies, changed, forbidden, noted
from agent.approvals.policy import PolicyFile, Verdict
from agent.approvals.records.executions import Outcome, refusal
from agent.approvals.records.requests import now
from agent.approvals.sequence import explain, once
from agent.approvals.toolbox import digest
from agent.domain import Approval, ApprovalState, Decision
from agent.events.log import Journal
from agent.events.types import BETWEEN, ApprovalDecided, ApprovalRequested, Payload
from agent.settings import AgentSettings
from agent.storage import migrations
from agent.storage.sessions import Store
from tools.context import Context
from tools.plain import plain
from tools.settings import ToolSettings
from tuner.errors import ConflictError, NotFoundError
from tuner.logs.redaction import without
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.storage.database import Database

LONGEST_NAME = 80

Args = dict[str, JsonValue]
Tell = Callable[[str, str, Sequence[Payload]], Awaitable[object]]
"""Writes to a session's log."""
Progress = Callable[[Any], None]


class Guests:
    """Every client is a session, `MCP client …`, where people find its approvals, its grants and what it did."""

    def __init__(self, ledger: Ledger, store: Store, policy: Policies, context: Context, tell: Tell) -> None:
        self._ledger, self._store, self._policy, self._context, self._tell = ledger, store, policy, context, tell
        self._privileged = {tool.name for tool in tools.ACT}
        self._told: set[str] = set()
        """Approvals that let nothing run, of which the client has heard: the next call asks anew."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        tuner: Tuner,
        settings: AgentSettings,
        tool_settings: ToolSettings,
        *,
        supervisor: Supervisor | None = None,
    ) -> AsyncIterator[Self]:
        """For a process without an assistant.

        Raises:
            StorageError: the database cannot be used.
        """
        database = Database(tuner.settings.store_url, migrations)
        await database.open()
        try:
            ledger = Ledger(
                database, settings, tools, secrets=(*tool_settings.secrets, *settings.secrets, *tuner.settings.secrets)
            )
            policy = PolicyFile.of(settings, tuner.settings.home, tools)
            context = Context(tuner, tool_settings, supervisor=supervisor)
            yield cls(ledger, Store(database), policy, context, Journal(database).append)
        finally:
            await database.close()

    async def call(
        self, client: str, tool: str, given: Mapping[str, Any], *, on_progress: Progress | None = None
    ) -> Outcome | Approval:
        """Runs a call, or says why not; an approval, where it waits for the decision on that."""
        try:
            outcome = await self._call(client, tool, given, on_progress)
        except Exception as error:
            outcome = Outcome(explain(tool, error, self._ledger.secrets), failed=True)
        if isinstance(outcome, Approval):
            return outcome
        return replace(outcome, content=without(outcome.content, self._ledger.secrets))

    async def decide(self, client: str, approval_id: str, decision: Decision) -> None:
        """What the person at the client says of an approval of this client. Raises as the ledger does."""
        approval = await self._ledger.decide(session_id(client), approval_id, decision, title(client))
        await self._tell(approval.session_id, BETWEEN, [ApprovalDecided(approval=approval)])

    async def _call(
        self, client: str, tool: str, given: Mapping[str, Any], on_progress: Progress | None
    ) -> Outcome | Approval:
        args = await tools.canonical(tool, given)
        session = await self._session(client)
        run = partial(self._run, session, tool, on_progress=on_progress)
        if why := forbidden(self._policy.read(), tool, args):
            return await self._deny(session, tool, args, why)
        approval = await self._waiting(session, tool, args)
        if approval is None:
            privileged = tool in self._privileged
            tainted = privileged and await self._ledger.tainted(session)
            verdict = self._policy.read().verdict(tool, args, privileged=privileged, tainted=tainted)
            if verdict.kind == "auto" and not privileged:
                if tool in tools.UNTRUSTED:
                    await self._ledger.taint(session)
                return await run(f"mcp_{token_hex(16)}", args)
            if verdict.kind == "auto":
                call_id = f"mcp_{token_hex(16)}"
                await self._ledger.judge(session, call_id, tool, args, verdict)
                return await self._once(session, call_id, tool, args, run)
            approval = await self._propose(session, tool, args, verdict)
        if approval.state is ApprovalState.OPEN:
            return approval
        return await self._decided(approval, args, run)

    async def _decided(self, approval: Approval, asked: Args, run: Callable[..., Awaitable[Outcome]]) -> Outcome:
        if why := refusal(approval):
            self._told.add(approval.id)
            return Outcome(why, failed=True)
        session, tool, args = approval.session_id, approval.tool, approval.args
        context = replace(self._context, session_id=session)
        against = forbidden(self._policy.read(), tool, args) or await changed(tools, approval, context)
        if tool in tools.UNTRUSTED - self._privileged:
            await self._ledger.taint(session)
        try:
            outcome = await self._once(session, approval.call_id, tool, args, run, against)
        except ConflictError:
            self._told.add(approval.id)
            raise
        edited = approval.digest != digest(tool, asked)
        return replace(outcome, content=noted(outcome.content, args)) if edited else outcome

    async def _once(
        self,
        session: str,
        call_id: str,
        tool: str,
        args: Args,
        run: Callable[..., Awaitable[Outcome]],
        against: str = "",
    ) -> Outcome:
        return await once(self._ledger, session, call_id, tool, args, lambda: run(call_id, args), forbidden=against)

    async def _run(self, session: str, tool: str, call_id: str, args: Args, *, on_progress: Progress | None) -> Outcome:
        context = replace(self._context, session_id=session)
        content = await tools.call(tool, args, context, call_id=call_id, on_progress=on_progress)
        return Outcome(content, failed=False)

    async def _deny(self, session: str, tool: str, args: Args, why: str) -> Outcome:
        await self._ledger.judge(session, f"mcp_{token_hex(16)}", tool, args, Verdict("deny", why))
        return Outcome(why, failed=True)

    async def _waiting(self, session: str, tool: str, args: Args) -> Approval | None:
        """The approval that the same call had before, where it still counts."""
        before = await self._ledger.of_calls(session, _stem(tool, args))
        if not before or (last := before[-1]).id in self._told:
            return None
        match last.state:
            case ApprovalState.OPEN:
                return last
            case ApprovalState.REJECTED:
                return last if last.expires_at > now() else None
            case ApprovalState.APPROVED:
                usable = last.expires_at > now() and not (last.decided_by or "").startswith("grant ")
                begun = await self._store.executions(session, [last.call_id])
                return last if usable and not begun else None
            case _:
                return None

    async def _propose(self, session: str, tool: str, args: Args, verdict: Verdict) -> Approval:
        stem = _stem(tool, args)
        # Numbered, so that of calls made at the same time one asks, and the others wait for the same answer.
        call_id = f"{stem}{len(await self._ledger.of_calls(session, stem))}"
        await self._ledger.judge(session, call_id, tool, args, verdict)
        preview = await tools.preview(tool, args, replace(self._context, session_id=session))
        approval = await self._ledger.propose(session, "", call_id, tool, args, preview)
        await self._tell(session, BETWEEN, [ApprovalRequested(approval=approval)])
        return approval

    async def _session(self, client: str) -> str:
        session = session_id(client)
        try:
            await self._store.session(session)
        except NotFoundError:
            await self._store.keep_session(session, title(client))
        return session


def title(client: str) -> str:
    """What its session is called, and who decides where the client asks its user."""
    return f"MCP client {plain(' '.join(client.split()), LONGEST_NAME) or 'without a name'}"


def session_id(client: str) -> str:
    """The same for every process, so that an approval that waits is found after a restart."""
    return hashlib.sha256(title(client).encode()).hexdigest()[:32]


def _stem(tool: str, args: Args) -> str:
    """What the ids of this call begin with."""
    return f"mcp_{digest(tool, args)[:32]}_"
