"""One cell with writers, from its parameters to its samples and latencies."""

from __future__ import annotations

import time
from collections.abc import Iterable

from core.churn.rig import Rig
from core.engine.cell import Cell, CellResult
from core.engine.shares import shares


def simulate_churn(cell: Cell, faults: Iterable[str] = ()) -> CellResult:
    """Simulate `cell`, which has a workload, and check it all the time.

    The result depends on the cell alone. `faults` are planted in the kernel and its grace periods.
    Raises Violation for a check that fails, ValueError for a machine with too few CPUs, KeyError as
    `core.engine.simulate.simulate` does.
    """
    began = time.perf_counter()
    rig = Rig.of(cell, frozenset(faults))
    hits, spent = rig.play()
    rig.drain()
    return CellResult(
        cell.cell_id,
        hits,
        cell.sample_ps,
        rig.clockwork.interconnect.line_ops,
        shares(rig.programs.code, spent),
        time.perf_counter() - began,
        churn=rig.churn(),
    )
