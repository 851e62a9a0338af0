"""Several middleware as one: LangChain takes two trips to a thread around every hook of each, to trace it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse, ToolCallRequest


class MiddlewareChain(AgentMiddleware[Any, Any, Any]):
    """Asynchronous wrappers around the calls of models and tools; other hooks of its links are not called."""

    def __init__(self, *links: AgentMiddleware[Any, Any, Any]) -> None:
        """
        Args:
            links: the outermost first.
        """
        super().__init__()
        kind = AgentMiddleware
        self._model = [link.awrap_model_call for link in links if type(link).awrap_model_call != kind.awrap_model_call]
        self._tool = [link.awrap_tool_call for link in links if type(link).awrap_tool_call != kind.awrap_tool_call]

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> Any:
        return await _around(self._model, handler)(request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        return await _around(self._tool, handler)(request)


def _around(hooks: Sequence[Callable[..., Awaitable[Any]]], call: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    for hook in reversed(hooks):
        call = partial(hook, handler=call)
    return call
