"""Every figure of a report again, from the requests as they were recorded."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tuner.analysis.result import Result, result
from tuner.benchmarks import requests
from tuner.benchmarks.statistics import summarize
from tuner.domain import Experiment, LoadPoint, Task
from tuner.errors import BenchmarkError
from tuner.spec.objectives import SLO
from tuner.spec.values import Frozen

TOLERANCE = 1e-9
"""Relative: what the order of a sum can change."""
MEASURED_BESIDE = {"machine"}
"""Parts of a load point that are not about its requests."""


class Difference(Frozen):
    where: str
    """`experiment 3, D(100,100) × 8`, or `report`."""
    figure: str
    """`ttft.p90`, as the report's JSON names it."""
    kept: float | None
    again: float | None


class Recomputed(Frozen):
    task_id: str
    figures: int
    """Compared, those of the report included."""
    levels: int
    """Computed again from their requests."""
    requests: int
    """Of those levels."""
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]
    """Levels that could not be computed again, each with the reason."""

    @property
    def agrees(self) -> bool:
        """Everything could be computed again, and came out the same."""
        return not self.differences and not self.left_out


def recompute(task: Task, experiments: Sequence[Experiment], folder: Path) -> Recomputed:
    """Computes every load level from its file of requests, and from those the whole report, and compares.

    Args:
        folder: the task's run folder.
    """
    slos = task.spec.slo.bounds if task.spec.slo else ()
    differences: list[Difference] = []
    left_out: list[str] = []
    figures = levels = sent = 0
    fresh: list[Experiment] = []
    for one in experiments:
        points = []
        for point in one.points:
            where, again = f"experiment {one.number}, {point.name}", _again(point, slos, folder)
            if isinstance(again, str):
                left_out.append(f"{where}: {again}")
            elif again is not None:
                levels, sent, figures = levels + 1, sent + again.sent, figures + len(_figures(point))
                differences += _compared(where, _figures(point), _figures(again))
            points.append(again if isinstance(again, LoadPoint) else point)
        fresh.append(one.model_copy(update={"points": tuple(points)}))
    kept, again_report = (_report(result(task, which)) for which in (experiments, fresh))
    differences += _compared("report", kept, again_report)
    return Recomputed(
        task_id=task.id,
        figures=figures + len(kept),
        levels=levels,
        requests=sent,
        differences=tuple(differences),
        left_out=tuple(left_out),
    )


def _again(point: LoadPoint, slos: Sequence[SLO], folder: Path) -> LoadPoint | str | None:
    """From its requests; None where it sent none; why it cannot be computed, in a sentence."""
    if point.raw is None:
        return "its requests were not kept." if point.requests else None
    try:
        level, sent = requests.read(folder / point.raw)
    except BenchmarkError as error:
        return str(error)
    if level is None:
        return "an older version measured it, which kept too little of its requests."
    return summarize(point.scenario, point.concurrency, level, sent, slos, rate=point.rate, raw=point.raw)


def _report(made: Result) -> dict[str, float | None]:
    """The figures that a report makes of its load levels."""
    return dict(_leaves(made.model_dump(mode="json", exclude={"experiments", "spec", "slos", "objectives", "notes"})))


def _figures(point: LoadPoint) -> dict[str, float | None]:
    return dict(_leaves(point.model_dump(mode="json", exclude=MEASURED_BESIDE)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, float | None]]:
    """Numbers, and where there could be some and is none, by their dotted names."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield name, value


def _compared(where: str, kept: dict[str, float | None], again: dict[str, float | None]) -> Iterator[Difference]:
    for name in dict.fromkeys([*kept, *again]):
        one, other = kept.get(name), again.get(name)
        same = one == other or (
            one is not None and other is not None and math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        )
        if not same:
            yield Difference(where=where, figure=name, kept=one, again=other)
