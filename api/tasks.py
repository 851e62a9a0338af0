"""Tasks: written down, started, followed, ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict

from api import bodies
from api.deps import FeedsDep, Key, LastId, Limit, Offset, Ref, StreamsDep, TunerDep
from api.feeds import Feeds
from api.problems import Place, documented, place
from api.streams import NOTHING_MORE, Message, after, message, streamed
from tuner.domain import Event, Task, TaskState, TaskSummary
from tuner.errors import InvalidSpecError, Problem
from tuner.runner.plan import PlanSummary
from tuner.spec import taskfile
from tuner.spec.values import Frozen

router = APIRouter(prefix="/tasks", tags=["tasks"])

EXAMPLE = {
    "task_name": "first try",
    "base_runtime": "simulated",
    "model": "demo",
    "parameters": {"max-num-seqs": [8, 16, 32]},
    "slo": {"ttft": {"p90": {"threshold": 0.5}}},
}


class TaskPage(Frozen):
    items: list[TaskSummary]
    total: int
    """In all, not on this page."""


class PlanAnswer(Frozen):
    """Either a plan, or what is in its way."""

    plan: PlanSummary | None = None
    problems: tuple[Place, ...] = ()


class SpecPatch(Frozen):
    """A JSON merge patch (RFC 7396) of a task's spec: keys as in a task, null removes one."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": {"budget": {"max_experiments": 10}}})


@router.get("")
async def list_tasks(
    tuner: TunerDep,
    state: Annotated[TaskState | None, Query(description="Only tasks in this state.")] = None,
    text: Annotated[str | None, Query(max_length=500, description="A part of the name, the model or the id.")] = None,
    engine: Annotated[str | None, Query(max_length=253, description="Only tasks of this engine.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> TaskPage:
    """The tasks, newest first."""
    items, total = await tuner.tasks(state=state, text=text, engine=engine, limit=limit, offset=offset)
    return TaskPage(items=items, total=total)


@router.post(
    "", status_code=201, responses=documented(409, 422), openapi_extra=bodies.declared("TaskSpecInput", example=EXAMPLE)
)
async def create_task(request: Request, response: Response, tuner: TunerDep, key: Key = None) -> Task:
    """Writes a task down, checked completely; nothing runs yet. A task file may be sent as it is, in YAML."""
    text = await bodies.text(request)
    spec = await bodies.task(text)
    try:
        task = await tuner.create(spec, key=key)
    except InvalidSpecError as error:
        raise taskfile.located_in(error, text) from None
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return task


@router.post("/plan", openapi_extra=bodies.declared("TaskSpecInput", example=EXAMPLE))
async def plan_task(request: Request, tuner: TunerDep) -> PlanAnswer:
    """What a task would do here, or every problem of it; nothing is written down."""
    text = await bodies.text(request)
    try:
        spec = await bodies.task(text)
    except InvalidSpecError as error:
        return PlanAnswer(problems=tuple(map(place, error.problems)))
    try:
        return PlanAnswer(plan=await tuner.summary(spec))
    except InvalidSpecError as error:
        return PlanAnswer(problems=tuple(map(place, taskfile.located_in(error, text).problems)))


@router.get("/{task}", responses=documented(404))
async def get_task(task: Ref, tuner: TunerDep) -> Task:
    return await tuner.task(task)


@router.patch(
    "/{task}", responses=documented(404, 409), openapi_extra=bodies.declared("SpecPatch", (bodies.PATCH, bodies.JSON))
)
async def update_task(task: Ref, request: Request, tuner: TunerDep) -> Task:
    """Changes a task that has not been started, by a merge patch of its spec."""
    patch = (await bodies.document(request, (bodies.PATCH, bodies.JSON))).data
    if not isinstance(patch, dict):
        raise InvalidSpecError([Problem(f"a merge patch is a block of keys, not {patch!r:.60}")])
    found = await tuner.task(task)
    return await tuner.update(found.id, taskfile.validate(_merged(found.spec.model_dump(mode="json"), patch)))


@router.delete("/{task}", status_code=204, response_class=Response, responses=documented(404, 409))
async def delete_task(task: Ref, tuner: TunerDep) -> None:
    """Removes a task with its experiments, events and files. A running one must be cancelled first."""
    await tuner.delete(task)


@router.post("/{task}/start", status_code=202, responses=documented(404, 409))
async def start_task(task: Ref, tuner: TunerDep, key: Key = None) -> Task:
    """Queues a task for the next free worker. A failed or cancelled one goes on where it stopped."""
    return await tuner.start(task, key=key)


@router.post("/{task}/cancel", responses=documented(404, 409))
async def cancel_task(task: Ref, tuner: TunerDep) -> Task:
    """Stops a task, and answers when its engine is gone; finished experiments stay."""
    return await tuner.cancel(task)


@router.post("/{task}/resume", status_code=202, responses=documented(404, 409))
async def resume_task(task: Ref, tuner: TunerDep) -> Task:
    """Goes on with a task that stopped before its end."""
    return await tuner.resume(task)


@router.post("/{task}/restart", status_code=201, responses=documented(404, 409))
async def restart_task(task: Ref, response: Response, tuner: TunerDep) -> Task:
    """Queues a fresh copy; the old task stays as it is."""
    fresh = await tuner.restart(task)
    response.headers["Location"] = f"/api/tasks/{fresh.id}"
    return fresh


@router.get("/{task}/events", response_class=Response, responses=documented(404) | streamed("Event") | NOTHING_MORE)
async def follow_task(
    task: Ref, tuner: TunerDep, feeds: FeedsDep, streams: StreamsDep, last: LastId = None
) -> Response:
    """What happens in a task, as server-sent events, until it ends: `id` is the sequence, `event` the kind.

    Goes on after `Last-Event-ID`. 204: the task has ended, and nothing follows.
    """
    start = after(last)
    found = await tuner.task(task)
    state, news = await tuner.news(found.id, start)
    if state.ended and not news:
        return Response(status_code=204)

    return streams.response(_told(feeds, found.id, start, news))


async def _told(feeds: Feeds, task_id: str, start: int, known: list[Event]) -> AsyncGenerator[Message, None]:
    async with aclosing(feeds.events(task_id, start, known)) as events:
        async for event in events:
            yield message(event.kind, event, id=event.sequence)


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
