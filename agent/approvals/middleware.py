"""The middleware between the model of a session and its tools: every call goes through the approval sequence."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command, interrupt

from agent.approvals.policy import PolicyDecision
from agent.approvals.records.executions import CallOutcome
from agent.approvals.sequence import ApprovalSequence, Permit, ToolRequest, error_text
from agent.domain import Approval, ApprovalState
from tuner.logs.redaction import without

HandlerResult = ToolMessage | Command[Any]
Handler = Callable[[ToolCallRequest], Awaitable[HandlerResult]]


class ApprovalMiddleware(AgentMiddleware[Any, Any, Any]):
    """The last of the middleware. Only asynchronous agents can be run with it.

    The ledger alone decides what a resumed call does; what the graph is resumed with does not matter.
    """

    def __init__(self, sequence: ApprovalSequence) -> None:
        super().__init__()
        self._ledger, self._sequence = sequence.ledger, sequence

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> HandlerResult:
        try:
            answer = await self._answer(request, handler)
        except GraphBubbleUp:
            raise
        except Exception as error:
            name = request.tool_call["name"]
            return _message(request.tool_call, CallOutcome(error_text(name, error, self._ledger.secrets), failed=True))
        if isinstance(answer, ToolMessage) and isinstance(answer.content, str):
            return answer.model_copy(update={"content": without(answer.content, self._ledger.secrets)})
        return answer

    async def _answer(self, request: ToolCallRequest, handler: Handler) -> HandlerResult:
        call, runtime, toolbox = request.tool_call, request.runtime, self._ledger.toolbox
        if request.tool is None:
            return await handler(request)
        tool, args = call["name"], call["args"]
        if tool in toolbox.TOOLS:
            args = await toolbox.canonical(tool, args)

        async def call_id(decision: PolicyDecision) -> str:
            return call["id"] or ""

        run_id = str(runtime.config.get("configurable", {}).get("autotuner_run", ""))
        context: Any = runtime.context
        permit = await self._sequence.permit(
            ToolRequest(context.session_id, tool, args, context, call_id, self._ask, run_id)
        )
        if isinstance(permit, CallOutcome):
            return _message(call, permit)
        assert isinstance(permit, Permit)
        if not permit.recorded:
            return await handler(request)
        sealed = SingleUseTool(name=tool, description=request.tool.description, inner=request.tool, permit=permit)
        return await handler(request.override(tool=sealed, tool_call={**call, "args": dict(permit.args)}))

    async def _ask(self, approval: Approval, proposed: bool) -> Approval:
        """Where the approval waits, this leaves by an interrupt, and is called anew when the graph is resumed."""
        while approval.state is ApprovalState.OPEN:
            interrupt({"approval_id": approval.id})
            approval = await self._ledger.approval(approval.id)
        return approval


class SingleUseTool(BaseTool):
    """A tool for one call: what reaches it is compared with the approval immediately before it runs."""

    inner: BaseTool
    permit: Permit

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

        async def execute() -> CallOutcome:
            answer = await self.inner.ainvoke({**input, "args": {**args, **injected}}, config, **kwargs)
            return CallOutcome(str(answer.content), failed=answer.status == "error")

        return _message(input, await self.permit.run(input["id"] or "", input["name"], args, execute))

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{self.name} runs asynchronously only.")


def _message(call: Mapping[str, Any], outcome: CallOutcome) -> ToolMessage:
    status = "error" if outcome.failed else "success"
    return ToolMessage(outcome.content, name=call["name"], tool_call_id=call["id"], status=status)
