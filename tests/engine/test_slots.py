"""Slots of an xol area: a process has 32, and who finds none sleeps until one is free."""

from __future__ import annotations

import numpy as np
import pytest

from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup
from core.engine.interconnect import Interconnect
from core.engine.program import compile_path
from core.engine.shares import BLOCKED
from core.engine.simulate import play
from core.engine.state import new_state
from core.kernel.layout import Layout, process_of_cpus
from core.kernel.operation import SLOTS, Call, Line, work
from core.kernel.primitives import clear_bit, take_zero_bit
from core.machine.machine import load_machine
from core.machine.topology import place

US = 10**6
STEP_US, WAKEUP_US = 50.0, 10.0
"""So long that what moving the bitmap's line takes is little beside them."""
PATH = (
    Call("take", (*take_zero_bit(Line.XOL_BITMAP), *work("step"))),
    Call("free", (*clear_bit(Line.XOL_BITMAP),)),
)


def played(cpus: int, processes: int = 1) -> tuple[float, float]:
    """Steps a microsecond, and the share of the CPUs' time that they waited for a slot."""
    machine = load_machine("generic")
    layout = Layout(1, processes)
    cycles = {"step": round(STEP_US * 1000 * machine.turbo[-1].ghz)}
    program = compile_path(PATH, layout, cycles, writers=True)
    where = place(machine, cpus)
    process = process_of_cpus(cpus, processes)
    wakeup = round(WAKEUP_US * US)
    state = new_state(
        machine, where, program, layout, 4096, seed=1, process=process, wakeup_ps=wakeup
    )
    none = np.zeros(cpus, dtype=np.int64)
    configs = CpuConfigs((7, 11), 1, "shared", none, none, 1000 * US, 4000 * US, 1)
    hits, spent = play(Interconnect(state), CpuGroup(), configs)
    return float(np.sum(hits)) / 4000, float(spent[:, BLOCKED].sum() / spent.sum())


@pytest.mark.parametrize(("cpus", "processes"), [(1, 1), (SLOTS, 1), (64, 2)])
def test_with_a_slot_for_everybody_nobody_waits(cpus: int, processes: int) -> None:
    rate, waited = played(cpus, processes)
    assert rate == pytest.approx(cpus / STEP_US, rel=0.1)
    assert waited == 0


@pytest.mark.parametrize(("cpus", "processes"), [(SLOTS + 1, 1), (48, 1), (64, 1)])
def test_beyond_them_a_slot_is_free_again_after_a_step_and_a_wakeup(
    cpus: int, processes: int
) -> None:
    rate, waited = played(cpus, processes)
    assert rate == pytest.approx(SLOTS / (STEP_US + WAKEUP_US), rel=0.1)
    # What is not spent in one of the slots' steps is spent in waiting for one.
    assert waited == pytest.approx(1 - rate * STEP_US / cpus, abs=0.1)
