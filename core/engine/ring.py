"""Rings of every CPU, hits ahead and hits done, from and to its host's flat arrays. Compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import at, compiled
from core.engine.state import State


@compiled
def fill(
    s: State,
    counts: NDArray[np.int64],
    probe: NDArray[np.int32],
    private_ps: NDArray[np.int64],
) -> None:
    """Append `counts[i]` hits to CPU i's ring; `probe` and `private_ps` hold them CPU after CPU."""
    last = s.probe.shape[0] - 1
    hit = 0
    for index in range(s.cpus.size):
        cpu = s.cpus[at(index)]
        for slot in range(cpu.filled, cpu.filled + counts[index]):
            s.probe[at(slot & last), at(index)] = probe[hit]
            s.private_ps[at(slot & last), at(index)] = private_ps[hit]
            hit += 1
        cpu.filled += counts[index]


@compiled
def done(s: State, done_ps: NDArray[np.int64]) -> None:
    """Write when the hits of this window were completed, CPU after CPU."""
    hit = 0
    for index in range(s.cpus.size):
        for slot in range(s.cpus[at(index)].done):
            done_ps[hit] = s.done_ps[at(slot), at(index)]
            hit += 1
