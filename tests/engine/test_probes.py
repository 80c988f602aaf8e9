"""Lines of probes: what a tree walk reads, and that only what is hit is laid out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.interconnect import Interconnect
from core.engine.probes import Probes, lay_out, lay_out_in_order
from core.engine.program import compile_path
from core.engine.state import State, new_state
from core.kernel.flavours import hot_path
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Line
from core.machine.machine import load_machine
from core.machine.topology import place

MACHINE = load_machine("xeon-gold-6138")


def at_rest(probes: int) -> State:
    layout = Layout(probes)
    program = compile_path(hot_path("tasks-trace", "uprobe-nop"), layout, MACHINE.execution.work)
    return new_state(MACHINE, place(MACHINE, 1), program, layout, 16, seed=1)


def ancestors(probes: Probes, probe: int) -> list[int]:
    """Whom a walk to a probe passes, by number."""
    probe_of = {int(slot): number for number, slot in enumerate(probes.slot) if slot != NOWHERE}
    row = probes.walk[probes.slot[probe]]
    path = [probe_of[int(line) - probes.uprobe] for line in row if line != NOWHERE]
    assert (row[len(path) :] == NOWHERE).all()
    return path


def test_a_single_probe_is_found_at_the_root() -> None:
    assert at_rest(1).probes.walk.size == 0


def test_seven_probes_make_a_tree_of_three_levels() -> None:
    state = at_rest(7)
    lay_out_in_order(state.probes, state.lines)
    assert state.probes.walk.shape == (7, 2)
    assert [ancestors(state.probes, probe) for probe in range(7)] == [
        [3, 1],
        [3],
        [3, 1],
        [],
        [3, 5],
        [3],
        [3, 5],
    ]


@settings(deadline=None)
@given(st.integers(1, 500), st.data())
def test_walks_are_paths_from_the_root_in_whatever_order_probes_are_hit(
    probes: int, data: st.DataObject
) -> None:
    state = at_rest(probes)
    hit = data.draw(st.lists(st.integers(0, probes - 1), min_size=1, max_size=30))
    for probe in hit:
        lay_out(state.probes, state.lines, probe, False)
    for probe in hit:
        path = ancestors(state.probes, probe)
        assert probe not in path
        assert len(set(path)) == len(path)
        assert (path[0] if path else probe) == (probes - 1) // 2
        # Every ancestor lies on the near side of the ones before it, as in a search tree.
        for i, ancestor in enumerate(path):
            for deeper in [*path[i + 1 :], probe]:
                assert (deeper < ancestor) == (probe < ancestor)
    slots = state.probes.slot[state.probes.slot != NOWHERE]
    assert sorted(slots) == list(range(int(state.probes.laid_out[0])))
    assert len(slots) <= len(set(hit)) * (Layout(probes).depth + 1)


def test_in_order_each_probe_is_at_its_number() -> None:
    state = at_rest(100)
    lay_out_in_order(state.probes, state.lines)
    assert state.probes.slot.tolist() == list(range(100))
    assert state.probes.laid_out[0] == 100


@pytest.mark.parametrize("probes", [1, 9])
def test_what_nobody_has_touched_is_at_rest(probes: int) -> None:
    state = at_rest(probes)
    lay_out(state.probes, state.lines, 0, False)
    touched = state.lines[Layout(probes).first(Line.UPROBE)]
    assert (touched["owner"], touched["epoch"], touched["sharers"]) == (NOWHERE, 1, 0)
    assert Interconnect(state).transfers == 0
