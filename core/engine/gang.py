"""A gang: the simulated CPUs of one cell, wherever they live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.engine.cpu import Cpu, CpuConfig

IntArray = NDArray[np.int64]


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


class Gang(Protocol):
    """What the simulation needs of its CPUs. One call a window, whatever the gang is made of."""

    def reset(self, configs: Sequence[CpuConfig]) -> None:
        """Become the CPUs of a new cell."""

    def exchange(self, served: Served | None, wanted: IntArray) -> Hits:
        """Fold what the last window served, then produce `wanted[i]` further hits for CPU i."""

    def samples(self) -> IntArray:
        """Hits completed in each sample, shape (cpus, samples)."""


class CpuGroup:
    """CPUs that live in this process: a whole gang, or one actor's share of it."""

    def __init__(self) -> None:
        self._cpus: list[Cpu] = []

    def reset(self, configs: Sequence[CpuConfig]) -> None:
        """Become the CPUs of a new cell."""
        self._cpus = [Cpu(config) for config in configs]

    def exchange(self, served: Served | None, wanted: IntArray) -> Hits:
        """Fold what the last window served, then produce `wanted[i]` further hits for CPU i."""
        if served is not None:
            ends = np.cumsum(served.counts)
            for cpu, end, count in zip(self._cpus, ends, served.counts, strict=True):
                cpu.fold(served.done_ps[end - count : end])
        drawn = [cpu.bound(int(n)) for cpu, n in zip(self._cpus, wanted, strict=True)]
        return Hits(
            wanted,
            np.concatenate([probe for probe, _ in drawn]),
            np.concatenate([private for _, private in drawn]),
        )

    def samples(self) -> IntArray:
        """Hits completed in each sample, shape (cpus, samples)."""
        return np.stack([cpu.hits_per_sample for cpu in self._cpus])


def merge_hits(parts: Sequence[Hits]) -> Hits:
    """The hits of several groups as those of one gang, in the groups' order."""
    return Hits(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def split_served(served: Served, sizes: Sequence[int]) -> list[Served]:
    """`served` cut into groups of `sizes` CPUs each."""
    cuts = np.cumsum(sizes)[:-1]
    counts = np.split(served.counts, cuts)
    ends = np.cumsum([c.sum() for c in counts])[:-1]
    return [Served(c, d) for c, d in zip(counts, np.split(served.done_ps, ends), strict=True)]
