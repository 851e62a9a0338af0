"""Tasks before they run: planned, written down, changed. Nothing here takes a GPU or any time."""

from typing import Annotated

from pydantic import Field, JsonValue

from tools.arguments import LooseTask, PresetNames, Ref, TaskBlock, block
from tools.context import Runtime
from tools.errors import InvalidArgumentsError
from tools.tool import tool
from tuner.analysis.formatting import duration
from tuner.domain import Task, TaskState
from tuner.engines.presets import merge
from tuner.errors import Problem
from tuner.runner.plan import PlanSummary
from tuner.service import Tuner
from tuner.spec import taskfile
from tuner.spec.presets import Preset
from tuner.spec.problems import WHOLE
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen

MOST_TEXT = 400
"""Characters of a warning or a reason in an answer."""


class TaskPlan(Frozen):
    """What a task would do here."""

    engine: str
    engine_version: str | None = None
    experiments: int
    """At most: baseline, candidates and confirmations."""
    baseline: bool
    candidates: int
    valid: int | None = None
    """Candidates in the space; none where they are too many to count."""
    confirmations: int
    """At most."""
    confirming: str = ""
    """How many confirmations it takes about, and which gain could be shown at which noise."""
    levels: tuple[str, ...]
    """Load levels of each experiment."""
    gpus: int
    """The most that one experiment takes."""
    at_most: str
    """If every experiment took its whole time limit."""
    skipped: tuple[str, ...] = ()
    commands: tuple[str, ...]
    """The first few, whole."""
    slos: tuple[str, ...] = ()
    """What must hold, each with its unit. Say it to the user: a threshold in milliseconds would show here."""
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What must be there before it can run here, and how to get it."""


class Draft(Frozen):
    """A task as it was written down."""

    id: str
    name: str
    state: TaskState
    plan: TaskPlan
    next: str = "Nothing runs before start_task."


@tool
async def plan_task(
    runtime: Runtime,
    task: Annotated[
        LooseTask | Ref,
        Field(union_mode="left_to_right", description="A task written as for create_task, or the id or name of one."),
    ],
    presets: PresetNames = (),
) -> TaskPlan:
    """What a task would do on this machine, without writing anything down: how many experiments, which load levels,
    GPUs, the longest it can take, the first commands, what is skipped, what is missing here.

    Use it to check an idea or to tell the user the cost before start_task. Costs nothing. A task that cannot run
    answers with every problem and its place.
    """
    tuner = runtime.context.tuner
    if isinstance(task, dict):
        spec = await _spec(tuner, task, presets)
    elif presets:
        problem = "a task that is written down has its presets in it; leave this out, or write the task itself"
        raise InvalidArgumentsError("plan_task", [Problem(problem, "presets")])
    else:
        spec = (await tuner.task(task)).spec
    return planned(await tuner.summary(spec))


@tool
async def create_task(runtime: Runtime, task: TaskBlock, presets: PresetNames = ()) -> Draft:
    """Write a tuning task down as a draft and check it completely. Nothing runs yet: start_task does that, and asks.

    Use it when the user wants something tuned. Costs nothing. The answer has the task's id and its plan; what is wrong
    with the task is answered as a list of places and reasons: mend all of them and call again.
    """
    tuner = runtime.context.tuner
    return await _draft(tuner, await tuner.create(await _spec(tuner, task, presets)))


@tool
async def update_task(
    runtime: Runtime,
    task: Ref,
    changes: Annotated[
        dict[str, JsonValue],
        block(
            "What becomes different, written as for create_task: blocks are merged, lists and values replaced, and "
            'null takes a key away. {"optimization": {"max_iterations": 10}} changes nothing else.'
        ),
    ],
) -> Draft:
    """Change a draft. One that was started cannot be changed any more: create another task.

    Costs nothing. Answers like create_task.
    """
    tuner = runtime.context.tuner
    found = await tuner.task(task)
    draft = Preset(name="draft", task=found.spec.model_dump(mode="json", exclude_unset=True))
    return await _draft(tuner, await tuner.update(found.id, taskfile.validate(_without_null(merge([draft], changes)))))


def planned(plan: PlanSummary) -> TaskPlan:
    return TaskPlan(
        **{name: getattr(plan, name) for name in TaskPlan.model_fields.keys() & PlanSummary.model_fields.keys()}
        | {
            "at_most": duration(plan.at_most_s),
            "confirming": plan.confirming,
            "skipped": tuple(f"{one.count:,}: {one.reason}"[:MOST_TEXT] for one in plan.skipped[:10]),
            "levels": _cut(plan.levels, 20),
            "warnings": tuple(one[:MOST_TEXT] for one in plan.warnings[:10]),
        }
    )


async def _spec(tuner: Tuner, task: dict[str, JsonValue], presets: tuple[str, ...]) -> TaskSpec:
    """Raises:
    InvalidSpecError: with every problem.
    """
    return taskfile.validate(await tuner.merged(presets, task) if presets else task)


async def _draft(tuner: Tuner, task: Task) -> Draft:
    plan = planned(await tuner.summary(task.spec))
    return Draft(id=task.id, name=task.spec.task_name, state=task.state, plan=plan)


def _without_null(task: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A flag that is null is taken away; a block drops its own keys that are null."""
    made = dict(task)
    for name in WHOLE:
        if isinstance(domains := made.get(name), dict):
            made[name] = {flag: domain for flag, domain in domains.items() if domain is not None}
    return made


def _cut(texts: tuple[str, ...], most: int) -> tuple[str, ...]:
    return texts if len(texts) <= most else (*texts[:most], f"and {len(texts) - most:,} more")


READ = (plan_task,)
WRITE = (create_task, update_task)
