"""One cell with writers, from its parameters to its samples and latencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from core.cell import Cell, CellResult
from core.engine.shares import shares
from core.stress.simulation import Simulation
from core.stress.threads import ThreadGroup, TriggerThreads


def simulate_stress(
    cell: Cell,
    faults: Iterable[str] = (),
    watch: Callable[[Simulation], None] | None = None,
    threads: TriggerThreads | None = None,
) -> CellResult:
    """Simulate `cell`, which has a workload, and check it all the time.

    The result depends on the cell alone; `threads` hosts the threads that hit, this process by
    default. `faults` are planted in the kernel and its grace periods. `watch` is called now and
    then with how things are. Raises Violation for a check that fails, KeyError as
    `core.engine.simulate.simulate` does, and ValueError for a machine with too few CPUs, more than
    one process, an edited path, too many consumers or an unknown fault.
    """
    began = time.perf_counter()
    simulation = Simulation.of(
        cell, frozenset(faults), ThreadGroup() if threads is None else threads
    )
    simulation.watch = watch
    hits, spent = simulation.play()
    simulation.drain()
    return CellResult(
        cell.cell_id,
        hits,
        cell.sample_ps,
        simulation.cosimulation.interconnect.line_ops,
        shares(simulation.programs.code, spent),
        time.perf_counter() - began,
        stress=simulation.outcome,
    )
