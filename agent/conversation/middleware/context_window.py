"""The context window: the newest messages that fit into it. The history keeps all of them."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

BYTES_PER_TOKEN = 3
"""Fewer than of most texts, so that an estimate is rather too high: English has four, Chinese three."""
PER_MESSAGE = 8
"""Tokens that a message costs besides its text."""
ANSWER = 0.2
"""Part of the window that is left for the answer."""
LEFT_OUT = "\n\nThe beginning of this conversation is left out here, since it no longer fits. Ask where you need it."


class ContextWindow(AgentMiddleware[Any, Any, Any]):
    """Leaves out what does not fit: first the oldest turns, then the middle of long texts."""

    def __init__(self, size: int, tools: Sequence[BaseTool]) -> None:
        """
        Args:
            size: of the window, in tokens.
            tools: whose schemas the model is shown with every call.
        """
        super().__init__()
        # Made once: left to the model, it takes 3 ms of every call.
        self._tools: list[BaseTool | dict[str, Any]] = [convert_to_openai_tool(tool) for tool in tools]
        schemas = sum(len(json.dumps(tool)) for tool in self._tools) // BYTES_PER_TOKEN
        self._budget, self._least = int(size * (1 - ANSWER)) - schemas, size // 10

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        fixed = [request.system_message] if request.system_message else []
        shown = fit(request.messages, max(self._budget - tokens(fixed), self._least))
        if len(shown) < len(request.messages) and request.system_message:
            system = SystemMessage(request.system_message.text + LEFT_OUT)
            return await handler(request.override(messages=shown, tools=self._tools, system_message=system))
        return await handler(request.override(messages=shown, tools=self._tools))


def tokens(messages: Sequence[BaseMessage]) -> int:
    """Estimated tokens of messages, rather too many than too few."""
    return sum(PER_MESSAGE + _bytes(message) // BYTES_PER_TOKEN for message in messages)


def fit(messages: Sequence[AnyMessage], budget: int) -> list[AnyMessage]:
    """The end of a conversation that fits: from a user's message on, calls with their results, the last of both always.

    Args:
        budget: tokens.
    """
    if tokens(messages) <= budget:
        return list(messages)
    short = [_shortened(message, budget // 2) for message in messages]
    groups = _groups(short)
    last = max((n for n, group in enumerate(groups) if isinstance(group[0], HumanMessage)), default=0)
    kept, spent = len(groups) - 1, tokens(groups[-1]) + (tokens(groups[last]) if last < len(groups) - 1 else 0)
    while kept > 0:
        size = 0 if kept - 1 == last else tokens(groups[kept - 1])
        if spent + size > budget:
            break
        kept, spent = kept - 1, spent + size
    if kept <= last:
        while kept < last and not isinstance(groups[kept][0], HumanMessage):
            kept += 1
        shown = groups[kept:]
    else:
        shown = [groups[last], *groups[kept:]]
    flat = [message for group in shown for message in group]
    if tokens(flat) > budget:
        share = max(50, budget // len(flat) - 2 * PER_MESSAGE)
        flat = [_shortened(message, share) for message in flat]
    return flat


def _groups(messages: Sequence[AnyMessage]) -> list[list[AnyMessage]]:
    """Calls and their results stay together; everything else stands alone."""
    groups: list[list[AnyMessage]] = []
    for message in messages:
        if groups and message.type == "tool":
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups


def _shortened(message: AnyMessage, limit: int) -> AnyMessage:
    most = limit * BYTES_PER_TOKEN
    if _bytes(message) <= most:
        return message
    changed: dict[str, Any] = {}
    text = message.text
    if len(text.encode(errors="replace")) > most // 2:
        changed["content"] = _without_middle(text, most // 2)
    if isinstance(message, AIMessage) and message.tool_calls:
        each = most // 2 // len(message.tool_calls)
        changed["tool_calls"] = [
            call if len(json.dumps(call["args"])) <= each else {**call, "args": {"left_out": "too long"}}
            for call in message.tool_calls
        ]
    return message.model_copy(update=changed)


def _without_middle(text: str, most: int) -> str:
    """The beginning and the end, at most `most` bytes of them."""
    raw = text.encode(errors="replace")
    half = most // 2
    ends = (raw[:half].decode(errors="ignore"), raw[-half:].decode(errors="ignore"))
    return f"{ends[0]}\n[… {len(text) - len(ends[0]) - len(ends[1]):,} characters left out …]\n{ends[1]}"


def _bytes(message: BaseMessage) -> int:
    size = len(message.text.encode(errors="replace"))
    if isinstance(message, AIMessage):
        size += sum(len(json.dumps(call["args"])) + len(call["name"]) + 40 for call in message.tool_calls)
    return size
