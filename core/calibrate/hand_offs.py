"""What a line takes between two CPUs that nobody disturbs, by what they do to it and how far."""

from __future__ import annotations

import numpy as np

from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup
from core.engine.interconnect import Interconnect
from core.engine.program import compile_path
from core.engine.simulate import play
from core.engine.state import new_state
from core.kernel.layout import Layout
from core.kernel.operation import Call, Kind, Line, Operation, work
from core.machine.machine import Machine
from core.machine.topology import Placement, place

WORD = Line.TREE
"""Any line will do: nothing else is touched."""

HAND_OFFS = {
    "blind locked operation": (Operation(Kind.LOCKED, WORD),),
    "load, then locked operation": (Operation(Kind.LOAD, WORD), Operation(Kind.CMPXCHG, WORD)),
}
"""One CPU does this to a line that the other has done it to."""

APART_PS = 5 * 10**5
"""Private work between a CPU's turns: the line has long settled."""
SAMPLE_PS = 2 * 10**9


def hand_off_ns(machine: Machine, name: str, distance: str) -> float:
    """Simulated ns of the operations of HAND_OFFS, for a line that comes from `distance`.

    `distance` is a key of `Machine.one_way_ns` but "same core". Raises KeyError for another.
    """
    where = _pair(machine, distance)
    path = (Call(name, (*work("apart"), *HAND_OFFS[name])),)
    period = int(where.ps_per_cycle[0])
    program = compile_path(path, Layout(1), {"apart": APART_PS // period})
    state = new_state(machine, where, program, Layout(1), 1 << 10, seed=1)
    entry = program.entry_cycles * period
    entries, even = np.full(2, entry), np.zeros(2, dtype=np.int64)
    configs = CpuConfigs((0, 0), 1, "shared", entries, even, SAMPLE_PS // 10, SAMPLE_PS, 1)
    hits, _ = play(Interconnect(state), CpuGroup(), configs)
    return (2 * SAMPLE_PS / float(hits.sum()) - entry) / 1000


def _pair(machine: Machine, distance: str) -> Placement:
    """CPU 0 and the first one that is so far from it; nobody else is busy."""
    every = place(machine, machine.cpus)
    same_cache, same_socket = every.cache == every.cache[0], every.socket == every.socket[0]
    among = {
        "same cache": same_cache & (every.core != every.core[0]),
        "other cache": same_socket & ~same_cache,
        "other socket": ~same_socket,
    }[distance]
    others = np.flatnonzero(among)
    if not len(others):
        raise KeyError(distance)
    two = np.array([0, others[0]])
    near = place(machine, 2).ps_per_cycle
    alone = np.full(2, -1, dtype=np.int64)
    return Placement(
        every.core[two], every.cache[two], every.socket[two], alone, np.repeat(near[:1], 2)
    )
