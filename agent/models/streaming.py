"""Checks of a streamed answer: the time between its chunks, and that no truncated tool call is repaired by guess."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import httpx2
from langchain_core.exceptions import ModelConnectionError, ModelTimeoutError
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json


async def checked(
    chunks: AsyncGenerator[ChatGenerationChunk, None], silence_s: float
) -> AsyncIterator[ChatGenerationChunk]:
    """
    Raises:
        ModelTimeoutError: nothing came for `silence_s`.
        ModelConnectionError: the connection broke in the middle; providers' clients leave that error as it is.
    """
    calls = _Calls()
    async with aclosing(chunks):
        while (chunk := await _next(chunks, silence_s)) is not None:
            if isinstance(chunk.message, AIMessageChunk):
                calls.add(chunk.message)
            yield chunk
    if garbled := calls.garbled():
        yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=garbled))


async def _next(chunks: AsyncIterator[ChatGenerationChunk], silence_s: float) -> ChatGenerationChunk | None:
    # Not by the socket's time-out alone: comments that keep a connection alive are no chunks of an answer.
    try:
        async with asyncio.timeout(silence_s):
            return await anext(chunks, None)
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise ModelTimeoutError(f"nothing came from the model for {silence_s:g} s") from error
    except httpx2.TransportError as error:
        raise ModelConnectionError(f"the connection to the model broke: {error}") from error


class _Calls:
    """The tool calls of an answer.

    LangChain repairs truncated arguments: `{"pattern": "a` becomes `{"pattern": "a"}`, another call than the one that
    was meant. Here such a call gets an end that cannot be repaired, so that the model hears of it instead.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[int | None, str | None, list[str]]] = []

    def add(self, message: AIMessageChunk) -> None:
        for chunk in message.tool_call_chunks:
            index, id_ = chunk["index"], chunk["id"]
            same = next((one for one in reversed(self._calls) if index is not None and one[0] == index), None)
            if same is None or (id_ and id_ != same[1]):
                same = (index, id_, [])
                self._calls.append(same)
            same[2].append(chunk["args"] or "")

    def garbled(self) -> list[ToolCallChunk]:
        return [
            tool_call_chunk(name=None, args=ending, id=None, index=index)
            for index, _, parts in self._calls
            if index is not None and (ending := _invalid_ending("".join(parts)))
        ]


def _invalid_ending(written: str) -> str:
    """What makes arguments that are no JSON invalid for good; empty where nothing has to."""
    try:
        json.loads(written or "{}", strict=False)
    except (ValueError, RecursionError):
        endings = (quote + ("]}" * 32)[:length] for length in range(1, 64) for quote in ("", '"', '""'))
        return next((ending for ending in endings if not _is_repairable(written + ending)), "")
    return ""


def _is_repairable(written: str) -> bool:
    try:
        return isinstance(parse_partial_json(written), dict)
    except (ValueError, RecursionError):
        return False
