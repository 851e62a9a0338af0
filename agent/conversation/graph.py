"""The LangGraph agent: a model, its tools, and the middleware between them."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ContextEditingMiddleware,
    ModelFallbackMiddleware,
    ModelRequest,
    ModelResponse,
    ModelRetryMiddleware,
)
from langchain.agents.middleware.context_editing import ClearToolUsesEdit
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.conversation.history import Graph
from agent.conversation.middleware import context_window
from agent.conversation.middleware.chain import MiddlewareChain
from agent.conversation.middleware.tool_calls import ToolCallNormalizer
from agent.models import failures
from agent.settings import AgentSettings
from tools.context import Context

RETRIES = 2
FIRST_RETRY_S = 1.0
CLEARED = "[This answer is left out, since newer ones take its place in the window. Call the tool again if it matters.]"
CLEAR_AT = 0.5
"""Part of the window from which old answers of tools are cleared."""


class StepLimit(AgentMiddleware[Any, Any, Any]):
    """Ends an endless turn with a sentence that a person can use.

    Not the stock limit: that one counts anew after every approval, and costs two more steps of the graph, each with a
    checkpoint, for every call of the model.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        begun = max((place for place, one in enumerate(request.messages) if one.type == "human"), default=0)
        steps = sum(one.type == "ai" for one in request.messages[begun:])
        if steps < self._limit:
            return await handler(request)
        text = (
            f"I stop here: this turn has taken {steps} steps, and {self._limit} is the limit. Tell me to go on, or to "
            "do it another way; AUTOTUNER_MAX_STEPS raises the limit."
        )
        return ModelResponse(result=[AIMessage(text, id=f"limit-{secrets.token_hex(8)}")])


def build_graph(
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    prompt: str,
    approvals: AgentMiddleware[Any, Any, Any],
    settings: AgentSettings,
    saver: BaseCheckpointSaver[Any],
    fallback: BaseChatModel | None = None,
) -> Graph:
    chain = MiddlewareChain(
        StepLimit(settings.max_steps),
        ToolCallNormalizer(),
        ContextEditingMiddleware(
            edits=[ClearToolUsesEdit(trigger=int(settings.llm_context_tokens * CLEAR_AT), placeholder=CLEARED)],
            token_counter=context_window.tokens,
        ),
        context_window.ContextWindow(settings.llm_context_tokens, tools),
        *([ModelFallbackMiddleware(fallback)] if fallback is not None else []),
        ModelRetryMiddleware(
            max_retries=RETRIES, retry_on=failures.is_transient, on_failure="error", initial_delay=FIRST_RETRY_S
        ),
        approvals,
    )
    return create_agent(
        model, list(tools), system_prompt=prompt, middleware=[chain], checkpointer=saver, context_schema=Context
    )
