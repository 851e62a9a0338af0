"""The agent's tools: thin adapters over the tuner, GitHub and Hugging Face.

READ costs nothing, WRITE makes drafts, ACT costs time, GPUs, disk or data, publishes or deletes: so it is asked first.
To add a tool: write an async function with `@tool` in the module of its subject, and list it in one of its tables.
"""

from collections.abc import Callable, Mapping
from typing import Any

from langchain.tools import ToolRuntime
from pydantic import JsonValue

from tools import (
    clock,
    drafts,
    engines,
    experiments,
    github,
    hub,
    logs,
    machines,
    plots,
    presets,
    results,
    runs,
    tasks,
)
from tools.context import Context, Runtime
from tools.errors import InvalidArgumentsError
from tools.settings import ToolSettings
from tools.tool import Tool
from tuner.errors import NotFoundError, TunerError
from tuner.spec.problems import alternatives

__all__ = [
    "ACT", "READ", "TOOLS", "UNTRUSTED", "WRITE",
    "Context", "InvalidArgumentsError", "Runtime", "Tool", "ToolSettings",
    "args_schema", "call", "canonical", "preview",
]  # fmt: skip

READ: tuple[Tool, ...] = (
    *tasks.READ,
    *experiments.READ,
    *results.READ,
    *logs.READ,
    *plots.READ,
    *drafts.READ,
    *presets.READ,
    *engines.READ,
    *machines.READ,
    *hub.READ,
    *github.READ,
    *clock.READ,
)
WRITE: tuple[Tool, ...] = drafts.WRITE
ACT: tuple[Tool, ...] = (*runs.ACT, *presets.ACT, *hub.ACT, *github.ACT, *machines.ACT, *engines.ACT)

TOOLS: Mapping[str, Tool] = {one.name: one for one in (*READ, *WRITE, *ACT)}
UNTRUSTED = frozenset(one.name for one in TOOLS.values() if one.untrusted)
"""Those whose answers carry text that nobody here vouches for: logs, model cards, issues. Of ACT: whose errors do."""


async def canonical(name: str, args: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The arguments as they will run: checked, with every default.

    Raises:
        InvalidArgumentsError: with every problem.
        NotFoundError: no such tool.
    """
    return (await _tool(name).parse(args)).model_dump(mode="json")


def args_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a tool's arguments, without references. Raises NotFoundError."""
    found = _tool(name).args_schema
    assert isinstance(found, dict)
    return found


async def preview(name: str, args: Mapping[str, Any], context: Context) -> dict[str, JsonValue]:
    """What a call would do; `{"problem": …}` where it cannot be made. Empty where the arguments say it all."""
    try:
        return await _tool(name).preview(context, args)
    except TunerError as error:
        return {"problem": str(error)}


async def call(
    name: str,
    args: Mapping[str, Any],
    context: Context,
    *,
    call_id: str,
    on_progress: Callable[[Any], None] | None = None,
) -> str:
    """Runs a tool outside of an agent and gives its answer, JSON. Asks nobody: what needs an approval has it already.

    Raises:
        TunerError: what the tool raises, and as `canonical`.
    """
    runtime: Runtime = ToolRuntime(
        state=None, context=context, config={}, stream_writer=on_progress or _drop, tool_call_id=call_id, store=None
    )
    return await _tool(name).answer(runtime, args)


def _tool(name: str) -> Tool:
    if name not in TOOLS:
        raise NotFoundError(f"No tool {name!r:.80}; {alternatives(name, TOOLS)}.")
    return TOOLS[name]


def _drop(progress: Any) -> None:
    """Drops the progress of a call."""
