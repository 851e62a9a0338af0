"""Models behind an address that speaks OpenAI's Chat Completions. Slow to load: `models.build` does it, in need."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.models.streaming import checked

TOO_LONG = ("input_tokens", "input_text")
"""Parameters that vLLM refuses where a conversation does not fit its window. LangChain knows OpenAI's own code."""


class ChatCompletionsModel(ChatOpenAI):
    silence_s: float

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        try:
            async for chunk in checked(super()._astream(*args, **kwargs), self.silence_s):  # type: ignore[arg-type]
                yield chunk
        except openai.BadRequestError as error:
            if error.param in TOO_LONG:
                raise ContextOverflowError(str(error)) from error
            raise

    def _get_request_payload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # What is extra, the client sends as it is; through what it knows it walks key by key, 3 ms for our tools.
        payload: dict[str, Any] = super()._get_request_payload(*args, **kwargs)
        if (tools := payload.pop("tools", None)) is not None:
            payload["extra_body"] = {**(payload.get("extra_body") or {}), "tools": tools}
        return payload


def build(name: str, address: str, key: SecretStr, silence_s: float, *, direct: bool) -> ChatCompletionsModel:
    """
    Args:
        direct: reached without the proxy that the environment may name.
    """
    return ChatCompletionsModel(
        model=name,
        base_url=address,
        api_key=key,
        timeout=silence_s,
        silence_s=silence_s,
        stream_chunk_timeout=None,  # ours is the same for every provider
        max_retries=0,
        stream_usage=True,
        use_responses_api=False,
        http_client=httpx2.Client(trust_env=False) if direct else None,
        http_async_client=httpx2.AsyncClient(trust_env=False) if direct else None,
    )
