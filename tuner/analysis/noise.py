"""Noise of measurements from run to run, pooled over tasks, and how a task's baseline moved while it ran. Pure."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from tuner.analysis import student
from tuner.analysis.formatting import duration, percent, statistic
from tuner.analysis.score import judged
from tuner.domain import Experiment, Role
from tuner.spec.objectives import Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Frozen

LEAST_REPEATED = 4
"""Measurements beyond the first of each configuration, without which no noise is told: fewer can be off by several
times."""
TAIL = 0.025
"""Of the interval of a drift, on each side."""


class Drift(Frozen):
    """How the baseline's value of the first objective moved from its first measurement to its last, by a straight line
    through the logarithms of all of them. Parts: 0.02 is 2 % more, whether or not that is better."""

    change: float
    low: float | None
    """Ends of Student's 95 % interval; None: two measurements, which have no spread."""
    high: float | None
    measurements: int
    span_s: float
    """From the first measurement to the last."""
    text: str
    """All of it in a sentence."""

    @property
    def shown(self) -> bool:
        """The interval does not hold 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def pooled(groups: Iterable[Sequence[float]]) -> float | None:
    """The spread of single measurements around the mean of their configuration, of logarithms: 0.1 is about 10 %.

    Each configuration counts by how often it was measured beyond the first time.

    Args:
        groups: the values of each configuration, above 0.

    Returns:
        None: too few were measured again (`LEAST_REPEATED`).
    """
    squares, repeated = 0.0, 0
    for values in groups:
        logs = [math.log(value) for value in values]
        squares += math.fsum((log - fmean(logs)) ** 2 for log in logs)
        repeated += max(0, len(logs) - 1)
    return math.sqrt(squares / repeated) if repeated >= LEAST_REPEATED else None


def of_past(objectives: Sequence[Objective], tasks: Iterable[tuple[TaskSpec, Sequence[Experiment]]]) -> float | None:
    """What these tasks show of the noise of these objectives; the largest of them, as all of them must be shown.

    Args:
        tasks: ended ones, each with its baseline, its confirmations, and what those confirm.

    Returns:
        None: one of the objectives was not measured again often enough.
    """
    seen = list(tasks)
    each = [pooled(group for spec, ran in seen for group in repeated(spec, one, ran)) for one in objectives]
    known = [noise for noise in each if noise is not None]
    return max(known) if known and len(known) == len(each) else None


def repeated(spec: TaskSpec, objective: Objective, experiments: Sequence[Experiment]) -> list[list[float]]:
    """The values of each configuration that was measured again, under an objective, which need not be the task's. Of a
    candidate without the measurement of the search: it was chosen for that one."""
    aimed = spec.optimization.model_copy(update={"objective": (objective,)})
    _, scored = judged(spec.model_copy(update={"optimization": aimed}), experiments)
    groups: dict[int, list[float]] = {}
    for one in scored:
        if one.role is not Role.CANDIDATE and one.scores and one.scores[0].value > 0:
            which = one.number if one.confirms is None else one.confirms
            groups.setdefault(which, []).append(one.scores[0].value)
    return list(groups.values())


def drift(objectives: Sequence[Objective], baseline: Experiment | None, again: Sequence[Experiment]) -> Drift | None:
    """None: there is no baseline that counts, or it was not measured again.

    Args:
        again: its confirmations. All must be scored by the objectives.
    """
    ran = [one for one in (baseline, *again) if one is not None and one.scores and one.scores[0].value > 0]
    ran.sort(key=lambda one: one.started_at)
    times = [(one.started_at - ran[0].started_at).total_seconds() for one in ran]
    if len(ran) < 2 or times[-1] <= 0:
        return None
    change, error = _moved(times, [math.log(one.scores[0].value) for one in ran])
    low = high = None
    if error is not None:
        reach = student.quantile(1 - TAIL, len(ran) - 2) * error
        low, high = math.expm1(change - reach), math.expm1(min(change + reach, 700.0))
    made = Drift(change=math.expm1(change), low=low, high=high, measurements=len(ran), span_s=times[-1], text="")
    return made.model_copy(update={"text": _text(made, objectives[0])})


def _moved(times: Sequence[float], values: Sequence[float]) -> tuple[float, float | None]:
    """By how much the line of least squares through the values rises from the first time to the last, and its standard
    error; None: two values."""
    middle, mean = fmean(times), fmean(values)
    spread = math.fsum((time - middle) ** 2 for time in times)
    slope = math.fsum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True)) / spread
    span, df = times[-1] - times[0], len(times) - 2
    if df < 1:
        return slope * span, None
    left = math.fsum((v - mean - slope * (t - middle)) ** 2 for t, v in zip(times, values, strict=True))
    return slope * span, span * math.sqrt(left / df / spread)


def _text(made: Drift, objective: Objective) -> str:
    what = f"the baseline's {statistic(objective.metric, objective.statistic)} changed by"
    change, over = percent(made.change, signed=True), duration(made.span_s)
    if made.low is None or made.high is None:
        return f"Between its two measurements, {over} apart, {what} {change}; two say nothing of drift."
    interval = f"{percent(made.low, signed=True)} to {percent(made.high, signed=True)}"
    head = "The machine drifted" if made.shown else "No drift shown"
    when = f"from the first to the last of {made.measurements} measurements, {over} apart"
    return f"{head}: {what} {change} ({interval}) {when}."
