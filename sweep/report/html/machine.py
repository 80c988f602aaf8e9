"""A machine drawn: sockets, last-level caches, cores and CPUs, and which of them a run used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.machine.machine import Machine
from core.machine.numbering import numbered

SIZE, GAP, PAD = 13, 3, 8
"""Sides of a CPU, between cores, and around a cache and a socket."""

ROW = 14
"""Cores beside each other in a cache that has more."""


@dataclass(frozen=True)
class Box:
    """A rectangle; a CPU has its number, and `step`: at which of the counts it is first used."""

    x: int
    y: int
    width: int
    height: int
    title: str
    cpu: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Drawing:
    """A machine with boxes from the outside in, and the numbers of CPUs that were used."""

    title: str
    said: str
    width: int
    height: int
    counts: tuple[int, ...]
    boxes: tuple[Box, ...]


def draw(machine: Machine, counts: Sequence[int]) -> Drawing:
    """The machine with CPUs as `core.machine.topology.place` puts them, used by `counts`."""
    used = tuple(sorted({count for count in counts if 0 < count <= machine.cpus}))
    level = numbered(
        machine.numbering,
        machine.sockets,
        machine.cores_per_socket,
        machine.cores_per_cache,
        machine.threads_per_core,
    )
    on: dict[int, dict[int, int]] = {}
    for cpu in range(machine.cpus):
        on.setdefault(int(level.core[cpu]), {})[int(level.thread[cpu])] = cpu
    per_cache, threads = machine.cores_per_cache, machine.threads_per_core
    caches = machine.cores_per_socket // per_cache
    rows = -(-per_cache // ROW)
    across = -(-per_cache // rows)
    core_wide, core_high = SIZE + GAP, threads * SIZE + GAP
    cache_wide, cache_high = across * core_wide + PAD, rows * core_high + PAD
    in_row = max(1, min(caches, 4 if machine.sockets > 1 else 8))
    socket_wide = in_row * (cache_wide + PAD) + PAD
    socket_high = -(-caches // in_row) * (cache_high + PAD) + PAD + 14
    beside = 2 if machine.sockets > 1 else 1
    boxes: list[Box] = []
    for socket in range(machine.sockets):
        left = (socket % beside) * (socket_wide + PAD)
        top = (socket // beside) * (socket_high + PAD)
        boxes.append(Box(left, top, socket_wide, socket_high, f"socket {socket}"))
        for cache in range(caches):
            x = left + PAD + (cache % in_row) * (cache_wide + PAD)
            y = top + PAD + 14 + (cache // in_row) * (cache_high + PAD)
            boxes.append(Box(x, y, cache_wide, cache_high, "cores that share a last-level cache"))
            for at in range(per_cache):
                core = (socket * caches + cache) * per_cache + at
                for thread, cpu in sorted(on[core].items()):
                    step = next((n for n, count in enumerate(used) if cpu < count), None)
                    since = f", used from {used[step]} CPUs on" if step is not None else ", unused"
                    boxes.append(
                        Box(
                            x + PAD // 2 + (at % across) * core_wide + 1,
                            y + PAD // 2 + (at // across) * core_high + thread * SIZE + 1,
                            SIZE - 1,
                            SIZE - 1,
                            f"CPU {cpu}: socket {socket}, core {core}{since}",
                            cpu,
                            step,
                        )
                    )
    said = (
        f"{machine.title}: {machine.sockets} sockets of {machine.cores_per_socket} cores, "
        f"{threads} CPUs a core; the run used up to {used[-1] if used else 0} of "
        f"{machine.cpus} CPUs"
    )
    high = -(-machine.sockets // beside) * (socket_high + PAD)
    wide = min(beside, machine.sockets) * (socket_wide + PAD)
    return Drawing(machine.title, said, wide, high, used, tuple(boxes))
