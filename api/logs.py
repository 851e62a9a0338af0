"""Logs of tasks: their end, what is searched for, and what comes."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import LastId, Ref, StreamsDep, TunerDep
from api.problems import documented
from api.streams import NOTHING_MORE, Message, message, streamed
from tuner.domain import LARGEST
from tuner.errors import InvalidSpecError, Problem
from tuner.logs.following import LogChunk
from tuner.logs.tail import LogExcerpt

router = APIRouter(prefix="/tasks/{task}/logs", tags=["logs"])

Which = Annotated[int | None, Query(ge=0, le=LARGEST, description="Number of the experiment; by default the newest.")]
Benchmark = Annotated[bool, Query(description="The load generator's log instead of the engine's.")]


@router.get("", responses=documented(404, 409))
async def get_logs(
    task: Ref,
    tuner: TunerDep,
    experiment: Which = None,
    benchmark: Benchmark = False,
    lines: Annotated[int, Query(ge=1, le=5000, description="At most so many, the last ones.")] = 200,
    search: Annotated[
        str | None, Query(max_length=500, description="Only lines with this text, or that match /this expression/.")
    ] = None,
) -> LogExcerpt:
    """The end of a log, or what is found in it."""
    return await tuner.logs(task, experiment, benchmark=benchmark, lines=lines, search=search)


@router.get("/stream", response_class=Response, responses=documented(404) | streamed("LogChunk") | NOTHING_MORE)
async def follow_logs(
    task: Ref,
    tuner: TunerDep,
    streams: StreamsDep,
    experiment: Which = None,
    benchmark: Benchmark = False,
    last: LastId = None,
) -> Response:
    """A log as it grows, as server-sent events `log`, until the task (or the experiment that was named) ends.

    Without a number it moves on with the experiments. Goes on after `Last-Event-ID`; 204: nothing follows.
    """
    found = await tuner.task(task)
    if experiment is not None:
        await tuner.experiment(found.id, experiment)
    begun, position = _parse(last)
    if last is not None and found.state.ended:
        excerpt = await tuner.logs(found.id, experiment, benchmark=benchmark, lines=1)
        newest = experiment if experiment is not None or benchmark else await tuner.newest_experiment(found.id)
        if (begun, position) == (newest, excerpt.position):
            return Response(status_code=204)
    chunks = tuner.follow_log(found.id, experiment, benchmark=benchmark, position=position, since=begun)
    return streams.response(_told(chunks))


async def _told(chunks: AsyncIterator[LogChunk]) -> AsyncGenerator[Message, None]:
    async for chunk in chunks:
        yield message("log", chunk, id=f"{'' if chunk.experiment is None else chunk.experiment}:{chunk.position}")


def _parse(last: str | None) -> tuple[int | None, int]:
    """(experiment, position) of a `Last-Event-ID`: `3:4096`, or `:4096` in the load generator's log."""
    if last is None:
        return None, 0
    number, _, position = last.partition(":")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (number or "0", position)):
        raise InvalidSpecError(
            [Problem(f"{last!r:.60} is no id that was sent; leave it out to read from the start", "Last-Event-ID")]
        )
    return (int(number) if number else None), int(position)
