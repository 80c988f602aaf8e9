"""Which of the kernel's shared words sit on one cache line, and how lines are numbered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.kernel.operation import Line

NOWHERE = -1

FIXED = tuple(line for line in Line if not line.per_probe)
"""The lines of which there is one, numbered first."""


@dataclass(frozen=True)
class Layout:
    """Lines of one process and `probes` probes.

    `owner_beside_count`: whether `mmap_lock.owner` shares the line of `mmap_lock.count`; it depends
    on the kernel configuration (see the comment at `mmap_lock` in include/linux/mm_types.h).
    """

    probes: int
    owner_beside_count: bool = False

    @property
    def lines(self) -> int:
        """Number of cache lines."""
        return len(FIXED) + 2 * self.probes

    def line_ids(self, line: Line) -> NDArray[np.int32]:
        """Number of `line` as seen by a hit of each probe, shape (probes,)."""
        probe = np.arange(self.probes, dtype=np.int32)
        if line is Line.UPROBE:
            return len(FIXED) + probe
        if line is Line.EVENT:
            return len(FIXED) + self.probes + probe
        if line is Line.MMAP_OWNER and self.owner_beside_count:
            line = Line.MMAP_COUNT
        return np.full(self.probes, FIXED.index(line), dtype=np.int32)

    def ancestor_ids(self) -> NDArray[np.int32]:
        """Lines that a tree walk reads before it reaches each probe, shape (depth, probes).

        The tree is taken as perfectly balanced; NOWHERE fills the walk of probes near the root.
        """
        depth = max(self.probes.bit_length() - 1, 0)
        walk = np.full((depth, self.probes), NOWHERE, dtype=np.int32)
        uprobe = self.line_ids(Line.UPROBE)
        low = np.zeros(self.probes, dtype=np.int64)
        high = np.full(self.probes, self.probes - 1, dtype=np.int64)
        probe = np.arange(self.probes, dtype=np.int64)
        for level in range(depth):
            middle = (low + high) // 2
            passing = (middle != probe) & (low <= high)
            walk[level, passing] = uprobe[middle[passing]]
            low = np.where(passing & (probe > middle), middle + 1, low)
            high = np.where(passing & (probe < middle), middle - 1, high)
            high = np.where(passing, high, low - 1)
        return walk
