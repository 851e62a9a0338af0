"""`autotuner show`: a task, or one of its experiments, with all that was recorded."""

import json
import shlex
from collections.abc import Iterator
from datetime import datetime

import click

from tuner.analysis import notes, result
from tuner.analysis.formatting import duration, number, percent
from tuner.cli.opened import with_tuner
from tuner.domain import Experiment, LoadPoint, Task
from tuner.errors import NotFoundError
from tuner.report import rows
from tuner.report.formats import FORMATS
from tuner.service import Tuner
from tuner.spec import taskfile


@click.command()
@click.argument("task")
@click.option("--experiment", "wanted", type=click.IntRange(0), metavar="N", help="Only this experiment, in full.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(task: str, wanted: int | None, as_json: bool) -> None:
    """Show TASK (its id, the start of it, or its name) and its experiments."""

    async def read(tuner: Tuner) -> tuple[Task, list[Experiment]]:
        found = await tuner.task(task)
        return found, await tuner.experiments(found.id)

    found, experiments = with_tuner(read)
    if wanted is not None:
        one = _experiment(found, experiments, wanted)
        click.echo(one.model_dump_json(indent=2) if as_json else "\n".join(_details(one)))
    elif as_json:
        data = {
            "task": found.model_dump(mode="json"),
            "experiments": [one.model_dump(mode="json") for one in experiments],
        }
        click.echo(json.dumps(data, indent=2))
    else:
        click.echo("\n".join(_lines(found)))
        click.echo(FORMATS["table"].render(result.result(found, experiments)))


def _experiment(task: Task, experiments: list[Experiment], wanted: int) -> Experiment:
    for one in experiments:
        if one.number == wanted:
            return one
    there = f"has experiments 0 to {max(e.number for e in experiments)}" if experiments else "has no experiments yet"
    raise NotFoundError(f"No experiment {wanted} in task {task.id}, which {there}.")


def _lines(task: Task) -> list[str]:
    lines = [f"id       {task.id}", f"state    {task.state}"]
    if task.error:
        lines.append(f"error    {task.error}")
    for name, moment in (("created", task.created_at), ("started", task.started_at), ("ended", task.finished_at)):
        if moment is not None:
            lines.append(f"{name:<8} {_local(moment)}")
    return [*lines, "", *taskfile.dump(task.spec).rstrip().splitlines(), ""]


def _details(one: Experiment) -> list[str]:
    lines = [
        f"experiment {one.number}: {one.role}{'' if one.confirms is None else f' of {one.confirms}'}, {one.state}",
        f"parameters  {rows.told_apart(one.params, list(one.params.flat))}",
        f"started     {_local(one.started_at)}, attempt {one.attempt}",
    ]
    if one.start_s is not None:
        lines.append(f"ready after {duration(one.start_s)}")
    if one.gpu_ids:
        lines.append(f"GPUs        {', '.join(one.gpu_ids)}")
    if one.command:
        lines.append(f"command     {shlex.join(one.command)}")
    lines += [f"env         {name}={value}" for name, value in one.env.items()]
    if one.failure is not None:
        lines += [
            f"failed      {one.failure.kind}: {one.failure.message}",
            *(f"  {line}" for line in one.failure.lines),
        ]
    return [*lines, *(line for point in one.points for line in (f"  {_level(point)}", *_beside(point)))]


def _level(point: LoadPoint) -> str:
    if not point.valid:
        return f"{point.name}: {point.failure}: {point.error}"
    times = [
        f"{name} {duration(stats.mean)} (p90 {duration(stats.p90)})"
        for name, stats in (("TTFT", point.ttft), ("TPOT", point.tpot), ("latency", point.e2e_latency))
        if stats is not None
    ]
    failed = f", {point.failed} failed" if point.failed else ""
    head = f"{number(point.output_tokens_per_s)} output tokens/s"
    return f"{point.name}: {', '.join((head, *times))}, {point.requests} requests{failed}"


def _beside(point: LoadPoint) -> Iterator[str]:
    """What is known of a level beside its metrics."""
    if not point.valid:
        return
    if (cold := point.cold) is not None and cold.ttft is not None:
        first = f"first {cold.requests} requests, not measured"
        yield f"    {first}: TTFT {duration(cold.ttft.mean)} (p90 {duration(cold.ttft.p90)})"
    if (generator := point.generator) is not None:
        busy = f"{percent(generator.busy)} busy, late by {duration(generator.lag_s)} (p90)"
        yield f"    load generator {generator.name}: {busy}"
    yield from (f"    to know: {text}" for text in notes.of_level(point))


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
