"""The tools as the approvals see them, and the digest that identifies one call of one of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import JsonValue

if TYPE_CHECKING:  # the policy is described over HTTP, which must answer before these libraries are loaded
    from langchain_core.tools import BaseTool


class Toolbox(Protocol):
    """All tools of an assistant: the module `tools`, or a stand-in for it."""

    @property
    def TOOLS(self) -> Mapping[str, "BaseTool"]: ...  # noqa: N802

    @property
    def ACT(self) -> Sequence["BaseTool"]:  # noqa: N802
        """The privileged ones, which cost, publish, delete or restart: they ask first."""
        ...

    @property
    def UNTRUSTED(self) -> frozenset[str]:  # noqa: N802
        """Names of the tools whose answers carry text that nobody here vouches for."""
        ...

    async def canonical(self, name: str, args: Mapping[str, Any], /) -> dict[str, JsonValue]:
        """The arguments as they will run: validated, defaults filled in. Raises InvalidArgumentsError."""
        ...

    def args_schema(self, name: str, /) -> dict[str, Any]: ...

    async def preview(self, name: str, args: Mapping[str, Any], context: Any, /) -> dict[str, JsonValue]: ...


def digest(tool: str, args: Mapping[str, JsonValue]) -> str:
    """SHA-256 of a call, hexadecimal; the order of the arguments does not matter, everything else does."""
    written = json.dumps([tool, args], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
