"""One cell with writers, from its parameters to its samples and latencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from core.cell import Cell, CellResult
from core.engine.shares import shares
from core.stress.simulation import Rig
from core.stress.threads import Gang, ThreadGroup


def simulate_churn(
    cell: Cell,
    faults: Iterable[str] = (),
    watch: Callable[[Rig], None] | None = None,
    gang: Gang | None = None,
) -> CellResult:
    """Simulate `cell`, which has a workload, and check it all the time.

    The result depends on the cell alone; `gang` hosts the threads that hit, this process by
    default. `faults` are planted in the kernel and its grace periods. `watch` is called now and
    then with how things are. Raises Violation for a check that fails, KeyError as
    `core.engine.simulate.simulate` does, and ValueError for a machine with too few CPUs, more than
    one process, an edited path, too many consumers or an unknown fault.
    """
    began = time.perf_counter()
    rig = Rig.of(cell, frozenset(faults), ThreadGroup() if gang is None else gang)
    rig.watch = watch
    hits, spent = rig.play()
    rig.drain()
    return CellResult(
        cell.cell_id,
        hits,
        cell.sample_ps,
        rig.clockwork.interconnect.line_ops,
        shares(rig.programs.code, spent),
        time.perf_counter() - began,
        churn=rig.outcome,
    )
