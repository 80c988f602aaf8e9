"""What runs inside a gang's actors: groups of CPUs, and the interconnect that plays them.

A CPU actor is core's CpuGroup as it is, so that its process loads numpy and little else.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray

from core.engine.cell import Cell, CellResult
from core.engine.cpu import CpuConfig
from core.engine.gang import Hits, Served, merge_hits, split_served
from core.engine.predict import predict
from core.engine.simulate import warm

IntArray = NDArray[np.int64]


class ActorGang:
    """CPUs spread over `actors`, `cpus_per_actor` to each: one call to each actor a window.

    An actor's death surfaces as ray.exceptions.RayError, and is final.
    """

    def __init__(self, actors: Sequence[Any], cpus_per_actor: int) -> None:
        self._actors = actors
        self._cpus_per_actor = cpus_per_actor
        self._used: Sequence[Any] = ()
        self._sizes: list[int] = []

    def reset(self, configs: Sequence[CpuConfig]) -> None:
        """Become the CPUs of a new cell; actors that it has no CPUs for stay out of it."""
        ahead = iter(configs)
        shares = []
        while share := list(islice(ahead, self._cpus_per_actor)):
            shares.append(share)
        self._used = self._actors[: len(shares)]
        self._sizes = [len(share) for share in shares]
        calls = zip(self._used, shares, strict=True)
        ray.get([actor.reset.remote(share) for actor, share in calls])

    def exchange(self, served: Served | None, wanted: IntArray) -> Hits:
        """Fold what the last window served, then produce `wanted[i]` further hits for CPU i."""
        folds = split_served(served, self._sizes) if served else [None] * len(self._used)
        draws = np.split(wanted, np.cumsum(self._sizes)[:-1])
        calls = zip(self._used, folds, draws, strict=True)
        return merge_hits(ray.get([actor.exchange.remote(f, d) for actor, f, d in calls]))

    def samples(self) -> IntArray:
        """Hits completed in each sample, shape (cpus, samples)."""
        return np.concatenate(ray.get([actor.samples.remote() for actor in self._used]))


class InterconnectHost:
    """The actor that simulates: it has the shared lines, and asks the CPU actors for hits."""

    def __init__(self, actors: Sequence[Any], cpus_per_actor: int) -> None:
        self._actors = actors
        self._gang = ActorGang(actors, cpus_per_actor)

    def start(self, cell: Cell) -> None:
        """Return when every CPU actor is up and what simulating `cell` needs is compiled."""
        ready = [actor.__ray_ready__.remote() for actor in self._actors]
        warm(cell)
        ray.get(ready)

    def simulate(self, cell: Cell) -> CellResult:
        """Simulate `cell` on the gang."""
        return predict(cell, self._gang)
