"""Where the busy CPUs of a machine sit: core, cache, socket, sibling and clock of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.arrays import IntArray
from core.machine.machine import Machine, Turbo
from core.machine.numbering import Numbering, numbered


@dataclass(frozen=True)
class Placement:
    """The first N CPUs of a machine, all busy. Every array has shape (cpus,).

    `core`, `cache` (the last-level one) and `socket` are global indices; `sibling` is the busy CPU
    on the same core or -1; `ps_per_cycle` is the period of the core's clock in picoseconds.
    """

    core: IntArray
    cache: IntArray
    socket: IntArray
    sibling: IntArray
    ps_per_cycle: IntArray

    def __len__(self) -> int:
        return len(self.core)


def place(machine: Machine, cpus: int) -> Placement:
    """CPUs 0..cpus-1 of `machine`, as `bench -a` pins its producers.

    Raises ValueError when the machine has fewer CPUs.
    """
    if not 1 <= cpus <= machine.cpus:
        raise ValueError(f"{machine.name} has {machine.cpus} CPUs, not {cpus}")
    return _placed(
        machine.numbering,
        machine.sockets,
        machine.cores_per_socket,
        machine.cores_per_cache,
        machine.threads_per_core,
        machine.other_busy_cores,
        machine.turbo,
        cpus,
    )


@lru_cache(maxsize=16)
def _placed(
    numbering: Numbering,
    sockets: int,
    cores: int,
    cores_per_cache: int,
    threads: int,
    other_busy: int,
    turbo: tuple[Turbo, ...],
    cpus: int,
) -> Placement:
    """`place`, which the members of an ensemble share; `cores` are those of a socket."""
    whole = numbered(numbering, sockets, cores, cores_per_cache, threads)
    core, cache, socket = (level[:cpus] for level in whole[:3])
    cpu_on = np.full((sockets * cores, 2), -1, dtype=np.int64)
    cpu_on[core, whole.thread[:cpus]] = np.arange(cpus)
    sibling = cpu_on[core, 1 - whole.thread[:cpus]]
    busy = np.bincount(np.unique(core) // cores, minlength=sockets)
    period = np.array([_period_ps(turbo, int(n) + other_busy) for n in busy], dtype=np.int64)
    return Placement(core, cache, socket, sibling, period[socket])


def clock_period_ps(machine: Machine, active_cores: int) -> int:
    """Clock period of a socket's cores, in ps, with `active_cores` of them busy."""
    return _period_ps(machine.turbo, active_cores)


def _period_ps(turbo: tuple[Turbo, ...], active_cores: int) -> int:
    for step in turbo:
        if active_cores <= step.active_cores:
            return round(1000 / step.ghz)
    return round(1000 / turbo[-1].ghz)
