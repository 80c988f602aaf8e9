"""What a group's interconnect actor does: it plays cells, whose CPUs live in the CPU actors."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError

from core.arrays import IntArray
from core.cell import Cell, CellResult
from core.engine.cpu import CpuConfigs
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

    def start(self, configs: CpuConfigs, wanted: IntArray) -> Hits:
        """Become the CPUs of a new cell, and produce the first `wanted[i]` hits of CPU i.

        Actors that the cell has no CPUs for stay out of it.
        """
        starts = range(0, configs.cpus, self._cpus_per_actor)
        shares = [configs.part(start, start + self._cpus_per_actor) for start in starts]
        self._sizes = [share.cpus for share in shares]
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

    def __init__(self) -> None:
        leave_working_dir()

    def start(self, actors: Sequence[Any], cpus_per_actor: int, cell: Cell) -> None:
        """Return when what simulating `cell` needs is compiled, and its CPU actors are up.

        Cells after it wait for those that they need: to start many takes long.
        """
        self._actors, self._cpus_per_actor, self._up = actors, cpus_per_actor, 0
        self._cpus = RemoteCpus(actors, cpus_per_actor)
        self._threads = RemoteThreads(partial(call_each, actors, ThreadGroup), cpus_per_actor)
        warm(cell)
        self._wait_for_actors(cell)

    def simulate(
        self, cells: Sequence[Cell], seconds: float
    ) -> list[tuple[CellResult | None, str | None]]:
        """What becomes of `cells`: a result each, or the traceback of a failure.

        None is begun after so many seconds; those that were are the first. An actor's death
        surfaces as ray.exceptions.RayError.
        """
        give_up = time.monotonic() + seconds
        made: list[tuple[CellResult | None, str | None]] = []
        for cell in cells:
            if made and time.monotonic() > give_up:
                break
            self._wait_for_actors(cell)
            made.append(self._attempt(cell))
        return made

    def _attempt(self, cell: Cell) -> tuple[CellResult | None, str | None]:
        """Threads of a cell with writers are asked ten thousand times and more; so they live in
        this process, unless there are CPUs of them to be spread over several actors."""
        spread = cell.cpus and len(self._actors) > 1
        try:
            return predict(cell, self._cpus, self._threads if spread else None), None
        except RayError:
            raise
        except Exception:
            return None, traceback.format_exc()

    def _wait_for_actors(self, cell: Cell) -> None:
        needed = math.ceil(cell.cpus / self._cpus_per_actor)
        if needed > self._up:
            ray.get([actor.__ray_ready__.remote() for actor in self._actors[self._up : needed]])
            self._up = needed
