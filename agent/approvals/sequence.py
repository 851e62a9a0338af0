"""The one way in which a tool call is decided and run, for the model of a session and for MCP clients alike.

Policy → proposal → decision of a person → check right before it runs → run, at most once → record of how it ended.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from agent.approvals.ledger import Args, Ledger
from agent.approvals.policy import PolicyDecision, PolicyFile
from agent.approvals.records.executions import CallOutcome, Ending, refusal
from agent.approvals.toolbox import Toolbox, digest
from agent.domain import Approval, ApprovalState
from agent.errors import InvalidInputError
from tuner.errors import TunerError
from tuner.logs.redaction import redact, traced

log = logging.getLogger(__name__)

LONGEST_ID = 128
"""Characters of a call's id; the models' providers use about 30."""
PINNED = ("id", "commit", "fingerprint")
"""Keys of a preview that say what a call is about: equal as long as the same arguments would do the same."""
CHANGED = (
    "What this call names has changed since it was shown and approved, so it did not run. Propose it again, so that "
    "it is shown as it is now."
)

Execute = Callable[[], Awaitable[CallOutcome]]


@dataclass(frozen=True)
class ToolRequest:
    """A tool call that somebody wants to make, and what differs between those who do."""

    session_id: str | None
    """None: outside of any session, where nothing can be approved."""
    tool: str
    args: Args
    """Canonical."""
    context: Any
    """Of the tools, for the preview."""
    call_id: Callable[[PolicyDecision], Awaitable[str]]
    """Under which id the ledger keeps the call, given what the policy says of it now."""
    ask: Callable[[Approval, bool], Awaitable[Approval]]
    """Shows an approval, new or not, to a person. Gives it decided, or still open where the decision comes later."""
    run_id: str = ""


@dataclass(frozen=True)
class Permit:
    """The right to run a call once."""

    ledger: Ledger
    session_id: str | None
    call_id: str
    args: Args
    """As approved: a person may have edited them."""
    recorded: bool
    """Checked, run once and recorded; not so what is neither privileged nor asked about."""
    edited: bool
    forbidden: str
    """What speaks against it by now; the ledger refuses it for that, and records so."""

    async def run(self, call_id: str, tool: str, args: Args, execute: Execute) -> CallOutcome:
        """Runs the call, whose id, tool and arguments are compared with the approved ones.

        Raises:
            ConflictError: something forbids it; nothing ran.
        """
        if not self.recorded or self.session_id is None:
            return await execute()
        outcome = await run_once(self.ledger, self.session_id, call_id, tool, args, execute, forbidden=self.forbidden)
        return replace(outcome, content=_with_edit(outcome.content, args)) if self.edited else outcome


class ApprovalSequence:
    """Decides whether calls may run, by the policy and by people; the permit that it gives runs them."""

    def __init__(self, ledger: Ledger, policy: PolicyFile, *, interactive: bool = True) -> None:
        """
        Args:
            interactive: somebody can approve. If not, what would ask is denied.
        """
        self.ledger, self._policy, self._interactive = ledger, policy, interactive
        self.toolbox: Toolbox = ledger.toolbox
        self._privileged = {tool.name for tool in self.toolbox.ACT}

    async def permit(self, request: ToolRequest) -> Permit | CallOutcome | Approval:
        """Whether a call may run now.

        Returns:
            An outcome, where it may not: why. An approval, where it waits for the decision on that.
        """
        call_id, decision = await self._policy_decision(request)
        session_id, tool, args, approval = request.session_id, request.tool, request.args, None
        if decision.kind == "deny":
            return CallOutcome(_denied(tool, decision), failed=True)
        recorded = decision.kind == "ask" or tool in self._privileged
        if recorded and session_id is None:
            raise InvalidInputError(f"{tool} belongs to a session, where it can be approved; there is none here.")
        if decision.kind == "ask":
            approval = await self._approval(request, call_id)
            if approval.state is ApprovalState.OPEN:
                return approval
            if why := refusal(approval):
                return CallOutcome(why, failed=True)
            args = approval.args
        forbidden = self._forbidden(tool, args) if recorded else ""
        if approval is not None and not forbidden:
            forbidden = await self._changed(approval, request.context)
        if session_id is not None and tool in self.toolbox.UNTRUSTED - self._privileged:
            # Before it runs: an error brings text from outside as well, and a crash must not forget it.
            await self.ledger.taint(session_id)
        edited = approval is not None and approval.digest != digest(tool, request.args)
        return Permit(self.ledger, session_id, call_id, args, recorded, edited, forbidden)

    async def _policy_decision(self, request: ToolRequest) -> tuple[str, PolicyDecision]:
        """The call's id, and what the policy said when it was first seen: that stays, also when the policy changes."""
        session_id, tool, args = request.session_id, request.tool, request.args
        privileged = tool in self._privileged
        tainted = privileged and (session_id is None or await self.ledger.tainted(session_id))
        decision = self._policy.read().decide(tool, args, privileged=privileged, tainted=tainted)
        if session_id is None:
            return "", decision
        call_id = await request.call_id(decision)
        if stored := await self.ledger.policy_decision(session_id, call_id, tool, args):
            return call_id, stored
        if decision.kind == "auto" and not privileged:
            return call_id, decision
        if not call_id or len(call_id) > LONGEST_ID:
            raise InvalidInputError(
                f"A call of {tool} needs an id of 1 to {LONGEST_ID} characters, and this one has {len(call_id)}: it "
                "cannot be told from others, so it did not run. Use another model server."
            )
        if decision.kind == "ask" and not self._interactive:
            decision = PolicyDecision("deny", f"{decision.reason} Nobody is here to approve it: no approver, no run.")
        return call_id, await self.ledger.record_policy_decision(session_id, call_id, tool, args, decision)

    async def _approval(self, request: ToolRequest, call_id: str) -> Approval:
        assert request.session_id is not None
        session_id, tool, args = request.session_id, request.tool, request.args
        approval = await self.ledger.approval_of_call(session_id, call_id)
        if proposed := approval is None:
            preview = await self.toolbox.preview(tool, args, request.context)
            approval = await self.ledger.propose(session_id, request.run_id, call_id, tool, args, preview)
        assert approval is not None
        return await request.ask(approval, proposed)

    def _forbidden(self, tool: str, args: Args) -> str:
        """What the policy has against the call by now; it may have changed while the call waited."""
        decision = self._policy.read().decide(tool, args)
        return _denied(tool, decision) if decision.kind == "deny" else ""

    async def _changed(self, approval: Approval, context: Any) -> str:
        """Whether what the arguments name (a task, a revision) is still what it was when the approval was shown."""
        shown = {name: approval.preview[name] for name in PINNED if name in approval.preview}
        if not shown:
            return ""
        preview = await self.toolbox.preview(approval.tool, approval.args, context)
        return "" if all(preview.get(name) == value for name, value in shown.items()) else CHANGED


async def run_once(
    ledger: Ledger, session_id: str, call_id: str, tool: str, args: Args, execute: Execute, *, forbidden: str = ""
) -> CallOutcome:
    """Runs a call if the ledger gives the right to, else answers what is known of the run before.

    Args:
        args: those that `execute` uses, and no others.
        forbidden: why it must not run, where the caller knows of a reason.

    Raises:
        ConflictError: something forbids it; nothing ran.
    """
    before = await ledger.begin(session_id, call_id, tool, args, forbidden=forbidden)
    if before is not None:
        return before
    try:
        outcome = await execute()
    except asyncio.CancelledError:
        await _end(ledger, session_id, call_id, tool, "cancelled", "It was cancelled while it ran.")
        raise
    except Exception as error:
        outcome = CallOutcome(error_text(tool, error, ledger.secrets), failed=True)
    await _end(ledger, session_id, call_id, tool, "failed" if outcome.failed else "done", outcome.content)
    return outcome


def error_text(tool: str, error: Exception, secrets: tuple[str, ...] = ()) -> str:
    """What the model is told of an error: everything where it was foreseen, else where the log has the rest."""
    if isinstance(error, TunerError):
        return redact(str(error), secrets)
    error_id = uuid4().hex[:8]
    log.error("Error %s: the tool %s failed unexpectedly. %s", error_id, tool, traced(error, secrets))
    return f"{tool} failed unexpectedly. The error has the id {error_id}; the service's log has the rest."


async def _end(ledger: Ledger, session_id: str, call_id: str, tool: str, ending: Ending, content: str) -> None:
    try:
        if ending == "failed" and tool in ledger.toolbox.UNTRUSTED:
            await ledger.taint(session_id)
        await ledger.end(session_id, call_id, ending, content)
    except TunerError as error:
        # It did run, and that is what its caller must hear; the ledger says of it that its outcome is unknown.
        log.warning("The end of call %s of session %s was not recorded: %s", call_id, session_id, error)


def _denied(tool: str, decision: PolicyDecision) -> str:
    return f"{tool} did not run, and will not: {decision.reason} Do not repeat it; say so, or do what is allowed."


def _with_edit(content: str, args: Args) -> str:
    """The answer of a call that was edited: who made it wrote other arguments, and must hear which ones ran."""
    note = f"The user edited the arguments; it ran with {json.dumps(dict(args))}."
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return json.dumps({"note": note, **answer}) if isinstance(answer, dict) else f"{content}\n{note}"
