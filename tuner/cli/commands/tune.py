"""`autotuner tune`: from a task file to a proven configuration, in the foreground."""

import asyncio
import errno
import os
import signal
from contextlib import suppress
from pathlib import Path

import click
from rich.console import Console

from tuner.cli.commands.validate import planned, show_plan, summarized
from tuner.cli.progress import Progress, show
from tuner.domain import ExperimentState, TaskState
from tuner.errors import ConflictError, NotFoundError, StorageError, TunerError, UnavailableError
from tuner.machine import processes
from tuner.report.formats import FORMATS
from tuner.runner.plan import PlanSummary
from tuner.runner.plans import Plans
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.names import named
from tuner.spec.task import TaskSpec
from tuner.spec.values import seconds

CANCELLED = 130
LAST_WORD_S = 2.0
"""After a second Ctrl-C: time to write down that the task is cancelled."""


class Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(seconds(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mode", type=click.Choice(list(named("deployment mode")())), help="Where engines run; overrides the file."
)
@click.option("--model-path", type=click.Path(path_type=Path), help="The model's folder, or the folder that holds it.")
@click.option("--max-experiments", type=click.IntRange(min=1), help="Baseline and candidates together, at most.")
@click.option("--budget", type=Duration(), help="Time for the search: 90m, 2h, 1d.")
@click.option("--resume", is_flag=True, help="Go on with the newest unfinished task of this name, if there is one.")
@click.option("--yes", is_flag=True, help="Do not ask before starting.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON at the end.")
@click.option("-v", "--verbose", is_flag=True, help="Print what engine and load generator print.")
def tune(
    file: Path,
    mode: str | None,
    model_path: Path | None,
    max_experiments: int | None,
    budget: float | None,
    resume: bool,
    yes: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Tune the model as the task in FILE says, and report the configuration that is proven better.

    Ctrl-C cancels; `autotuner resume` goes on from there.
    """
    spec = overridden(taskfile.load(file), mode, model_path, max_experiments, budget)
    settings, plans = Settings(), Plans()
    unfinished = asyncio.run(_unfinished(settings, spec)) if resume else None
    if unfinished is None:
        _agree(summarized(planned(spec, settings, file, plans), settings), Console(stderr=as_json), ask=not yes)

    async def go() -> int:
        async with Tuner.open(settings, plans) as tuner:
            task = await (
                tuner.start((await tuner.create(spec)).id) if unfinished is None else tuner.resume(unfinished)
            )
            return await run_task(tuner, task.id, as_json=as_json, verbose=verbose)

    raise SystemExit(asyncio.run(go()))


def _agree(plan: PlanSummary, console: Console, *, ask: bool) -> None:
    """Shows the plan, and asks on a terminal. Outside of any event loop, which would keep Ctrl-C from the question."""
    show_plan(plan, console)
    if plan.missing:
        raise UnavailableError("This task cannot run here yet:\n" + "\n".join(plan.missing))
    if ask and console.is_terminal:
        click.confirm("Start?", default=True, abort=True)


def overridden(
    spec: TaskSpec, mode: str | None, model_path: Path | None, max_experiments: int | None, budget: float | None
) -> TaskSpec:
    """The task with the command line's options in place of the file's."""
    changes: dict[str, object] = {}
    if mode is not None:
        changes["deployment_mode"] = mode
    if model_path is not None:
        inside = model_path / spec.model.id_or_path
        changes["model"] = {**spec.model.model_dump(), "id_or_path": str(inside if inside.is_dir() else model_path)}
    limits = {"max_experiments": max_experiments, "max_time": budget}
    given = {name: value for name, value in limits.items() if value is not None}
    if given:
        changes["budget"] = {**spec.budget.model_dump(), **given}
    return taskfile.validate({**spec.model_dump(mode="json"), **changes}) if changes else spec


async def _unfinished(settings: Settings, spec: TaskSpec) -> str | None:
    """The newest task of this name, unless it is complete."""
    async with Tuner.open(settings) as tuner:
        try:
            task = await tuner.task(spec.task_name)
        except NotFoundError:
            return None
    return None if task.state is TaskState.COMPLETED else task.id


async def run_task(tuner: Tuner, task_id: str, *, as_json: bool, verbose: bool) -> int:
    """Runs a queued task with progress, reports, and gives the exit code."""
    console = Terminal(stderr=as_json)
    _cancel_on_signal(tuner, task_id, console)
    plan = await tuner.plan((await tuner.task(task_id)).spec)
    progress = Progress(plan.summary().expected, plan.objectives[0])
    showing = asyncio.create_task(_show(tuner, task_id, progress, console, verbose=verbose))
    try:
        ended = await tuner.run(task_id)
        await showing
    except ConflictError:
        ended = await tuner.task(task_id)
        if ended.state is not TaskState.CANCELLED:  # else that was before it began to run
            raise
    except StorageError as error:
        raise StorageError(f"{error} Then go on with: autotuner resume {task_id}") from error
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)  # it reads the store, which closes after this
    if ended.state is TaskState.FAILED:
        raise TunerError(f"Task {task_id} failed: {ended.error}")
    result = await tuner.result(task_id)
    click.echo(FORMATS["json" if as_json else "table"].render(result))
    if ended.state is TaskState.CANCELLED:
        console.print(f"Go on with: autotuner resume {task_id}", highlight=False, soft_wrap=True)
        return CANCELLED
    return 0 if any(row.state is ExperimentState.COMPLETED for row in result.experiments) else 1


async def _show(tuner: Tuner, task_id: str, progress: Progress, console: Console, *, verbose: bool) -> None:
    try:
        console.print(
            f"Task {task_id} runs; from elsewhere: autotuner cancel {task_id}", highlight=False, soft_wrap=True
        )
        await show(tuner, task_id, progress, console, verbose=verbose)
    except OSError:
        # Nobody reads the output any more: as when the terminal is closed, the run is cancelled and can be resumed.
        with suppress(TunerError):
            await tuner.request_cancel(task_id)
        raise


class Terminal(Console):
    """Where a run is shown. Once it is gone, whoever prints learns of it; Rich would end the process on the spot."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _cancel_on_signal(tuner: Tuner, task_id: str, console: Console) -> None:
    """The first signal cancels as another process would; the second kills what runs, so that it is over at once."""
    asked: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    async def cancel() -> None:
        with suppress(OSError):  # a terminal that was closed
            console.print("Cancelling; once more to stop at once.")
        try:
            await tuner.request_cancel(task_id)
        except ConflictError:
            pass  # it has just ended
        except StorageError as error:
            console.print(f"Not cancelled: {error}", highlight=False)

    def on_signal() -> None:
        if asked:
            processes.end_owned(tuner.settings.processes)
            loop.call_later(LAST_WORD_S, os._exit, CANCELLED)
        else:
            asked.append(asyncio.create_task(cancel()))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
