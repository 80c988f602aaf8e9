"""How sure a figure is: over replicates, or over the members of a machine's ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from core.predict import CONFIDENCE

LEVEL = 0.95
"""Of an interval over replicates; one over members has core.predict.CONFIDENCE."""


class Interval(NamedTuple):
    """A figure and where it may lie; `low` and `high` are None where one value says nothing."""

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


def of_members(values: Sequence[float]) -> Interval:
    """The 90 % interval of the first of `values` from what the members of an ensemble give.

    The members are the others, two at least; they are taken for normal around the first.
    """
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * float(np.std(values[1:], ddof=1))
    return Interval(values[0], values[0] - half, values[0] + half)
