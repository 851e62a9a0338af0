"""Logs of engines and of the load generator, a piece at a time."""

from typing import Annotated

from pydantic import Field

from tools.arguments import Number, Ref
from tools.context import Runtime
from tools.tool import tool
from tools.untrusted import Quoted, quoted
from tuner.domain import LARGEST
from tuner.spec.values import Frozen

LIMIT = 12_000
"""Characters of a log in one answer."""

Lines = Annotated[int, Field(ge=1, le=500, description="How many lines, from the end.")]
Search = Annotated[
    str | None, Field(max_length=200, description="Only lines with this text, or that match /this regular expression/.")
]


class LogAnswer(Frozen):
    task: str
    matches: int | None = None
    """Lines that the search found in all."""
    whole: bool
    """Nothing was left out."""
    log: Quoted


@tool(untrusted=True)
async def get_task_logs(runtime: Runtime, task: Ref, lines: Lines = 100, search: Search = None) -> LogAnswer:
    """The end of the load generator's log of a task, or the lines of it that a search finds.

    Use it when requests fail or the load looks wrong. For the engine's own log use get_experiment_logs.
    """
    return await _log(runtime, task, None, lines, search)


@tool(untrusted=True)
async def get_experiment_logs(
    runtime: Runtime,
    task: Ref,
    experiment: Annotated[
        int | None, Field(ge=0, le=LARGEST, description="The experiment's number; by default the newest.")
    ] = None,
    lines: Lines = 100,
    search: Search = None,
) -> LogAnswer:
    """The end of the engine's log of one experiment, or the lines of it that a search finds ("error", /KV cache.*GiB/).

    Use it to find out why an engine did not start, died or behaved oddly. get_experiment has the decisive lines
    already; a search is better than many lines.
    """
    return await _log(runtime, task, experiment, lines, search, benchmark=False)


async def _log(
    runtime: Runtime, ref: Ref, experiment: Number | None, lines: int, search: str | None, benchmark: bool = True
) -> LogAnswer:
    tuner = runtime.context.tuner
    found = await tuner.task(ref)
    excerpt = await tuner.logs(found.id, experiment, benchmark=benchmark, lines=lines, search=search)
    which = "the newest experiment" if experiment is None else f"experiment {experiment}"
    source = f"task {found.id}, {'the load generator' if benchmark else f'the engine of {which}'}"
    log = quoted("\n".join(excerpt.lines), source, limit=LIMIT, keep="tail")
    return LogAnswer(task=found.id, matches=excerpt.matches, whole=not excerpt.truncated and log.cut is None, log=log)


READ = (get_task_logs, get_experiment_logs)
