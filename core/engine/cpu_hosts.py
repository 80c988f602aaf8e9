"""CPU hosts: the simulated CPUs of one cell, wherever they live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.cpu import CpuConfigs, Cpus


class Hits(NamedTuple):
    """Hits that CPUs are about to make, CPU after CPU.

    `counts` has shape (cpus,); `probe` and `private_ps` have shape (counts.sum(),): which probe
    each hit finds and how long its first stretch of private work lasts.
    """

    counts: IntArray
    probe: NDArray[np.int32]
    private_ps: IntArray


class Served(NamedTuple):
    """What the weave made of one window, CPU after CPU.

    `counts` has shape (cpus,); `done_ps`, shape (counts.sum(),), is when each hit completed.
    """

    counts: IntArray
    done_ps: IntArray


class CpuHosts(Protocol):
    """What the simulation needs of its CPUs. One call a window, whatever they are made of."""

    def start(self, configs: CpuConfigs, wanted: IntArray) -> Hits:
        """Become the CPUs of a new cell, and produce the first `wanted[i]` hits of CPU i."""

    def exchange(self, served: Served, wanted: IntArray) -> Hits:
        """Count what the last window served, then produce `wanted[i]` further hits for CPU i."""

    def finish(self, served: Served) -> IntArray:
        """Count the last window; hits completed in each sample, shape (cpus, samples)."""


class CpuGroup:
    """CPUs that live in this process: all of a cell, or one actor's share."""

    _cpus: Cpus

    def start(self, configs: CpuConfigs, wanted: IntArray) -> Hits:
        """Become the CPUs of a new cell, and produce the first `wanted[i]` hits of CPU i."""
        self._cpus = Cpus(configs)
        return Hits(wanted, *self._cpus.bound(wanted))

    def exchange(self, served: Served, wanted: IntArray) -> Hits:
        """Count what the last window served, then produce `wanted[i]` further hits for CPU i."""
        self._cpus.count(*served)
        return Hits(wanted, *self._cpus.bound(wanted))

    def finish(self, served: Served) -> IntArray:
        """Count the last window; hits completed in each sample, shape (cpus, samples)."""
        self._cpus.count(*served)
        return self._cpus.hits_per_sample


def merge_hits(parts: Sequence[Hits]) -> Hits:
    """The hits of several groups put together, in the groups' order."""
    return Hits(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def split_served(served: Served, sizes: Sequence[int]) -> list[Served]:
    """`served` cut into groups of `sizes` CPUs each."""
    cuts = np.cumsum(sizes)[:-1]
    counts = np.split(served.counts, cuts)
    ends = np.cumsum([c.sum() for c in counts])[:-1]
    return [Served(c, d) for c, d in zip(counts, np.split(served.done_ps, ends), strict=True)]
