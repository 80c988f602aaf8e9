"""Readers whose sections are known beforehand, for tests and for engines looked at alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import simpy
from numpy.typing import NDArray

from core.grace.readers import Counts, Flags
from core.grace.sections import Sections


class _Starts:
    """How many moments of a kind each CPU has had before a time."""

    def __init__(self, cpus: int, cpu: NDArray[np.int64], times_ps: NDArray[np.int64]) -> None:
        self._span = int(times_ps.max(initial=0)) + 2
        self._keys = np.sort(cpu * self._span + times_ps)
        self._base = np.arange(cpus, dtype=np.int64) * self._span
        self._before = np.searchsorted(self._keys, self._base)

    def count(self, now_ps: int) -> Counts:
        keys = self._base + min(now_ps, self._span - 1)
        return np.searchsorted(self._keys, keys) - self._before


class SyntheticSrcuReaders:
    """SrcuReaders of given sections. What happens at a time counts after it."""

    def __init__(self, env: simpy.Environment, cpus: int, sections: Sections) -> None:
        self._env = env
        self._sections = sections
        self._by_begin = np.argsort(sections.begin_ps, kind="stable")
        self._by_end = np.argsort(sections.end_ps, kind="stable")
        self._begins_ps = sections.begin_ps[self._by_begin]
        self._ends_ps = sections.end_ps[self._by_end]
        self._locks = np.zeros((2, cpus), dtype=np.int64)
        self._unlocks = np.zeros((2, cpus), dtype=np.int64)
        self._begun = self._ended = 0
        self.flips_ps: Sequence[int] = ()

    def counters(self) -> tuple[Counts, Counts]:
        """As of now; `flips_ps`, the engine's, tells which index a section loaded."""
        now_ps = int(self._env.now)
        begun = int(np.searchsorted(self._begins_ps, now_ps))
        ended = int(np.searchsorted(self._ends_ps, now_ps))
        self._add(self._locks, self._by_begin[self._begun : begun], self._sections.cpu)
        self._add(self._unlocks, self._by_end[self._ended : ended], self._sections.left_on)
        self._begun, self._ended = begun, ended
        return self._locks, self._unlocks

    def _add(
        self, counts: Counts, which: NDArray[np.intp], cpu_of_section: NDArray[np.int64]
    ) -> None:
        flips = np.asarray(self.flips_ps, dtype=np.int64)
        index = np.searchsorted(flips, self._sections.loaded_ps[which], side="right") & 1
        places = index * counts.shape[1] + cpu_of_section[which]
        counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)


class SyntheticTraceReaders:
    """TraceReaders of given sections. What happens at a time counts after it.

    `away` are the times at which a CPU's task does not run, inside a section or not; after a
    section the nesting is -1 for `unlock_ps`, during which the next may not begin.
    """

    def __init__(
        self,
        env: simpy.Environment,
        cpus: int,
        sections: Sections,
        away: Sections | None = None,
        unlock_ps: int = 0,
    ) -> None:
        off = away or Sections.none()
        self._env = env
        self._begun = _Starts(cpus, sections.cpu, sections.begin_ps)
        self._ended = _Starts(cpus, sections.cpu, sections.end_ps)
        self._unlocked = _Starts(cpus, sections.cpu, sections.end_ps + unlock_ps)
        self._left = _Starts(cpus, off.cpu, off.begin_ps)
        self._back = _Starts(cpus, off.cpu, off.end_ps)

    def nesting(self) -> Counts:
        """1, 0 or -1."""
        now_ps = int(self._env.now)
        ended = self._ended.count(now_ps)
        return self._begun.count(now_ps) - ended - (ended - self._unlocked.count(now_ps))

    def sections(self) -> Counts:
        """How many have begun."""
        return self._begun.count(int(self._env.now))

    def running(self) -> Flags:
        """Where no interval of `away` is."""
        now_ps = int(self._env.now)
        running: Flags = self._left.count(now_ps) == self._back.count(now_ps)
        return running
