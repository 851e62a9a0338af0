"""Between the model and the tools: privileged calls ask first, and run once, exactly as they were approved."""

import copy
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command, interrupt
from pydantic import JsonValue

from agent.approvals.ledger import Ledger
from agent.approvals.policy import Policy, Verdict
from agent.approvals.records.executions import Outcome, refusal
from agent.approvals.sequence import explain, once
from agent.approvals.toolbox import Toolbox, digest
from agent.domain import Approval, ApprovalState
from agent.errors import InvalidInputError
from tuner.logs.redaction import without

LONGEST_ID = 128
"""Characters of a call's id; the models' providers use about 30."""

PINNED = ("id", "commit", "fingerprint")
"""Keys of a preview that say what a call is about: equal as long as the same arguments would do the same."""

CHANGED = (
    "What this call names has changed since it was shown and approved, so it did not run. Propose it again, so that "
    "it is shown as it is now."
)

Answer = ToolMessage | Command[Any]
Handler = Callable[[ToolCallRequest], Awaitable[Answer]]


class Policies(Protocol):
    """A `PolicyFile`, or a `Policy` that never changes."""

    def read(self) -> Policy: ...


class Gate(AgentMiddleware[Any, Any, Any]):
    """The last of the middleware. Only asynchronous agents can be run with it.

    The ledger alone decides what a resumed call does; what the graph is resumed with does not matter.
    """

    def __init__(self, ledger: Ledger, policy: Policies, *, interactive: bool = True) -> None:
        """
        Args:
            interactive: somebody can approve. If not, what would ask is denied.
        """
        super().__init__()
        self._ledger, self._policy, self._interactive = ledger, policy, interactive
        self._toolbox = ledger.toolbox
        self._privileged = {tool.name for tool in self._toolbox.ACT}

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        try:
            answer = await self._answer(request, handler)
        except GraphBubbleUp:
            raise
        except Exception as error:
            name = request.tool_call["name"]
            return _message(request.tool_call, Outcome(explain(name, error, self._ledger.secrets), failed=True))
        if isinstance(answer, ToolMessage) and isinstance(answer.content, str):
            return answer.model_copy(update={"content": without(answer.content, self._ledger.secrets)})
        return answer

    async def _answer(self, request: ToolCallRequest, handler: Handler) -> Answer:
        tool, given = request.tool_call["name"], request.tool_call["args"]
        if request.tool is None:
            return await handler(request)
        args = await self._toolbox.canonical(tool, given) if tool in self._toolbox.TOOLS else given
        session_id = _session(request.runtime.context)
        verdict = await self._verdict(session_id, request, args)
        if verdict.kind == "deny":
            return _message(request.tool_call, Outcome(denied(tool, verdict), failed=True))
        if session_id is not None and tool in self._toolbox.UNTRUSTED - self._privileged:
            # Before it runs: an error brings text from outside as well, and a crash must not forget it.
            await self._ledger.taint(session_id)
        if verdict.kind == "auto" and tool not in self._privileged:
            return await handler(request)
        if session_id is None:
            raise InvalidInputError(f"{tool} belongs to a session, where it can be approved; there is none here.")
        if verdict.kind == "auto":
            return await self._run(session_id, request, handler, args, self._forbidden(tool, args))
        approval = await self._decision(session_id, request, args)
        if why := refusal(approval):
            return _message(request.tool_call, Outcome(why, failed=True))
        against = self._forbidden(tool, approval.args)
        against = against or await changed(self._toolbox, approval, request.runtime.context)
        answer = await self._run(session_id, request, handler, approval.args, against)
        return answer if approval.digest == digest(tool, args) else _noted(answer, approval.args)

    async def _verdict(self, session_id: str | None, request: ToolCallRequest, args: dict[str, JsonValue]) -> Verdict:
        """What was said when the call was first seen; that stays, whatever has become of the policy since."""
        tool, call_id = request.tool_call["name"], request.tool_call["id"]
        privileged = tool in self._privileged
        if session_id is None:
            return self._policy.read().verdict(tool, args, privileged=privileged, tainted=True)
        if stored := await self._ledger.recall(session_id, call_id or "", tool, args):
            return stored
        tainted = privileged and await self._ledger.tainted(session_id)
        verdict = self._policy.read().verdict(tool, args, privileged=privileged, tainted=tainted)
        if verdict.kind == "auto" and not privileged:
            return verdict
        if not call_id or len(call_id) > LONGEST_ID:
            raise InvalidInputError(
                f"A call of {tool} needs an id of 1 to {LONGEST_ID} characters, and this one has "
                f"{len(call_id or '')}: it cannot be told from others, so it did not run. Use another model server."
            )
        if verdict.kind == "ask" and not self._interactive:
            verdict = Verdict("deny", f"{verdict.reason} Nobody is here to approve it: no approver, no run.")
        return await self._ledger.judge(session_id, call_id, tool, args, verdict)

    async def _decision(self, session_id: str, request: ToolCallRequest, args: dict[str, JsonValue]) -> Approval:
        """The approval of a call, decided. Where it waits, this leaves by an interrupt, and is called anew later."""
        call, runtime = request.tool_call, request.runtime
        call_id = call["id"] or ""
        approval = await self._ledger.of_call(session_id, call_id)
        if approval is None:
            preview = await self._toolbox.preview(call["name"], args, runtime.context)
            run_id = str(runtime.config.get("configurable", {}).get("autotuner_run", ""))
            approval = await self._ledger.propose(session_id, run_id, call_id, call["name"], args, preview)
        while approval.state is ApprovalState.OPEN:
            interrupt({"approval_id": approval.id})
            approval = await self._ledger.approval(approval.id)
        return approval

    def _forbidden(self, tool: str, args: Mapping[str, JsonValue]) -> str:
        """What the policy has against the call by now; it may have changed while the call waited."""
        return forbidden(self._policy.read(), tool, args)

    async def _run(
        self,
        session_id: str,
        request: ToolCallRequest,
        handler: Handler,
        args: dict[str, JsonValue],
        forbidden: str,
    ) -> Answer:
        tool = request.tool_call["name"]
        assert request.tool is not None
        sealed = Sealed(
            name=tool,
            description=request.tool.description,
            inner=request.tool,
            once=partial(once, self._ledger, session_id, forbidden=forbidden),
        )
        return await handler(request.override(tool=sealed, tool_call={**request.tool_call, "args": args}))


class Sealed(BaseTool):
    """A tool for one call: what reaches it is held against the ledger, and nothing comes between that and the run."""

    inner: BaseTool
    once: Callable[..., Awaitable[Outcome]]

    async def ainvoke(
        self,
        input: str | dict[str, Any] | ToolCall,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        assert isinstance(input, dict)
        injected = {name: value for name, value in input["args"].items() if isinstance(value, ToolRuntime)}
        # A copy, that nobody else can change any more.
        args = copy.deepcopy({name: value for name, value in input["args"].items() if name not in injected})

        async def run() -> Outcome:
            answer = await self.inner.ainvoke({**input, "args": {**args, **injected}}, config, **kwargs)
            return Outcome(str(answer.content), failed=answer.status == "error")

        return _message(input, await self.once(input["id"], input["name"], args, run))

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{self.name} runs asynchronously only.")


def forbidden(policy: Policy, tool: str, args: Mapping[str, JsonValue]) -> str:
    """What the policy has against a call by now. Empty: nothing."""
    verdict = policy.verdict(tool, args)
    return denied(tool, verdict) if verdict.kind == "deny" else ""


async def changed(toolbox: Toolbox, approval: Approval, context: Any) -> str:
    """Whether what the arguments name (a task, a revision) is still what it was when the approval was shown."""
    shown = {name: approval.preview[name] for name in PINNED if name in approval.preview}
    if not shown:
        return ""
    preview = await toolbox.preview(approval.tool, approval.args, context)
    return "" if all(preview.get(name) == value for name, value in shown.items()) else CHANGED


def _session(context: Any) -> str | None:
    session_id: str | None = context.session_id
    return session_id


def _message(call: Mapping[str, Any], outcome: Outcome) -> ToolMessage:
    status = "error" if outcome.failed else "success"
    return ToolMessage(outcome.content, name=call["name"], tool_call_id=call["id"], status=status)


def denied(tool: str, verdict: Verdict) -> str:
    return f"{tool} did not run, and will not: {verdict.reason} Do not repeat it; say so, or do what is allowed."


def _noted(answer: Answer, args: Mapping[str, JsonValue]) -> Answer:
    assert isinstance(answer, ToolMessage)
    return answer.model_copy(update={"content": noted(str(answer.content), args)})


def noted(content: str, args: Mapping[str, JsonValue]) -> str:
    """The answer of a call that was edited: who made it wrote other arguments, and must hear which ones ran."""
    note = f"The user edited the arguments; it ran with {json.dumps(args)}."
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    return json.dumps({"note": note, **told}) if isinstance(told, dict) else f"{content}\n{note}"
