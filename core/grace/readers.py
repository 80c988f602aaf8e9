"""What a grace-period engine may read of the CPUs. Who simulates them has to answer this."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


class SrcuReaders(Protocol):
    """Per-CPU counters of one srcu_struct, as of the engine's `env.now`.

    A reader that enters uses the engine's `srcu_idx` of the moment in which it loads it.
    """

    def counters(self) -> tuple[Counts, Counts]:
        """(locks, unlocks), each of shape (2, cpus): how many so far, by index and CPU.

        The caller keeps no reference to them and changes nothing.
        """
        ...


class TraceReaders(Protocol):
    """The task on each CPU, as of the engine's `env.now`. All of shape (cpus,)."""

    def nesting(self) -> Counts:
        """Above 0 inside a section, 0 outside, -1 in the middle of the outermost unlock."""
        ...

    def sections(self) -> Counts:
        """A serial number of the section that the task is in, or was in last."""
        ...

    def running(self) -> Flags:
        """False where the task does not run: something else, the idle task, has its CPU."""
        ...
