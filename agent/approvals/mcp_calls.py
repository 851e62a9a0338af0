"""Calls of MCP clients, which use the tools without a model of ours, by the same approval sequence.

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

import tools
from agent.approvals.ledger import Args, Ledger
from agent.approvals.policy import PolicyDecision, PolicyFile
from agent.approvals.records.executions import CallOutcome
from agent.approvals.sequence import ApprovalSequence, ToolRequest, error_text
from agent.approvals.toolbox import digest
from agent.domain import Approval, ApprovalState, Decision
from agent.events.log import EventLog
from agent.events.types import BETWEEN, ApprovalDecided, ApprovalRequested, Payload
from agent.settings import AgentSettings
from agent.storage import migrations
from agent.storage.sessions import SessionStore
from tools.context import Context
from tools.plain import plain
from tools.settings import ToolSettings
from tuner.errors import ConflictError, NotFoundError
from tuner.logs.redaction import without
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.storage.database import Database
from tuner.storage.statements import now

LONGEST_NAME = 80

AppendEvents = Callable[[str, str, Sequence[Payload]], Awaitable[object]]
"""Writes to a session's log."""
OnProgress = Callable[[Any], None]


class McpCalls:
    """Every client is a session, `MCP client …`, where people find its approvals, its grants and what it did."""

    def __init__(
        self, ledger: Ledger, store: SessionStore, policy: PolicyFile, context: Context, append: AppendEvents
    ) -> None:
        self._ledger, self._store, self._context, self._append = ledger, store, context, append
        self._sequence = ApprovalSequence(ledger, policy)
        self._told: set[str] = set()
        """Approvals that let nothing run, of which the client has heard: the next call asks anew."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, tuner: Tuner, settings: AgentSettings, tool_settings: ToolSettings, *, supervisor: Supervisor | None = None
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
            policy = PolicyFile.from_settings(settings, tuner.settings.home, tools)
            context = Context(tuner, tool_settings, supervisor=supervisor)
            yield cls(ledger, SessionStore(database), policy, context, EventLog(database).append)
        finally:
            await database.close()

    async def call(
        self, client: str, tool: str, given: Mapping[str, Any], *, on_progress: OnProgress | None = None
    ) -> CallOutcome | Approval:
        """Runs a call, or says why not; an approval, where it waits for the decision on that."""
        try:
            outcome = await self._call(client, tool, given, on_progress)
        except Exception as error:
            outcome = CallOutcome(error_text(tool, error, self._ledger.secrets), failed=True)
        if isinstance(outcome, Approval):
            return outcome
        return replace(outcome, content=without(outcome.content, self._ledger.secrets))

    async def decide(self, client: str, approval_id: str, decision: Decision) -> None:
        """What the person at the client says of an approval of this client. Raises as the ledger does."""
        approval = await self._ledger.decide(session_id(client), approval_id, decision, title(client))
        await self._append(approval.session_id, BETWEEN, [ApprovalDecided(approval=approval)])

    async def _call(
        self, client: str, tool: str, given: Mapping[str, Any], on_progress: OnProgress | None
    ) -> CallOutcome | Approval:
        args, session = await tools.canonical(tool, given), await self._session(client)
        context = replace(self._context, session_id=session)
        asked: set[str] = set()

        async def ask(approval: Approval, proposed: bool) -> Approval:
            if proposed:
                await self._append(session, BETWEEN, [ApprovalRequested(approval=approval)])
            asked.add(approval.id)
            return approval

        request = ToolRequest(session, tool, args, context, partial(self._call_id, session, tool, args), ask)
        permit = await self._sequence.permit(request)
        if isinstance(permit, Approval):
            return permit
        if isinstance(permit, CallOutcome):
            self._told |= asked
            return permit

        async def execute() -> CallOutcome:
            call = tools.call(tool, permit.args, context, call_id=permit.call_id, on_progress=on_progress)
            return CallOutcome(await call, failed=False)

        try:
            return await permit.run(permit.call_id, tool, permit.args, execute)
        except ConflictError:
            self._told |= asked
            raise

    async def _call_id(self, session: str, tool: str, args: Args, decision: PolicyDecision) -> str:
        """That of the same call made before, while its approval still counts; or a new one."""
        stem = f"mcp_{digest(tool, args)[:32]}_"
        before = [] if decision.kind == "deny" else await self._ledger.approvals_of_calls(session, stem)
        if before and await self._counts(before[-1]):
            return before[-1].call_id
        # Numbered, so that of calls made at the same time one asks, and the others wait for the same answer.
        return f"{stem}{len(before)}" if decision.kind == "ask" else f"mcp_{token_hex(16)}"

    async def _counts(self, approval: Approval) -> bool:
        if approval.id in self._told:
            return False
        match approval.state:
            case ApprovalState.OPEN:
                return True
            case ApprovalState.REJECTED:
                return approval.expires_at > now()
            case ApprovalState.APPROVED:
                usable = approval.expires_at > now() and not (approval.decided_by or "").startswith("grant ")
                return usable and not await self._store.executions(approval.session_id, [approval.call_id])
            case _:
                return False

    async def _session(self, client: str) -> str:
        session = session_id(client)
        try:
            await self._store.session(session)
        except NotFoundError:
            await self._store.ensure_session(session, title(client))
        return session


def title(client: str) -> str:
    """Title of a client's session; also who decides, where the client asks its user."""
    return f"MCP client {plain(' '.join(client.split()), LONGEST_NAME) or 'without a name'}"


def session_id(client: str) -> str:
    """Id of a client's session: the same in every process, so that an approval that waits is found after a restart."""
    return hashlib.sha256(title(client).encode()).hexdigest()[:32]
