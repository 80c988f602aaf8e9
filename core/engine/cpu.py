"""One simulated CPU: its random stream, its hits ahead (bound), its counters (count)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.spread import Spread, draw_probes


@dataclass(frozen=True)
class CpuConfig:
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


def stream(key: tuple[int, int], number: int) -> np.random.Philox:
    """Stream `number` of a cell; 2^192 draws lie between two of them."""
    # As plain integers numpy would take a key above 2^63 for a float.
    words = np.array(key, dtype=np.uint64)
    return np.random.Philox(key=words, counter=np.array([0, 0, 0, number], dtype=np.uint64))


class Cpu:
    """One CPU. Its stream is keyed by (seed, cell, CPU), so who hosts it makes no difference."""

    def __init__(self, config: CpuConfig) -> None:
        self._config = config
        self._random = np.random.Generator(stream(config.key, config.cpu))
        self._stagger = True
        self.hits_per_sample: IntArray = np.zeros(config.samples, dtype=np.int64)

    def bound(self, hits: int) -> tuple[NDArray[np.int32], IntArray]:
        """Probe and first private stretch (ps) of the next `hits` hits, shape (hits,) each."""
        c = self._config
        random = self._random
        probe = draw_probes(random, c.spread, c.cpu, c.probes, hits)
        if c.exponential:
            private = random.exponential(c.entry_ps, hits)
        else:
            private = c.entry_ps + c.jitter_ps * (2 * random.random(hits) - 1)
        if self._stagger and hits:
            private[0] += random.random() * c.entry_ps
            self._stagger = False
        return probe, private.astype(np.int64)

    def count(self, done_ps: IntArray) -> None:
        """Count hits that completed at `done_ps` into their samples."""
        c = self._config
        sample = (done_ps - c.warmup_ps) // c.sample_ps
        inside = sample[(sample >= 0) & (sample < c.samples)]
        self.hits_per_sample += np.bincount(inside, minlength=c.samples)
