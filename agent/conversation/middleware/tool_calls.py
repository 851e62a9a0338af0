"""Tool calls as a model writes them, made valid: a unique id for each, an error answer where one is garbled."""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse, ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agent.approvals.sequence import LONGEST_ID


class ToolCallNormalizer(AgentMiddleware[Any, Any, Any]):
    """Approvals and results are found by a call's id, and some servers count theirs from 0 in every answer.

    Progress gets the id of its call here, too.
    """

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        response = await handler(request)
        taken = call_ids(request.state["messages"])
        result = [one for message in response.result for one in normalized(message, taken)]
        return replace(response, result=result)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        runtime, call_id = request.runtime, request.tool_call["id"]
        write = runtime.stream_writer
        telling = replace(runtime, stream_writer=lambda data: write({"call_id": call_id, "data": data}))
        return await handler(replace(request, runtime=telling))


def call_ids(messages: Sequence[BaseMessage]) -> set[str]:
    """Of all calls in a conversation."""
    return {str(call["id"]) for one in messages if isinstance(one, AIMessage) for call in one.tool_calls}


def call_id(raw: str | None, place: int, message_id: str, taken: Collection[str]) -> str:
    """The id that a call gets: its own where that is unique, or else one made of its message and its place in it."""
    if raw and raw not in taken and len(raw) <= LONGEST_ID and raw.isprintable():
        return raw
    return "call_" + hashlib.sha256(f"{message_id}/{place}".encode()).hexdigest()[:24]


def normalized(message: BaseMessage, taken: set[str]) -> list[BaseMessage]:
    """The message with ids that none of `taken` is, to which they are added, and errors for calls that are garbled."""
    if not isinstance(message, AIMessage) or not (message.tool_calls or message.invalid_tool_calls):
        return [message]
    calls: list[dict[str, Any]] = []
    errors: list[ToolMessage] = []
    for place, call in enumerate(message.tool_calls):
        calls.append({**call, "id": call_id(call["id"], place, str(message.id), taken)})
        taken.add(str(calls[-1]["id"]))
    for place, broken in enumerate(message.invalid_tool_calls, start=len(calls)):
        own = call_id(broken["id"], place, str(message.id), taken)
        taken.add(own)
        name = broken["name"] or "unknown"
        calls.append({"type": "tool_call", "name": name, "args": {}, "id": own})
        why = (
            f"The arguments are no valid JSON object: {(broken['args'] or '')[:500]!r}. Nothing ran; write them again."
        )
        errors.append(ToolMessage(why, tool_call_id=own, name=name, status="error"))
    update = {"tool_calls": calls, "invalid_tool_calls": [], "additional_kwargs": {}}
    return [message.model_copy(update=update), *errors]
