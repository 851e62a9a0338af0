"""Models behind an address that speaks Anthropic's Messages. Slow to load: `models.build` does it, in need."""

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

import anthropic
import httpx2
from langchain_anthropic import ChatAnthropic
from langchain_core.outputs import ChatGenerationChunk
from pydantic import SecretStr

from agent.models.streaming import checked


class AnthropicModel(ChatAnthropic):
    silence_s: float
    direct: bool

    @cached_property
    def _async_client(self) -> anthropic.AsyncClient:
        if not self.direct:
            return super()._async_client
        return anthropic.AsyncClient(**self._client_params, http_client=httpx2.AsyncClient(trust_env=False))

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in checked(super()._astream(*args, **kwargs), self.silence_s):  # type: ignore[arg-type]
            yield chunk


def build(name: str, address: str, key: SecretStr, silence_s: float, *, direct: bool) -> AnthropicModel:
    """
    Args:
        direct: reached without the proxy that the environment may name.
    """
    return AnthropicModel(
        model=name,
        base_url=address,
        api_key=key,
        timeout=silence_s,
        silence_s=silence_s,
        direct=direct,
        max_retries=0,
        stream_usage=True,
        stop=None,
    )
