"""Which of the kernel's shared words sit on one cache line, and how lines are numbered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from core.kernel.operation import AnyLine, Line, OwnLine

NOWHERE = -1

BESIDE = ("default", "true", "false")
"""The axis `owner_beside_count`: as the release has it, or one way or the other in all."""


def process_of_cpus(cpus: int, processes: int) -> NDArray[np.int64]:
    """The process that each CPU runs a thread of, shape (cpus,): blocks of neighbours.

    Raises ValueError for more processes than CPUs: one would have no thread.
    """
    if processes > cpus:
        raise ValueError(f"{processes} processes on {cpus} CPUs: allowed are 1 to {cpus}")
    return np.arange(cpus) * processes // cpus


@dataclass(frozen=True)
class Layout:
    """Lines of `processes` processes that all have the same `probes` probes mapped.

    The copies of a line are numbered one after the other, by process or by probe.
    `owner_beside_count`: whether `mmap_lock.owner` shares the line of `mmap_lock.count`, as in the
    releases whose `struct mm_struct` has the lock anywhere but at the end of a line. The owner is
    8 bytes behind the count and `mm_lock_seq` 56 or 64, so that exactly where the owner is apart
    the sequence is on its line. Locks' debugging, which makes them longer, is not modelled. `own`
    are lines that a design brings along; they come after the kernel's.
    """

    probes: int
    processes: int = 1
    owner_beside_count: bool = True
    own: tuple[OwnLine, ...] = ()

    def home(self, line: AnyLine) -> AnyLine:
        """The one that names the cache line which `line` is on: itself, if it is alone there."""
        if line is Line.MMAP_OWNER and self.owner_beside_count:
            return Line.MMAP_COUNT
        if line is Line.MMAP_SEQ and not self.owner_beside_count:
            return Line.MMAP_OWNER
        return line

    @property
    def lines(self) -> int:
        """Number of cache lines."""
        return sum(map(self._copies, self._all))

    def first(self, line: AnyLine) -> int:
        """Number of `line` as a hit of probe 0 in process 0 sees it."""
        return self._first[self.home(line)]

    def step(self, line: AnyLine) -> int:
        """What to add to a number of `line` to get the next probe's one; 0: they share it."""
        return int(self.home(line).per_probe)

    def line_ids(self, line: AnyLine) -> NDArray[np.int32]:
        """Number of `line` as a hit of each probe in process 0 sees it, shape (probes,)."""
        probe = np.arange(self.probes, dtype=np.int32)
        return probe * np.int32(self.step(line)) + np.int32(self.first(line))

    def stride(self, line: AnyLine) -> int:
        """What to add to a number of `line` to get the next process' one; 0: they share it."""
        return int(line.per_process)

    @property
    def of_probes(self) -> list[int]:
        """First numbers of the lines that every probe has one of, ascending."""
        return [self.first(line) for line in self._all if line.per_probe]

    @cached_property
    def _first(self) -> dict[AnyLine, int]:
        ends = accumulate(map(self._copies, self._all), initial=0)
        return dict(zip(self._all, ends, strict=False))

    @property
    def _all(self) -> tuple[AnyLine, ...]:
        return (*Line, *self.own)

    def _copies(self, line: AnyLine) -> int:
        if line.per_probe:
            return self.probes
        return self.processes if line.per_process else 1

    @property
    def depth(self) -> int:
        """Ancestors that a probe has in the tree, at most. It is taken as perfectly balanced."""
        return max(self.probes.bit_length() - 1, 0)
