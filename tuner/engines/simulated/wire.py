"""The OpenAI protocol, as far as the simulated engine speaks it."""

import json
import math
import time
from typing import ClassVar
from uuid import uuid4

from pydantic import BaseModel, Field, JsonValue
from starlette.responses import JSONResponse, Response

from tuner.engines.simulated.law import BLOCK, CHARACTERS_PER_TOKEN
from tuner.engines.simulated.scheduler import Generation

DEFAULT_MAX_TOKENS = 128
WORD = " simulated"
"""Every token of every answer."""


class Part(BaseModel):
    text: str = ""


class Message(BaseModel):
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool = False


class Body(BaseModel):
    """What both kinds of request share. What the simulation does not know (temperature, stop, …) changes nothing."""

    model: str
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def answer_tokens(self) -> int:
        return self.max_completion_tokens or self.max_tokens or DEFAULT_MAX_TOKENS


class CompletionBody(Body):
    whole: ClassVar[str] = "text_completion"
    chunk: ClassVar[str] = "text_completion"
    prompt: str | list[int]

    @property
    def text(self) -> str | list[int]:
        return self.prompt

    def choice(self, text: str, finish: str | None, whole: bool) -> JsonValue:
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


class ChatBody(Body):
    whole: ClassVar[str] = "chat.completion"
    chunk: ClassVar[str] = "chat.completion.chunk"
    messages: list[Message] = Field(min_length=1)

    @property
    def text(self) -> str:
        return "\n".join(message.text for message in self.messages)

    def choice(self, text: str, finish: str | None, whole: bool) -> JsonValue:
        part: JsonValue = {"role": "assistant", "content": text}
        return {"index": 0, "message" if whole else "delta": part, "logprobs": None, "finish_reason": finish}


def count(text: str | list[int]) -> int:
    return max(1, len(text) if isinstance(text, list) else math.ceil(len(text) / CHARACTERS_PER_TOKEN))


def blocks(text: str | list[int]) -> list[int]:
    size = BLOCK if isinstance(text, list) else BLOCK * CHARACTERS_PER_TOKEN
    blocks: list[int] = []
    for end in range(size, len(text) + 1, size):
        piece = text[end - size : end]
        blocks.append(hash((blocks[-1] if blocks else 0, piece if isinstance(piece, str) else tuple(piece))))
    return blocks


def head(body: Body, kind: str) -> dict[str, JsonValue]:
    return {
        "id": f"simulated-{uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": body.model,
        "system_fingerprint": "simulated",
    }


def finish(body: Body, request: Generation) -> str:
    return "length" if request.max_tokens == body.answer_tokens else "stop"


def usage(request: Generation) -> JsonValue:
    return {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": request.max_tokens,
        "total_tokens": request.prompt_tokens + request.max_tokens,
    }


def event(data: dict[str, JsonValue]) -> str:
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n"


def error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "simulated", "code": status}}, status)
