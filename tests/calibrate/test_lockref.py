"""A published curve that nothing was fitted on: two references to one object in a system call.

will-it-scale's fstat2 on one file, threads, Cascade Lake 2 x 24 cores, hyper-threads from 49 on:
M. Guzik, "lockref: stop doing cpu_relax in the cmpxchg loop", 13 January 2023, without the pause.
"""

from __future__ import annotations

import numpy as np
import pytest

from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup
from core.engine.interconnect import Interconnect
from core.engine.program import compile_path
from core.engine.simulate import play
from core.engine.state import new_state
from core.kernel.layout import Layout
from core.kernel.operation import Call, Line, work
from core.kernel.primitives import refcount_inc_not_zero
from core.machine.machine import load_machine
from core.machine.topology import place

MHITS = {1: 3.048, 2: 4.400, 8: 5.530, 24: 5.466, 48: 5.257, 96: 6.649}
SHIPPED = load_machine("xeon-gold-6138")
MACHINE = SHIPPED.with_calibration(None).model_copy(
    update={"cores_per_socket": 24, "cores_per_cache": 24}
)
CYCLES = {"before": 555, "between": 340, "after": 180}
"""The system call without its two references; their sum gives the figure of one CPU."""


def mhits(cpus: int) -> float:
    """Simulated operations of all CPUs, millions a second."""
    get = refcount_inc_not_zero(Line.TREE)
    path = Call("fstat", (*work("before"), *get, *work("between"), *get, *work("after")))
    program = compile_path((path,), Layout(1), CYCLES)
    where = place(MACHINE, cpus)
    entry = program.entry_cycles * where.ps_per_cycle
    jitter = np.rint(entry * MACHINE.execution.jitter).astype(np.int64)
    configs = CpuConfigs((0, 0), 1, "shared", entry, jitter, 2 * 10**8, 3 * 10**8, 1)
    state = new_state(MACHINE, where, program, Layout(1), 1 << 12, seed=1)
    hits, _ = play(Interconnect(state), CpuGroup(), configs)
    return float(hits.sum()) / 300


@pytest.mark.parametrize("cpus", MHITS)
def test_a_reference_count_is_as_fast_as_published(cpus: int) -> None:
    assert mhits(cpus) == pytest.approx(MHITS[cpus], rel=0.03 if cpus == 1 else 0.3)


@pytest.mark.parametrize("cpus", [25, 28, 40])
def test_the_first_cpus_of_the_other_socket_do_not_stop_it(cpus: int) -> None:
    assert mhits(cpus) > 0.6 * mhits(24)
