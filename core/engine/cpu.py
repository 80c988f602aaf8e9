"""Simulated CPUs: their random streams, their hits ahead (bound), their counters (count)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.spread import Spread, draw_probes, is_drawn, only_probe
from core.engine.streams import BLOCK, Streams, draws, stream

FIRST_HITS = 256
"""Hits every CPU is asked for at first; how far into its first it is drawn right after these."""

MANY, FIRST_OF_MANY = 128, 8
"""From so many CPUs on each is asked for fewer: in a short cell it gets no further."""


class CpuConfigs(NamedTuple):
    """What some CPUs of a cell, `first` and on, know of it.

    `key` is (seed, cell identity), two unsigned 64-bit words; `entry_ps`, shape (cpus,), the mean
    length of a hit's first stretch of private work, uniform within `jitter_ps`, of the same shape,
    of it; `exponential` draws it from an exponential distribution instead, as queueing theory
    likes it. Samples are `samples` windows of `sample_ps` from `warmup_ps` on.
    """

    key: tuple[int, int]
    probes: int
    spread: Spread
    entry_ps: IntArray
    jitter_ps: IntArray
    warmup_ps: int
    sample_ps: int
    samples: int
    exponential: bool = False
    first: int = 0

    @property
    def cpus(self) -> int:
        """How many there are."""
        return len(self.entry_ps)

    @property
    def draws_one(self) -> bool:
        """Whether a hit takes one draw: for who draws probes too it matters how many are asked."""
        return not (is_drawn(self.spread) or self.exponential)

    def part(self, begin: int, end: int) -> CpuConfigs:
        """Of those of them from `begin` on, before `end`."""
        entry, jitter = self.entry_ps[begin:end], self.jitter_ps[begin:end]
        return self._replace(first=self.first + begin, entry_ps=entry, jitter_ps=jitter)


Draws = tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]
"""Probe and draw of each hit, shape (hits,), and how late a CPU begins, shape (cpus,)."""


def first_hits(configs: CpuConfigs) -> int:
    """Hits that every CPU of a cell is asked for at first."""
    return FIRST_OF_MANY if configs.cpus >= MANY and configs.draws_one else FIRST_HITS


class Cpus:
    """Some CPUs of a cell, one at least.

    Each has a stream keyed by (seed, cell, CPU), so who hosts it makes no difference.
    """

    def __init__(self, configs: CpuConfigs) -> None:
        self._configs = configs
        self._numbers = np.arange(configs.first, configs.first + configs.cpus)
        self._bound = np.zeros(configs.cpus, dtype=np.int64)
        self._streams = Streams(configs.key)
        self._random = (
            []
            if configs.draws_one
            else [np.random.Generator(stream(configs.key, int(cpu))) for cpu in self._numbers]
        )
        self.hits_per_sample: IntArray = np.zeros((configs.cpus, configs.samples), np.int64)

    def bound(self, wanted: IntArray) -> tuple[NDArray[np.int32], IntArray]:
        """Probe and first private stretch (ps) of the next `wanted[i]` hits of CPU i, in order.

        Both of shape (wanted.sum(),).
        """
        begins = (self._bound == 0) & (wanted > 0)
        starts = np.cumsum(wanted) - wanted
        draw = self._draw_all if self._random else self._draw_work
        probe, private, stagger = draw(wanted, starts, begins)
        if not self._configs.exponential:
            private *= 2
            private -= 1
            private *= np.repeat(self._configs.jitter_ps, wanted)
            private += np.repeat(self._configs.entry_ps, wanted)
        private[starts[begins]] += (stagger * self._configs.entry_ps)[begins]
        self._bound += wanted
        return probe, private.astype(np.int64)

    def _draw_all(self, wanted: IntArray, starts: IntArray, begins: NDArray[np.bool_]) -> Draws:
        """For `bound`, from streams that are read on and on: what a hit takes of them varies."""
        c = self._configs
        probe, private = np.empty(wanted.sum(), dtype=np.int32), np.empty(wanted.sum())
        stagger = np.zeros(len(wanted))
        for index, random in enumerate(self._random):
            mine = slice(starts[index], starts[index] + wanted[index])
            cpu = int(self._numbers[index])
            probe[mine] = draw_probes(random, c.spread, cpu, c.probes, wanted[index])
            if c.exponential:
                private[mine] = random.exponential(c.entry_ps[index], wanted[index])
            else:
                random.random(out=private[mine])
            if begins[index]:
                stagger[index] = random.random()
        return probe, private, stagger

    def _draw_work(self, wanted: IntArray, starts: IntArray, begins: NDArray[np.bool_]) -> Draws:
        """For `bound`, where a hit takes one draw: of many CPUs the first few at once."""
        c = self._configs
        probe = np.repeat(only_probe(c.spread, self._numbers, c.probes), wanted)
        if len(wanted) >= MANY and wanted.max() <= FIRST_OF_MANY and begins.all():
            first = draws(c.key, self._numbers, 0, FIRST_OF_MANY // BLOCK)
            stagger = draws(c.key, self._numbers, FIRST_HITS // BLOCK, 1)[:, 0]
            return probe, first[np.arange(FIRST_OF_MANY) < wanted[:, None]], stagger
        private, stagger = np.empty(len(probe)), np.zeros(len(wanted))
        for index in np.flatnonzero(wanted):
            cpu, begin, hits = self._numbers[index], self._bound[index], wanted[index]
            out = private[starts[index] : starts[index] + hits]
            early = max(FIRST_HITS - begin, 0)
            if early:
                self._streams.read(cpu, begin, out[:early])
            if hits > early:
                self._streams.read(cpu, begin + early + 1, out[early:])
            if begins[index]:
                self._streams.read(cpu, FIRST_HITS, stagger[index : index + 1])
        return probe, private, stagger

    def count(self, counts: IntArray, done_ps: IntArray) -> None:
        """Count hits that completed at `done_ps`, `counts[i]` of CPU i, into their samples."""
        c = self._configs
        sample = (done_ps - c.warmup_ps) // c.sample_ps
        inside = (sample >= 0) & (sample < c.samples)
        row = np.repeat(np.arange(len(counts)) * c.samples, counts)
        hits = np.bincount((row + sample)[inside], minlength=self.hits_per_sample.size)
        self.hits_per_sample += hits.reshape(self.hits_per_sample.shape)
