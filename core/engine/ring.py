"""Hits ahead of every CPU, in rings: filled from its host's flat arrays. Compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import compiled
from core.engine.state import State


@compiled
def fill(
    s: State,
    counts: NDArray[np.int64],
    probe: NDArray[np.int32],
    private_ps: NDArray[np.int64],
) -> None:
    """Append `counts[i]` hits to CPU i's ring; `probe` and `private_ps` hold them CPU after CPU."""
    last = s.probe.shape[1] - 1
    hit = 0
    for index in range(s.cpus.size):
        cpu = s.cpus[index]
        for slot in range(cpu.filled, cpu.filled + counts[index]):
            s.probe[index, slot & last] = probe[hit]
            s.private_ps[index, slot & last] = private_ps[hit]
            hit += 1
        cpu.filled += counts[index]
