"""Read sections as arrays: when each began and ended, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Sections:
    """All of shape (sections,), in any order; times in picoseconds.

    A section of `cpu` is from `begin_ps` until before `end_ps`. An SRCU reader loaded the index at
    `loaded_ps`, not after it began, and counts its unlock on `left_on`. The sections of one CPU do
    not overlap: nested ones are one.
    """

    cpu: Times
    begin_ps: Times
    end_ps: Times
    loaded_ps: Times
    left_on: Times

    @classmethod
    def of(
        cls,
        cpu: ArrayLike,
        begin_ps: ArrayLike,
        end_ps: ArrayLike,
        loaded_ps: ArrayLike | None = None,
        left_on: ArrayLike | None = None,
    ) -> Sections:
        """Of anything like arrays. By default the index is loaded at the begin, and nobody moves.

        Raises ValueError for a section that ends or loads at an impossible time, or for two of one
        CPU at a time.
        """
        given = (cpu, begin_ps, end_ps)
        cpus, begins, ends = (np.asarray(values, dtype=np.int64).ravel() for values in given)
        loaded = begins if loaded_ps is None else np.asarray(loaded_ps, dtype=np.int64).ravel()
        left = cpus if left_on is None else np.asarray(left_on, dtype=np.int64).ravel()
        if (ends <= begins).any() or (loaded > begins).any():
            raise ValueError("a section has to load its index, then begin, then end")
        order = np.lexsort((begins, cpus))
        same = np.diff(cpus[order]) == 0
        if (same & (begins[order][1:] < ends[order][:-1])).any():
            raise ValueError("two sections of one CPU overlap")
        return cls(cpus, begins, ends, loaded, left)

    @classmethod
    def none(cls) -> Sections:
        """Nobody ever enters."""
        return cls.of([], [], [])

    @classmethod
    def drawn(
        cls, cpus: int, mean_ps: float, per_second: float, until_ps: int, seed: int
    ) -> Sections:
        """Sections of exponential length, as far apart as gives so many a second on each CPU.

        They go on until `until_ps` or after; some CPUs are inside one at 0.

        Raises ValueError if they do not fit into their CPU's time.
        """
        if not per_second:
            return cls.none()
        gap_ps = 1e12 / per_second - mean_ps
        if not gap_ps > 0:
            raise ValueError("sections fill more than all of a CPU's time")
        rng = np.random.default_rng(seed)
        expected = until_ps / (mean_ps + gap_ps)
        # Six standard deviations more, so that they last.
        number = int(expected + 6 * expected**0.5) + 10
        lengths = rng.exponential(mean_ps, (cpus, number)).astype(np.int64) + 1
        gaps = rng.exponential(gap_ps, (cpus, number)).astype(np.int64) + 1
        gaps[rng.random(cpus) < mean_ps / (mean_ps + gap_ps), 0] = 0
        ends = np.cumsum(lengths + gaps, axis=1)
        where = np.repeat(np.arange(cpus), number)
        return cls.of(where, ends - lengths, ends)
