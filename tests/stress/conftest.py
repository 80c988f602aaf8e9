"""What tests of cells with writers start from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stress_cells import MS

from core.arrays import IntArray
from core.cell import Cell
from core.stress.actors import triggers
from core.stress.threads import Trigger

USER_CYCLES = 1000


@pytest.fixture(autouse=True)
def ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell looks whether its writers are through at every millisecond: hits go on meanwhile."""
    monkeypatch.setattr("core.stress.simulation.STRIDE_PS", MS)


@pytest.fixture
def in_user_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads are in user space for a while before each call, for about as long as a hit takes.

    Calls of functions without a breakpoint, a cycle each, would take most of a test's time.
    """

    def slower(cell: Cell, ps_per_cycle: IntArray, depth: int, entry_cycles: int) -> list[Trigger]:
        user_ps = USER_CYCLES * int(ps_per_cycle[0])
        made = triggers(cell, ps_per_cycle, depth, entry_cycles)
        return [replace(trigger, user_ps=max(trigger.user_ps, user_ps)) for trigger in made]

    monkeypatch.setattr("core.stress.simulation.triggers", slower)
