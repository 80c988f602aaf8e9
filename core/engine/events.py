"""The next event of every port, as a winner tree: earliest first, ties to the lower port."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import inlined

NEVER = 2**62


class Events(NamedTuple):
    """A binary tree in arrays of shape (2 * ports rounded up to a power of two,).

    Leaf `ports + p` holds port p and its next event in ps (NEVER: none); an inner node holds the
    earlier of its children, so node 1 is the next event of all.
    """

    time: NDArray[np.int64]
    port: NDArray[np.int64]


def no_events(ports: int) -> Events:
    """A tree for `ports` ports, nothing scheduled."""
    leaves = 1 << max(ports - 1, 1).bit_length()
    port = np.zeros(2 * leaves, dtype=np.int64)
    port[leaves:] = np.arange(leaves)
    for node in range(leaves - 1, 0, -1):
        port[node] = port[2 * node]
    return Events(np.full(2 * leaves, NEVER, dtype=np.int64), port)


@inlined
def schedule(events: Events, port: int, time: int) -> None:
    """Set port's next event to `time` (NEVER: none)."""
    node = np.uint64(port + (events.time.size >> 1))
    events.time[node] = time
    while node > 1:
        other = node ^ np.uint64(1)
        challenger = events.time[other]
        wins = challenger < time or (challenger == time and other < node)
        time = challenger if wins else time
        port = events.port[other] if wins else port
        node >>= np.uint64(1)
        events.time[node] = time
        events.port[node] = port
