"""`autotuner recompute`: every figure of a report again, from the raw files."""

import sys

import click

from tuner.analysis.formatting import number
from tuner.cli.opened import with_tuner
from tuner.runner.recompute import Difference, Recomputed

SHOWN = 20


@click.command()
@click.argument("task")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def recompute(task: str, as_json: bool) -> None:
    """Compute every figure of TASK's report again from the requests it recorded. Exit code 1: they do not agree."""
    made = with_tuner(lambda tuner: tuner.recompute(task))
    click.echo(made.model_dump_json(indent=2) if as_json else "\n".join(_lines(made)))
    sys.exit(not made.agrees)


def _lines(made: Recomputed) -> list[str]:
    counted = f"{made.figures:,} figures from {made.requests:,} requests in {made.levels:,} load levels"
    lines = [f"Left out: {one}" for one in made.left_out[:SHOWN]]
    lines += [_line(one) for one in made.differences[:SHOWN]]
    hidden = max(0, len(made.left_out) - SHOWN) + max(0, len(made.differences) - SHOWN)
    if hidden:
        lines.append(f"… and {hidden:,} more (--json shows all)")
    if made.differences:
        lines.append(f"{counted}: {len(made.differences):,} differ from what was kept.")
    elif made.left_out:
        lines.append(f"{counted}: those agree; {len(made.left_out):,} levels could not be computed again.")
    else:
        lines.append(f"{counted}: all agree with what was kept.")
    return lines


def _line(one: Difference) -> str:
    kept, again = ("none" if value is None else number(value) for value in (one.kept, one.again))
    return f"{one.where}: {one.figure} was kept as {kept}, computed again it is {again}."
