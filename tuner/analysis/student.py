"""Student's t distribution, for whole degrees of freedom. Pure."""

import math
from functools import lru_cache
from statistics import NormalDist

MANY = 200
"""Degrees of freedom from which the normal distribution with two terms of correction is near enough: three digits."""


def cdf(t: float, df: int) -> float:
    """The probability of a value below `t`: the finite series in Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(df))
    cosine, odd = math.cos(angle), df % 2
    total, term = 0.0, cosine if odd else 1.0
    for step in range(1, df // 2 + 1):
        total += term
        term *= cosine**2 * (2 * step / (2 * step + 1) if odd else (2 * step - 1) / (2 * step))
    within = 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
    return 0.5 + within / 2


@lru_cache(maxsize=4096)
def quantile(probability: float, df: int) -> float:
    """The value that is exceeded with 1 − `probability`, from 0.5 to below 1, with at least one degree of freedom."""
    if df > MANY:
        z = NormalDist().inv_cdf(probability)
        return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
    low, high = 0.0, 1.0
    while cdf(high, df) < probability:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if cdf(middle, df) < probability else (low, middle)
    return high
