"""Whether a design falls into one of two states, by how its CPUs start."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESOLUTION = 0.01
"""Standard deviation in the log that one state has at least: a start is simulated for a moment."""

EVIDENCE = 10.0
"""Of the difference in BIC: "very strong" (Kass & Raftery, J. Am. Stat. Assoc. 90, 1995)."""

FEWEST = 2
"""Starts in each state: a single one that stands apart is none."""


class States(NamedTuple):
    """Rates of two states, hits per second, and what share of the starts fell into the higher."""

    low: float
    high: float
    share: float


def two_states(rates: Sequence[float]) -> States | None:
    """The two states that `rates` of the same design fall into, one a start; None for one state
    or where a start has no hit.

    Two states, if two normal distributions of the log with one deviation, cut where they fit best,
    are likelier than one by EVIDENCE in the Bayesian information criterion: the likelihood of the
    classified starts, with two parameters more (the second mean, and how often). A normal sample
    cut in half is not: what is gained in deviation does not pay for saying which half a start is
    in. With 12 starts two halves have to be more than about 7 deviations apart.
    """
    count = len(rates)
    if count < 2 * FEWEST or not all(rates):
        return None
    logs = np.sort(np.log(rates))
    cuts = range(FEWEST, count - FEWEST + 1)
    best = min(cuts, key=lambda cut: _score(logs, cut))
    if _score(logs, 0) - _score(logs, best) <= EVIDENCE:
        return None
    low, high = (float(np.exp(part).mean()) for part in (logs[:best], logs[best:]))
    return States(low, high, 1 - best / count)


def _score(logs: NDArray[np.float64], cut: int) -> float:
    """BIC of the logs, shape (starts,), as two groups cut there, or as one: cut 0."""
    count = len(logs)
    parts = [logs[:cut], logs[cut:]] if cut else [logs]
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    deviation = max(sqrt(squares / count), RESOLUTION)
    assigned = sum(len(part) * log(count / len(part)) for part in parts)
    parameters = 2 * len(parts)
    misfit = squares / deviation**2 + 2 * count * log(deviation)
    return misfit + 2 * assigned + parameters * log(count)
