"""Edits of a path: core.kernel.what_if, and what they make of a cell's identity."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_spec

from core.engine.simulate import simulate
from core.kernel.flavours import FLAVOURS, hot_path
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Call, Kind, Line, Operation, Path, work
from core.kernel.primitives import down_read, refcount_inc_not_zero
from core.kernel.what_if import edit, edited, per_cpu, without
from sweep.plan.plan import plan

lines = st.sampled_from(list(Line))
paths = st.builds(hot_path, st.sampled_from(list(FLAVOURS)), st.sampled_from(BENCHES))


def operations(path: Path) -> list[Operation]:
    return [op for call in path for op in call.operations]


def test_a_line_of_the_cpus_own_keeps_locked_operations_only() -> None:
    path = (
        Call("down_read", down_read(Line.MMAP_COUNT, Line.MMAP_OWNER)),
        Call("try_get", refcount_inc_not_zero(Line.UPROBE)),
    )
    own = Operation(Kind.BARRIER, instruction="locked (own line)")
    down, get = path
    assert per_cpu(path, Line.MMAP_COUNT) == (
        Call("down_read", (down.operations[0], own, *down.operations[2:])),
        get,
    )
    assert per_cpu(path, Line.MMAP_OWNER) == (Call("down_read", down.operations[:2]), get)
    compared = Operation(Kind.BARRIER, instruction="cmpxchg (own line)")
    assert per_cpu(path, Line.UPROBE)[1].operations == (compared,)


def test_without_a_line_a_call_of_nothing_else_is_gone() -> None:
    path = (Call("lock", (Operation(Kind.LOCKED, Line.TREE),)), Call("work", work("trap_entry")))
    assert without(path, Line.TREE) == path[1:]


@settings(deadline=None)
@given(paths, lines)
def test_nothing_else_changes(path: Path, line: Line) -> None:
    kept = [op for op in operations(path) if op.line is not line]
    assert operations(without(path, line)) == kept
    own = operations(per_cpu(path, line))
    assert all(op.line is not line for op in own)
    locked = [op for op in operations(path) if op.line is line and op.kind >= Kind.LOCKED]
    assert len(own) == len(kept) + len(locked)
    assert [op for op in own if "(own line)" not in op.instruction] == [
        op for op in kept if "(own line)" not in op.instruction
    ]


@settings(deadline=None)
@given(paths, lines, lines)
def test_the_order_of_edits_makes_no_difference(path: Path, one: Line, other: Line) -> None:
    edits = [edit("per-cpu", one), edit("without", other)]
    if one is not other:
        assert edited(path, edits) == edited(path, edits[::-1])
    assert edited(path, ()) == path


@pytest.mark.parametrize("spelt", ["per-cpu", "per-cpu:", "per-cpu:TREES", "percpu:TREE", ""])
def test_an_edit_that_there_is_not(spelt: str) -> None:
    with pytest.raises(KeyError):
        edited(hot_path("srcu", "uprobe-nop"), [spelt])


def test_edits_are_part_of_a_cells_identity_but_not_of_what_it_draws() -> None:
    [cell] = plan(tiny_spec(cpus=4))
    own = replace(cell, edits=("per-cpu:EVENT",))
    gone = replace(cell, edits=("without:EVENT",))
    assert len({cell.cell_id, own.cell_id, gone.cell_id}) == 3
    assert own.stream_key == gone.stream_key == cell.stream_key
    other = replace(
        cell, ensemble=3, machine=cell.machine.with_numbers({"coherence.transfer_ns": 40})
    )
    assert other.stream_key == cell.stream_key != replace(cell, replicate=1).stream_key


def test_an_edited_cell_spends_no_time_on_the_line() -> None:
    [cell] = plan(tiny_spec(cpus=4, duration="60us"))
    result = simulate(replace(cell, edits=("per-cpu:EVENT", "without:MMAP_OWNER")))
    touched = {share.line for share in result.attribution}
    assert Line.MMAP_COUNT.value in touched
    assert not touched & {Line.EVENT.value, Line.MMAP_OWNER.value}
    assert result.cell_id != cell.cell_id
