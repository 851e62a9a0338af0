"""`autotuner validate`: check a task file and show the plan."""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from tuner.cli.opened import with_tuner
from tuner.errors import InvalidSpecError
from tuner.runner.plan import Plan, PlanSummary
from tuner.runner.plans import Plans
from tuner.settings import Settings
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the plan, or the problems, as JSON.")
def validate(file: Path, as_json: bool) -> None:
    """Check the task in FILE and show what it would do.

    Exits with 0 if it can run as written, with 2 and every problem if not.
    """
    try:
        summary = summarized(planned(taskfile.load(file), settings := Settings(), file, Plans()), settings)
    except InvalidSpecError as error:
        if not as_json:
            raise
        problems = [{"line": p.line, "where": p.where, "message": p.message} for p in error.problems]
        click.echo(json.dumps({"valid": False, "problems": problems}, indent=2))
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({"valid": True, "plan": summary.model_dump(mode="json")}, indent=2))
    else:
        show_plan(summary, Console())


def planned(spec: TaskSpec, settings: Settings, file: Path, plans: Plans) -> Plan:
    """What the task would do here. Raises InvalidSpecError with every problem and its line in the file."""
    try:
        return asyncio.run(plans.find(spec, settings))
    except InvalidSpecError as error:
        raise taskfile.located(error, file) from error


def summarized(plan: Plan, settings: Settings) -> PlanSummary:
    """The plan with the noise of past tasks; without a data folder there are none."""
    return plan.summary(with_tuner(lambda tuner: tuner.noise(plan)) if settings.home.is_dir() else None)


def show_plan(summary: PlanSummary, console: Console) -> None:
    """A plan in a few lines."""
    engine = f"{summary.engine} {summary.engine_version or ''}".strip()
    of = f" of {summary.valid}" if summary.valid is not None and summary.valid != summary.candidates else ""
    parts = [
        *(["the baseline"] if summary.baseline else []),
        f"{summary.candidates}{of} candidate{'s' if summary.candidates != 1 or of else ''}",
        *([f"{summary.confirmations} confirmations at most"] if summary.confirmations else []),
    ]
    write = partial(console.print, markup=False, soft_wrap=True)  # commands stay whole, and `[…]` in them is theirs
    write(f"Task {summary.task_name}: {engine}, at most {summary.experiments} experiments ({', '.join(parts)})")
    write(f"  load levels: {', '.join(summary.levels)}")
    if summary.confirmations:
        write(f"  at the end: {summary.confirming}")
    write(f"  GPUs: {summary.gpus or 'none'}; at most {_duration(summary.at_most_s)}")
    for slo in summary.slos:
        write(f"  must hold: {slo}")
    for skipped in summary.skipped:
        write(f"  skipped {skipped.count}: {skipped.reason}")
    for command in summary.commands[:1]:
        write(f"  first: {command}")
    for warning in summary.warnings:
        write(f"  warning: {warning}")
    for missing in summary.missing:
        write(f"  missing: {missing}")


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{max(1, rest // 60)} min"
