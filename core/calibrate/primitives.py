"""The published primitives as programs: a tight loop on one shared line."""

from __future__ import annotations

import numpy as np

from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup
from core.engine.interconnect import Interconnect
from core.engine.program import compile_path
from core.engine.simulate import play
from core.engine.state import new_state
from core.kernel.layout import Layout
from core.kernel.operation import Call, Line, Operation
from core.kernel.primitives import (
    down_read,
    locked,
    read_lock,
    read_unlock,
    refcount_dec_and_test,
    refcount_inc,
    srcu_read_lock,
    srcu_read_unlock,
    up_read,
)
from core.machine.machine import Machine
from core.machine.topology import place

WORD = Line.TREE
"""Any line will do: nothing else is touched."""

PRIMITIVES: dict[str, tuple[Operation, ...]] = {
    "atomic_inc shared": locked(WORD),
    "refscale refcnt lock+unlock pair": (*refcount_inc(WORD), *refcount_dec_and_test(WORD)),
    "refscale rwlock lock+unlock pair": (*read_lock(WORD), *read_unlock(WORD)),
    "refscale rwsem lock+unlock pair": (*down_read(WORD, WORD), *up_read(WORD)),
    "refscale srcu lock+unlock pair": (*srcu_read_lock(), *srcu_read_unlock()),
}
"""Names as in results/published/primitive_curves.csv."""

WARMUP_PS = 10 * 10**6
SAMPLE_PS = 50 * 10**6


def ns_per_operation(machine: Machine, primitive: str, cpus: int) -> float:
    """Simulated ns that one pass of the loop takes each of `cpus` CPUs.

    Raises KeyError for a primitive that is not in PRIMITIVES.
    """
    path = (Call(primitive, PRIMITIVES[primitive]),)
    program = compile_path(path, Layout(1), machine.execution.work)
    where = place(machine, cpus)
    entry_ps = program.entry_cycles * where.ps_per_cycle
    even = np.zeros_like(entry_ps)
    configs = CpuConfigs((0, 0), 1, "shared", entry_ps, even, WARMUP_PS, SAMPLE_PS, 1)
    state = new_state(machine, where, program, Layout(1), 1 << 14, seed=1)
    hits, _ = play(Interconnect(state), CpuGroup(), configs)
    return SAMPLE_PS / 1000 * cpus / float(hits.sum())
