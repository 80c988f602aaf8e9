"""The CPUs' time by name: private work, or an operation of the path on a line at a distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.outcome import PRIVATE_WORK, Share

if TYPE_CHECKING:
    from core.engine.program import Program

PRIVATE, SAME_CORE, SAME_CACHE, OTHER_CACHE, OTHER_SOCKET, BLOCKED, ASLEEP, STALLED = range(8)
"""Columns of `State.spent`: private work before an operation, then the operation by distance, then
waiting for whoever holds the lock it takes, having nothing to do, being kept from it."""

DISTANCES = (
    "",
    "same core",
    "same cache",
    "other cache",
    "other socket",
    "blocked",
    "asleep",
    "stalled",
)


def shares(program: Program, spent: NDArray[np.int64]) -> tuple[Share, ...]:
    """`spent`, shape (operations, 8), by name; what took no time is left out.

    Steps of a tree walk, one operation each, are put together.
    """
    total: dict[tuple[str, str, str, str], int] = {}
    total["", PRIVATE_WORK, "", ""] = int(spent[:, PRIVATE].sum())
    for row, (function, operation, line) in zip(spent, program.names, strict=True):
        for column in range(SAME_CORE, len(DISTANCES)):
            if ps := int(row[column]):
                key = (function, operation, line, DISTANCES[column])
                total[key] = total.get(key, 0) + ps
    return tuple(Share(*key, ps) for key, ps in total.items())
