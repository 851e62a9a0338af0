"""A model that says what a test wrote down, in pieces, as a provider would stream it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field


@dataclass(frozen=True)
class Call:
    """A tool call; without an id it gets `call_N`, counted over the model's life."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True)
class Say:
    text: str = ""
    calls: Sequence[Call] = ()
    pause_s: float = 0.0
    """Between the pieces."""


Turn = Say | Callable[[list[BaseMessage]], Say] | Exception


class ScriptedModel(BaseChatModel):
    """Answers with `script`, one entry a call; the last one is repeated for ever where `repeat` is set."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: list[Any] = Field(default_factory=list)
    repeat: bool = False
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    """What the model was shown, call by call."""
    counted: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    def _next(self, messages: list[BaseMessage]) -> Say:
        self.asked.append(list(messages))
        if not self.script:
            raise AssertionError("the script is at its end, and the model was asked once more")
        turn: Turn = self.script[0] if self.repeat and len(self.script) == 1 else self.script.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn if isinstance(turn, Say) else turn(messages)

    def _chunks(self, say: Say) -> list[AIMessageChunk]:
        chunks = [AIMessageChunk(content=piece) for piece in re.findall(r"\S*\s*", say.text) if piece]
        for index, call in enumerate(say.calls):
            self.counted += 1
            written = json.dumps(call.args)
            half = len(written) // 2
            begun = (call.tool, "", call.id or f"call_{self.counted}")
            for name, args, identity in (begun, (None, written[:half], None), (None, written[half:], None)):
                chunks.append(
                    AIMessageChunk(
                        content="", tool_call_chunks=[tool_call_chunk(name=name, args=args, id=identity, index=index)]
                    )
                )
        usage = {"input_tokens": 10, "output_tokens": len(chunks), "total_tokens": 10 + len(chunks)}
        return [*chunks, AIMessageChunk(content="", usage_metadata=usage)]

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        say = self._next(messages)
        for chunk in self._chunks(say):
            await asyncio.sleep(say.pause_s)
            yield ChatGenerationChunk(message=chunk)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first, *rest = self._chunks(self._next(messages))
        whole = first
        for chunk in rest:
            whole += chunk
        message = AIMessage(content=whole.content, tool_calls=whole.tool_calls, usage_metadata=whole.usage_metadata)
        return ChatResult(generations=[ChatGeneration(message=message)])
