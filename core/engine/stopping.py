"""When a cell has been simulated for long enough: its mean is known as well as was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from core.arrays import IntArray

LEVEL = 0.95
"""Of the interval whose half-width is held against the precision."""

TICKS = 40
"""A sample is looked at in so many pieces."""

BATCHES = (64, 32, 16, 8)
"""How many batches a series is cut into: the most of which no two neighbours are alike."""

UNLIKELY = 1.0
"""Standard errors above 0 from which on neighbours are taken for alike: chance gives that one time
in six, and then batches are longer than they had to be."""

GROWTH = 1.25
"""From one look at the half-width to the next: looked at too often, one is narrow by chance."""


def half_width(series: IntArray) -> float:
    """Half the interval of the mean of a stationary `series`, shape (n,), as a share of the mean.

    By batch means (Law & Kelton, Simulation Modeling and Analysis): means of long enough batches
    are as good as independent, which the correlation of each with the next has to bear out.
    1, nothing is known, where no number of BATCHES does; and no better than to one hit of all.
    """
    from scipy.special import stdtrit  # What has no precision need not wait for scipy.

    for batches in BATCHES:
        length = len(series) // batches
        if length == 0:
            continue
        means = series[len(series) - batches * length :].reshape(batches, length).mean(axis=1)
        apart = means - means.mean()
        squares = float(apart @ apart)
        if squares == 0 or float(apart[1:] @ apart[:-1]) / squares <= UNLIKELY / sqrt(batches):
            error = sqrt(squares / (batches - 1) / batches)
            half = float(stdtrit(batches - 1, (1 + LEVEL) / 2)) * error
            known = max(half / max(float(means.mean()), 1e-9), 1 / max(int(series.sum()), 1))
            return min(1.0, known)
    return 1.0


def looks(samples: int, precision: float | None) -> Iterator[int]:
    """After how many samples to look whether to go on; `samples` is the last, or the only one."""
    at = 2
    while precision is not None and at < samples:
        yield at
        at = max(at + 1, int(at * GROWTH))
    yield samples
