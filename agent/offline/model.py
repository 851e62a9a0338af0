"""The offline model: a pure function of the messages, streamed in words."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.offline import grammar
from agent.offline.messages import read
from agent.offline.script import ScriptStep


class OfflineModel(BaseChatModel):
    """Understands the grammar of `prompts/offline_help.md`. It keeps nothing: the history holds all it knows."""

    @property
    def _llm_type(self) -> str:
        return "offline"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        step = _step(messages, kwargs)
        calls = [tool_call(name=step.call.tool, args=step.call.args, id=_call_id())] if step.call else []
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=step.text, tool_calls=calls))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        # In a thread: a long message takes regular expressions a while.
        for chunk in _chunks(await asyncio.to_thread(_step, messages, kwargs)):
            yield ChatGenerationChunk(message=chunk)


def _step(messages: Sequence[BaseMessage], bound: dict[str, Any]) -> ScriptStep:
    step = grammar.answer(read(messages))
    tools = bound.get("tools")
    if step.call is None or tools is None or step.call.tool in {tool["function"]["name"] for tool in tools}:
        return step
    return ScriptStep(f"I understand, but that needs `{step.call.tool}`, which is not available in this conversation.")


def _chunks(step: ScriptStep) -> Iterator[AIMessageChunk]:
    for piece in re.findall(r"\s*\S+\s*$|\s*\S+", step.text):
        yield AIMessageChunk(content=piece)
    if step.call is not None:
        written = json.dumps(step.call.args)
        yield _piece(name=step.call.tool, args="", id_=_call_id())
        for at in range(0, len(written), 200):
            yield _piece(name=None, args=written[at : at + 200], id_=None)
    yield AIMessageChunk(content="", chunk_position="last")


def _piece(*, name: str | None, args: str, id_: str | None) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args=args, id=id_, index=0)])


def _call_id() -> str:
    return f"call_{uuid4().hex}"
