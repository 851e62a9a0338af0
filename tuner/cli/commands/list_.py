"""`autotuner list`: the tasks, newest first."""

import json
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner.analysis.formatting import percent
from tuner.cli.opened import with_tuner
from tuner.domain import TaskState, TaskSummary

COLOURS = {
    TaskState.RUNNING: "cyan",
    TaskState.COMPLETED: "green",
    TaskState.FAILED: "red",
    TaskState.CANCELLED: "yellow",
}
PIPE_WIDTH = 160


@click.command("list")
@click.option("--state", type=click.Choice([state.value for state in TaskState]), help="Only tasks in this state.")
@click.option("--search", metavar="TEXT", help="Only tasks whose name or model holds this text.")
@click.option("--engine", metavar="NAME", help="Only tasks of this engine.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: total and tasks.")
def list_command(state: str | None, search: str | None, engine: str | None, limit: int, as_json: bool) -> None:
    """List tasks, newest first."""
    wanted = TaskState(state) if state else None
    tasks, total = with_tuner(lambda tuner: tuner.tasks(state=wanted, text=search, engine=engine, limit=limit))
    if as_json:
        listed = [task.model_dump(mode="json") for task in tasks]
        click.echo(json.dumps({"total": total, "tasks": listed}, indent=2))
    elif not tasks:
        click.echo("No task fits." if state or search or engine else "No tasks yet. Start one: autotuner tune FILE")
    else:
        _print(tasks, total)


def _print(tasks: list[TaskSummary], total: int) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("id", "name", "state", "engine", "model", "experiments", "gain", "created"):
        table.add_column(name, justify="right" if name in ("experiments", "gain") else "left", overflow="fold")
    for task in tasks:
        failed = f" ({task.failed} failed)" if task.failed else ""
        table.add_row(
            *map(Text, (task.id, task.name)),
            Text(task.state, style=COLOURS.get(task.state, "")),
            *map(Text, (task.engine, task.model, f"{task.completed + task.failed}{failed}")),
            Text("" if task.gain is None else percent(task.gain, signed=True)),
            Text(_local(task.created_at)),
        )
    console.print(table)
    if total > len(tasks):
        console.print(f"… and {total - len(tasks):,} more: --limit, --state and --search choose.", highlight=False)


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
