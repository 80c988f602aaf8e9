"""What a group's interconnect actor does: it plays cells, whose CPUs live in the CPU actors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import ray

from core.arrays import IntArray
from core.cell import Cell, CellResult
from core.engine.cpu import CpuConfig
from core.engine.cpu_hosts import CpuGroup, Hits, Served, merge_hits, split_served
from core.predict import predict, warm
from core.stress.threads import RemoteThreads, ThreadGroup
from sweep.executors.cpu_actor import leave_working_dir


def call_each(
    actors: Sequence[Any], group: type, method: str, arguments: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Call `method` of the groups that the first actors host; see `sweep.executors.cpu_actor`.

    An actor's death surfaces as ray.exceptions.RayError, and is final.
    """
    calls = zip(actors, arguments, strict=False)
    return list(ray.get([actor.call.remote(group, method, *given) for actor, given in calls]))


class RemoteCpus:
    """CPUs spread over `actors`, `cpus_per_actor` to each: one call to each actor a window."""

    def __init__(self, actors: Sequence[Any], cpus_per_actor: int) -> None:
        self._each = partial(call_each, actors, CpuGroup)
        self._cpus_per_actor = cpus_per_actor
        self._sizes: list[int] = []

    def start(self, configs: Sequence[CpuConfig], wanted: IntArray) -> Hits:
        """Become the CPUs of a new cell, and produce the first `wanted[i]` hits of CPU i.

        Actors that the cell has no CPUs for stay out of it.
        """
        ahead = iter(configs)
        shares = []
        while share := list(islice(ahead, self._cpus_per_actor)):
            shares.append(share)
        self._sizes = [len(share) for share in shares]
        return merge_hits(self._each("start", self._rows(shares, self._split(wanted))))

    def exchange(self, served: Served, wanted: IntArray) -> Hits:
        """Count what the last window served, then produce `wanted[i]` further hits for CPU i."""
        shares = split_served(served, self._sizes)
        return merge_hits(self._each("exchange", self._rows(shares, self._split(wanted))))

    def finish(self, served: Served) -> IntArray:
        """Count the last window; hits completed in each sample, shape (cpus, samples)."""
        shares = split_served(served, self._sizes)
        return np.concatenate(self._each("finish", self._rows(shares)))

    def _split(self, wanted: IntArray) -> list[IntArray]:
        return np.split(wanted, np.cumsum(self._sizes)[:-1])

    @staticmethod
    def _rows(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
        """An actor's arguments in each row."""
        return list(zip(*columns, strict=True))


class InterconnectActor:
    """The actor that simulates: it has the shared lines, and asks the CPU actors for hits."""

    def __init__(self, actors: Sequence[Any], cpus_per_actor: int) -> None:
        leave_working_dir()
        self._actors = actors
        self._cpus = RemoteCpus(actors, cpus_per_actor)
        self._threads = RemoteThreads(partial(call_each, actors, ThreadGroup), cpus_per_actor)

    def start(self, cell: Cell) -> None:
        """Return when every CPU actor is up and what simulating `cell` needs is compiled."""
        ready = [actor.__ray_ready__.remote() for actor in self._actors]
        warm(cell)
        ray.get(ready)

    def simulate(self, cell: Cell) -> CellResult:
        """Simulate `cell` on the CPU actors.

        Threads of a cell with writers are asked ten thousand times and more; so they live in this
        process, unless there are CPUs of them to be spread over several actors.
        """
        spread = cell.cpus and len(self._actors) > 1
        return predict(cell, self._cpus, self._threads if spread else None)
