"""What the interconnect leaves to chance: how long a way is, who comes again first. Compiled."""

from __future__ import annotations

import numpy as np

from core.engine.compiled import inlined
from core.engine.state import SCALE, SHIFT, State


@inlined
def drawn(s: State) -> int:
    """A number of 0 to SCALE - 1, each as likely (Marsaglia's xorshift, J. Stat. Soft. 8, 2003)."""
    x = np.uint64(s.totals[0].random)
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.totals[0].random = np.int64(x)
    return int(np.int64(x >> np.uint64(64 - SHIFT)))


@inlined
def varied(s: State, cost: int, spread: int) -> int:
    """A cost, spread evenly around its mean."""
    return int(cost + (cost * spread * (drawn(s) - SCALE // 2) * 2 >> 2 * SHIFT))
