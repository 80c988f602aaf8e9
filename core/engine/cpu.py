"""Simulated CPUs: their random streams, their hits ahead (bound), their counters (count)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.spread import Spread, draw_probes


class CpuConfig(NamedTuple):
    """What one CPU knows of its cell.

    `key` is (seed, cell identity), two unsigned 64-bit words; `entry_ps` the mean length of a hit's
    first stretch of private work, uniform within `jitter_ps` of it; `exponential` draws it from an
    exponential distribution instead, as queueing theory likes it.
    Samples are `samples` windows of `sample_ps` from `warmup_ps` on.
    """

    cpu: int
    key: tuple[int, int]
    probes: int
    spread: Spread
    entry_ps: int
    jitter_ps: int
    warmup_ps: int
    sample_ps: int
    samples: int
    exponential: bool = False


class _Key(ISeedSequence):
    """A key as it is: to give it to Philox as one takes four times as long, for entropy."""

    def __init__(self, key: tuple[int, int]) -> None:
        # As plain integers numpy would take a key above 2^63 for a float.
        self._words = np.array(key, dtype=np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[np.uint64]:
        """The two words of the key, which is what Philox asks for."""
        return self._words


def stream(key: tuple[int, int], number: int) -> np.random.Philox:
    """Stream `number` of a cell; 2^192 draws lie between two of them."""
    words: Any = _Key(key)  # Philox takes any ISeedSequence; its type hints know only numpy's own.
    return np.random.Philox(words, counter=np.array([0, 0, 0, number], dtype=np.uint64))


class Cpus:
    """Some CPUs of a cell, one at least, each of its CpuConfig; those agree but for cpu and times.

    Each has a stream keyed by (seed, cell, CPU), so who hosts it makes no difference.
    """

    def __init__(self, configs: Sequence[CpuConfig]) -> None:
        self._configs = configs
        self._random = [np.random.Generator(stream(c.key, c.cpu)) for c in configs]
        self._staggered = np.zeros(len(configs), dtype=np.bool_)
        self.hits_per_sample: IntArray = np.zeros((len(configs), configs[0].samples), np.int64)

    def bound(self, wanted: IntArray) -> tuple[NDArray[np.int32], IntArray]:
        """Probe and first private stretch (ps) of the next `wanted[i]` hits of CPU i, in order.

        Both of shape (wanted.sum(),).
        """
        ends = np.cumsum(wanted)
        probe = np.empty(ends[-1], dtype=np.int32)
        private = np.empty(ends[-1])
        stagger = np.zeros(len(wanted))
        for index, (c, random) in enumerate(zip(self._configs, self._random, strict=True)):
            mine = slice(ends[index] - wanted[index], ends[index])
            probe[mine] = draw_probes(random, c.spread, c.cpu, c.probes, wanted[index])
            if c.exponential:
                private[mine] = random.exponential(c.entry_ps, wanted[index])
            else:
                random.random(out=private[mine])
            if not self._staggered[index] and wanted[index]:
                stagger[index] = random.random()
        entry = np.array([c.entry_ps for c in self._configs])
        if not self._configs[0].exponential:
            private *= 2
            private -= 1
            private *= np.repeat([c.jitter_ps for c in self._configs], wanted)
            private += np.repeat(entry, wanted)
        begins = wanted > 0
        private[(ends - wanted)[begins]] += (stagger * entry)[begins]
        self._staggered |= begins
        return probe, private.astype(np.int64)

    def count(self, counts: IntArray, done_ps: IntArray) -> None:
        """Count hits that completed at `done_ps`, `counts[i]` of CPU i, into their samples."""
        c = self._configs[0]
        sample = (done_ps - c.warmup_ps) // c.sample_ps
        inside = (sample >= 0) & (sample < c.samples)
        row = np.repeat(np.arange(len(counts)) * c.samples, counts)
        hits = np.bincount((row + sample)[inside], minlength=self.hits_per_sample.size)
        self.hits_per_sample += hits.reshape(self.hits_per_sample.shape)
