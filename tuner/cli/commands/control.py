"""`autotuner cancel`, `resume`, `delete`: what is done to a task that exists."""

import click

from tuner.cli.commands.tune import run_task
from tuner.cli.opened import with_tuner
from tuner.service import Tuner


@click.command()
@click.argument("task")
def cancel(task: str) -> None:
    """Stop TASK, its engine included. Finished experiments stay; `resume` goes on."""
    cancelled = with_tuner(lambda tuner: tuner.cancel(task))
    click.echo(f"Task {cancelled.id} is cancelled.")


@click.command()
@click.argument("task")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON at the end.")
@click.option("-v", "--verbose", is_flag=True, help="Print what engine and load generator print.")
def resume(task: str, as_json: bool, verbose: bool) -> None:
    """Go on with TASK where it stopped. Finished experiments are kept, the interrupted one runs again."""

    async def run(tuner: Tuner) -> int:
        resumed = await tuner.resume(task)
        return await run_task(tuner, resumed.id, as_json=as_json, verbose=verbose)

    raise SystemExit(with_tuner(run))


@click.command()
@click.argument("task")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(task: str, yes: bool) -> None:
    """Remove TASK, its experiments, events, logs and measurements. They cannot be brought back."""

    async def remove(tuner: Tuner) -> str:
        found = await tuner.task(task)
        if not yes:
            click.confirm(f"Delete task {found.id} ({found.spec.task_name}) with all it measured?", abort=True)
        await tuner.delete(found.id)
        return found.id

    click.echo(f"Task {with_tuner(remove)} is deleted.")
