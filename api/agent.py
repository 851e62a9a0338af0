"""The assistant's REST: sessions, approvals, grants, policy, audit. What is said goes over AG-UI."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from agent.approvals.policy import Policy
from agent.approvals.records.audit import AuditQuery
from agent.domain import Approval, ApprovalState, AuditAction, AuditEntry, Decision, Grant, Session
from api.agui import WHO
from api.deps import AssistantDep, Limit, Offset
from api.messages import Conversation, conversation
from api.problems import documented
from tuner.domain import LARGEST
from tuner.spec.values import Frozen

router = APIRouter(prefix="/agent", tags=["agent"])

SessionId = Annotated[str, Path(max_length=100, description="Of a session: 32 hexadecimal digits.")]
ApprovalId = Annotated[str, Path(max_length=100, description="Of an approval: the id of AG-UI's interrupt.")]
OfSession = Annotated[str | None, Query(max_length=100, description="Only of this session.")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Refused = documented(404, 409, 422, 503)


class AgentInfo(Frozen):
    """Who answers, and how far it may go."""

    model: str
    """`offline`, or its provider's name for it."""
    offline: bool
    """No language model is configured: a built-in one answers, which knows a small grammar."""
    max_steps: int
    """Calls of the model in one turn."""
    context_tokens: int
    """Of the model's window."""
    approval_expires_s: float
    grant_expires_s: float
    """How long `allow for this session` lasts."""


class SessionPage(Frozen):
    items: list[Session]
    total: int
    """In all, not on this page."""


class ApprovalPage(Frozen):
    items: list[Approval]
    total: int
    """In all, not on this page."""


class NewSession(Frozen):
    title: Title | None = None
    """None: made of the first message."""


class Renaming(Frozen):
    title: Title


class Resending(Frozen):
    text: str
    """What the message says now; the same as before asks again."""


class RunRef(Frozen):
    run_id: str
    """To be read at /api/agent/runs/{run_id}/events."""


class Decided(Frozen):
    approval: Approval
    run_id: str | None
    """In which the turn goes on. None: further approvals of the session are open."""


class PolicyInfo(Frozen):
    path: str
    """Of the policy file, which may not be there: then every privileged call asks."""
    rules: Policy
    problem: str | None
    """Why the policy file cannot be used. While it cannot, every privileged call asks."""


@router.get("/info", responses=documented(503))
async def agent_info(assistant: AssistantDep) -> AgentInfo:
    settings = assistant.settings
    return AgentInfo(
        model=assistant.model,
        offline=assistant.offline,
        max_steps=settings.max_steps,
        context_tokens=settings.llm_context_tokens,
        approval_expires_s=settings.approval_expires_s,
        grant_expires_s=settings.grant_expires_s,
    )


@router.get("/sessions", responses=documented(422, 503))
async def list_sessions(
    assistant: AssistantDep,
    text: Annotated[str | None, Query(max_length=200, description="Only with this in title or messages.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> SessionPage:
    """Those last used first."""
    items, total = await assistant.sessions(text=text, limit=limit, offset=offset)
    return SessionPage(items=items, total=total)


@router.post("/sessions", status_code=201, responses=documented(422, 503))
async def create_session(assistant: AssistantDep, body: NewSession | None = None) -> Session:
    return await assistant.create_session(body.title if body else None)


@router.get("/sessions/{session_id}", responses=documented(404, 422, 503))
async def get_session(session_id: SessionId, assistant: AssistantDep) -> Session:
    return await assistant.session(session_id)


@router.patch("/sessions/{session_id}", responses=documented(404, 422, 503))
async def rename_session(session_id: SessionId, body: Renaming, assistant: AssistantDep) -> Session:
    return await assistant.rename(session_id, body.title)


@router.delete("/sessions/{session_id}", status_code=204, responses=documented(404, 422, 503))
async def delete_session(session_id: SessionId, assistant: AssistantDep) -> None:
    """Ends its turn and cancels its approvals; what the audit log has of it stays."""
    await assistant.delete_session(session_id)


@router.get("/sessions/{session_id}/messages", responses=documented(404, 422, 503))
async def list_messages(session_id: SessionId, assistant: AssistantDep) -> Conversation:
    """The conversation so far, as AG-UI clients keep it, and where its stream goes on."""
    return conversation([event async for event in assistant.events(session_id, follow=False)])


@router.get(
    "/sessions/{session_id}/transcript",
    response_class=Response,
    responses=documented(404, 422, 503) | {200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
async def export_session(session_id: SessionId, assistant: AssistantDep) -> Response:
    """The conversation as Markdown, with every tool call and decision."""
    name = f'attachment; filename="conversation-{session_id}.md"'
    text = await assistant.transcript(session_id)
    return Response(text, media_type="text/markdown", headers={"Content-Disposition": name})


@router.post("/sessions/{session_id}/cancel", responses=documented(404, 422, 503))
async def cancel_turn(session_id: SessionId, assistant: AssistantDep) -> Session:
    """End the turn that runs, and cancel what waits for approval; answers when it has ended."""
    await assistant.cancel(session_id)
    return await assistant.session(session_id)


@router.post("/sessions/{session_id}/messages/{message_id}/resend", status_code=202, responses=Refused)
async def resend_message(session_id: SessionId, message_id: str, body: Resending, assistant: AssistantDep) -> RunRef:
    """Say an earlier message anew: the conversation goes on from there, and what came after it is left out."""
    return RunRef(run_id=await assistant.resend(session_id, message_id, body.text))


@router.get("/sessions/{session_id}/grants", responses=documented(404, 422, 503))
async def list_grants(session_id: SessionId, assistant: AssistantDep) -> list[Grant]:
    """What was allowed for the session, the revoked and expired included."""
    return await assistant.grants(session_id)


@router.delete("/sessions/{session_id}/grants/{grant_id}", status_code=204, responses=documented(404, 409, 422, 503))
async def revoke_grant(session_id: SessionId, grant_id: str, assistant: AssistantDep) -> None:
    await assistant.ledger.revoke(session_id, grant_id, WHO)


@router.get("/approvals", responses=documented(422, 503))
async def list_approvals(
    assistant: AssistantDep,
    session_id: OfSession = None,
    state: ApprovalState | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ApprovalPage:
    """The newest first."""
    items, total = await assistant.ledger.approvals(session_id=session_id, state=state, limit=limit, offset=offset)
    return ApprovalPage(items=items, total=total)


@router.get("/approvals/{approval_id}", responses=documented(404, 422, 503))
async def get_approval(approval_id: ApprovalId, assistant: AssistantDep) -> Approval:
    return await assistant.ledger.approval(approval_id)


@router.post("/approvals/{approval_id}/decision", responses=Refused)
async def decide_approval(approval_id: ApprovalId, body: Decision, assistant: AssistantDep) -> Decided:
    """Approve a call as it is shown, or with other arguments, or for the session; or reject it.

    With the last open approval of the session decided, its turn goes on.
    """
    session_id = (await assistant.ledger.approval(approval_id)).session_id
    run_id = await assistant.decide(session_id, {approval_id: body}, who=WHO)
    return Decided(approval=await assistant.ledger.approval(approval_id), run_id=run_id)


@router.get("/policy", responses=documented(503))
async def get_policy(assistant: AssistantDep) -> PolicyInfo:
    """Which privileged calls run, ask or are refused, as the policy file says now."""
    policy = assistant.policies.read()
    return PolicyInfo(path=str(assistant.policies.path), rules=policy, problem=policy.problem)


@router.get("/audit", responses=documented(422, 503))
async def list_audit(
    assistant: AssistantDep,
    session_id: OfSession = None,
    action: Annotated[AuditAction | None, Query(description="Only this.")] = None,
    tool: Annotated[str | None, Query(max_length=64, description="Only about this tool.")] = None,
    search: Annotated[
        str | None, Query(max_length=200, description="Only entries with this text in any field, in any case.")
    ] = None,
    newest_first: Annotated[bool, Query(description="From the end of the log to its beginning.")] = False,
    after: Annotated[int, Query(ge=0, le=LARGEST, description="Sequence of the last entry that was read.")] = 0,
    limit: Limit = 100,
) -> list[AuditEntry]:
    """What was proposed, decided, granted and run, in order."""
    wanted = AuditQuery(session_id, action, tool, search, newest_first, after, limit)
    return await assistant.ledger.audit(wanted)
