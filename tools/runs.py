"""Starting, stopping and removing tasks: what costs time, GPUs or data."""

import asyncio

from tools.arguments import Ref
from tools.context import Context, Runtime
from tools.drafts import TaskPlan, planned
from tools.machines import alive
from tools.tool import tool
from tuner.domain import Task, TaskState
from tuner.spec import taskfile
from tuner.spec.values import Frozen

CANCEL_S = 60
"""How long cancel_task waits for the end; the engine has to stop first."""


class Started(Frozen):
    id: str
    name: str
    state: TaskState
    note: str


class StartPreview(Frozen):
    """What starting a task would do."""

    id: str
    name: str
    state: TaskState
    experiments_done: int | None = None
    """By an earlier start; they are kept."""
    plan: TaskPlan
    worker: str
    fingerprint: str
    """Of the task as it is written now: the approval is for no other."""


class TaskFacts(Frozen):
    """Of a task that is to be stopped or removed."""

    id: str
    name: str
    state: TaskState
    experiments: int


class Deleted(Frozen):
    id: str
    name: str
    experiments: int
    note: str = "Deleted with its experiments, logs and files."


async def _start_preview(context: Context, task: str) -> StartPreview:
    found = await context.tuner.task(task)
    plan = await context.tuner.summary(found.spec)
    done = len(await context.tuner.experiments(found.id))
    return StartPreview(
        id=found.id,
        name=found.spec.task_name,
        state=found.state,
        experiments_done=done or None,
        plan=planned(plan),
        worker=await _workers(context, found),
        fingerprint=taskfile.digest(found.spec)[:16],
    )


async def _facts(context: Context, task: str) -> TaskFacts:
    found = await context.tuner.task(task)
    experiments = await context.tuner.experiments(found.id)
    return TaskFacts(id=found.id, name=found.spec.task_name, state=found.state, experiments=len(experiments))


@tool(preview=_start_preview)
async def start_task(runtime: Runtime, task: Ref) -> Started:
    """Queue a task: a worker launches its engine again and again, for minutes to days, and takes the GPUs it needs.

    Use it when the user wants the task to run now. It answers at once; do not wait for the end by calling sleep again
    and again: this conversation is told when the task ends. get_task has the progress meanwhile.
    """
    return await _queued(runtime.context, await runtime.context.tuner.start(task))


@tool(preview=_start_preview)
async def resume_task(runtime: Runtime, task: Ref) -> Started:
    """Go on with a task that failed, was cancelled, or whose worker died. Finished experiments are kept, the
    interrupted one runs again. Costs and answers like start_task.
    """
    return await _queued(runtime.context, await runtime.context.tuner.resume(task))


@tool(preview=_facts)
async def cancel_task(runtime: Runtime, task: Ref) -> Started:
    """Stop a task that waits or runs. Its engine is stopped; finished experiments are kept, and resume_task goes on.

    Waits for the end, a minute at most.
    """
    tuner = runtime.context.tuner
    found = await tuner.task(task)
    try:
        async with asyncio.timeout(CANCEL_S):
            ended = await tuner.cancel(found.id)
    except TimeoutError:
        ended = await tuner.task(found.id)
    note = "It has ended." if ended.state.ended else f"Still stopping after {CANCEL_S} s; get_task tells when it ends."
    return Started(id=ended.id, name=ended.spec.task_name, state=ended.state, note=note)


@tool(preview=_facts)
async def delete_task(runtime: Runtime, task: Ref) -> Deleted:
    """Remove a task with its experiments, logs and files, for good. A running one must be cancelled first."""
    facts = await _facts(runtime.context, task)
    await runtime.context.tuner.delete(facts.id)
    return Deleted(id=facts.id, name=facts.name, experiments=facts.experiments)


async def _queued(context: Context, task: Task) -> Started:
    await context.started(task.id)
    return Started(id=task.id, name=task.spec.task_name, state=task.state, note=await _workers(context, task))


async def _workers(context: Context, task: Task) -> str:
    """Who will run it, in a sentence."""
    living = [one for one in await context.tuner.workers() if alive(one)]
    own = context.supervisor is not None and context.supervisor.status().alive
    if not living and not own:
        how = "restart_worker starts one" if context.supervisor is not None else "`autotuner worker` starts one"
        return f"No worker is alive here, so the task waits in the queue until there is one: {how}."
    busy = [one.task_id for one in living if one.task_id is not None and one.task_id != task.id]
    if task.state is not TaskState.RUNNING and living and len(busy) == len(living):
        return f"Every worker is busy (with {', '.join(busy[:5])}); the task waits its turn."
    return "A worker takes it up at once."


ACT = (start_task, cancel_task, resume_task, delete_task)
