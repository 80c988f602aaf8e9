"""How sure a mean over replicates is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and where it may lie; `low` and `high` are None where one replicate says nothing."""

    mean: float
    low: float | None
    high: float | None


def of_mean(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Student's interval of the mean of `values`, one of each replicate, all drawn alike."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None)
    from scipy.stats import t

    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * error
    return Interval(mean, mean - half, mean + half)
