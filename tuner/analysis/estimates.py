"""Means of repeated measurements with their standard errors, and the spread from run to run. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.analysis import student

ROUNDS_DIFFER = 3.0
"""F of the rounds from which they are taken out of the spread, as where a machine drifts; below, their degrees of
freedom are worth more than what they explain."""


@dataclass(frozen=True, slots=True)
class Estimate:
    mean: float
    error: float
    """Standard error of the mean."""
    df: int

    def low(self, tail: float) -> float:
        """Below it the truth is with probability `tail`."""
        return self.mean - student.quantile(1 - tail, self.df) * self.error

    def high(self, tail: float) -> float:
        return self.mean + student.quantile(1 - tail, self.df) * self.error

    def reaches(self, errors: float) -> bool:
        """The mean is at least so many standard errors."""
        return self.mean >= errors * self.error


Row = tuple[int, int, float]
"""Which configuration, in which round, and the value."""


def estimate(values: Sequence[float], variance: float, df: int) -> Estimate | None:
    """None: nothing was measured, or nothing twice."""
    if not values or df < 1:
        return None
    return Estimate(math.fsum(values) / len(values), math.sqrt(variance / len(values)), df)


def within(rows: Sequence[Row]) -> tuple[float, int]:
    """Variance of a single measurement around the mean of its configuration, and its degrees of freedom."""
    groups: dict[int, list[float]] = {}
    for which, _, value in rows:
        groups.setdefault(which, []).append(value)
    df = len(rows) - len(groups)
    if df < 1:
        return 0.0, 0
    means = {which: math.fsum(values) / len(values) for which, values in groups.items()}
    return math.fsum((value - means[which]) ** 2 for which, _, value in rows) / df, df


def spread(rows: Sequence[Row]) -> tuple[float, int]:
    """`within`, without what all configurations of a round have in common where the rounds clearly differ."""
    variance, df = within(rows)
    residual, left = _without_rounds(rows)
    if left < 1:
        return variance, df
    of_rounds = (variance * df - residual * left) / (df - left)
    return (residual, left) if of_rounds > ROUNDS_DIFFER * residual else (variance, df)


def _without_rounds(rows: Sequence[Row]) -> tuple[float, int]:
    """Residual variance of values = configuration + round, by least squares: not every one is in every round."""
    which = {one: index for index, one in enumerate(dict.fromkeys(row[0] for row in rows))}
    rounds = {one: index for index, one in enumerate(dict.fromkeys(row[1] for row in rows))}
    columns = len(which) + len(rounds) - 1
    df = len(rows) - columns
    if df < 1 or len(rounds) < 2:
        return 0.0, 0
    design = np.zeros((len(rows), len(which) + len(rounds)))
    for index, (one, number, _) in enumerate(rows):
        design[index, which[one]] = design[index, len(which) + rounds[number]] = 1
    values = np.array([value for _, _, value in rows])
    fitted, *_ = np.linalg.lstsq(design[:, :columns], values, rcond=None)
    return float(np.sum((values - design[:, :columns] @ fitted) ** 2)) / df, df
