"""The hot paths against the table of shared operations per stage (docs/model.md)."""

from __future__ import annotations

from collections import Counter

import pytest

from core.kernel.flavours import FLAVOURS, hot_path
from core.kernel.hot_path import BENCHES, baseline
from core.kernel.operation import Kind, Line, Path
from core.kernel.patches import PATCHES

MC, MO, TL = Line.MMAP_COUNT, Line.MMAP_OWNER, Line.TREE
U0, T1 = Line.UPROBE, Line.EVENT
X, C, LD, ST = Kind.LOCKED, Kind.CMPXCHG, Kind.LOAD, Kind.STORE

COMMON = {(MC, X): 2, (MO, LD): 1, (MO, ST): 1, (T1, LD): 1, (T1, ST): 1, (TL, LD): 1}

# Stage -> shared operations of (uprobe, what a uretprobe adds), as the table has them.
TABLE: dict[int, tuple[dict[tuple[Line, Kind], int], dict[tuple[Line, Kind], int]]] = {
    0: ({(TL, X): 2, (U0, X): 4, (U0, LD): 1, (U0, ST): 1}, {(U0, X): 4, (U0, LD): 1, (U0, ST): 1}),
    2: (
        {(TL, X): 2, (U0, X): 3, (U0, C): 1, (U0, LD): 2, (U0, ST): 1},
        {(U0, X): 4, (U0, LD): 1, (U0, ST): 1},
    ),
    3: (
        {(TL, X): 2, (U0, X): 2, (U0, LD): 1, (U0, ST): 1},
        {(U0, C): 1, (U0, X): 3, (U0, LD): 2, (U0, ST): 1},
    ),
    5: ({(TL, X): 2}, {(U0, C): 1, (U0, LD): 1, (U0, X): 1}),
    7: ({}, {(U0, C): 1, (U0, LD): 1, (U0, X): 1}),
    8: ({}, {(U0, C): 1, (U0, LD): 1, (U0, X): 1}),
}


def at_stage(stage: int, bench: str) -> Path:
    path = baseline(bench)
    for patch in PATCHES:
        if patch.stage <= stage:
            path = patch.apply(path)
    return path


def shared(path: Path) -> Counter[tuple[Line, Kind]]:
    return Counter(
        (op.line, op.kind)
        for call in path
        for op in call.operations
        if op.line is not None and not op.ancestors
    )


@pytest.mark.parametrize("stage", TABLE)
def test_shared_operations_of_a_uprobe(stage: int) -> None:
    assert shared(at_stage(stage, "uprobe-nop")) == Counter(COMMON) + Counter(TABLE[stage][0])


@pytest.mark.parametrize("stage", TABLE)
def test_shared_operations_of_a_uretprobe(stage: int) -> None:
    uprobe, extra = TABLE[stage]
    expected = Counter(COMMON) + Counter(uprobe) + Counter(extra)
    assert shared(at_stage(stage, "uretprobe-nop")) == expected


@pytest.mark.parametrize(("stage", "same_as"), [(1, 0), (4, 3), (6, 5)])
@pytest.mark.parametrize("bench", BENCHES)
def test_patches_that_leave_the_hot_path_alone(stage: int, same_as: int, bench: str) -> None:
    assert at_stage(stage, bench) == at_stage(same_as, bench)


def test_the_order_of_the_baseline() -> None:
    steps = [
        f"{op.kind.name} {op.line.name}"
        for call in hot_path("baseline", "uprobe-nop")
        for op in call.operations
        if op.line is not None and not op.ancestors
    ]
    assert steps == [
        "LOCKED MMAP_COUNT",
        "LOAD MMAP_OWNER",
        "STORE MMAP_OWNER",
        "LOCKED TREE",
        "LOAD TREE",
        "LOCKED UPROBE",
        "LOCKED TREE",
        "LOCKED MMAP_COUNT",
        "LOCKED UPROBE",
        "LOAD UPROBE",
        "STORE UPROBE",
        "LOAD EVENT",
        "STORE EVENT",
        "LOCKED UPROBE",
        "LOCKED UPROBE",
    ]


def barriers(flavour: str, bench: str) -> int:
    return sum(
        op.kind is Kind.BARRIER for call in hot_path(flavour, bench) for op in call.operations
    )


@pytest.mark.parametrize(("bench", "pairs"), [("uprobe-nop", 1), ("uretprobe-nop", 2)])
def test_srcu_adds_two_barriers_a_pair_and_tasks_trace_none(bench: str, pairs: int) -> None:
    percpu_counter = 1
    assert barriers("srcu", bench) == percpu_counter + 2 * pairs
    assert barriers("tasks-trace", bench) == percpu_counter


@pytest.mark.parametrize("bench", BENCHES)
def test_the_letter_s_designs_are_stages_0_7_and_8(bench: str) -> None:
    for name, stage in (("baseline", 0), ("srcu", 7), ("tasks-trace", 8)):
        assert FLAVOURS[name].stage == stage
        assert hot_path(name, bench) == at_stage(stage, bench)


def test_locks_are_released() -> None:
    for flavour in FLAVOURS:
        for bench in BENCHES:
            calls = Counter(call.function for call in hot_path(flavour, bench))
            for take, release in (
                ("mmap_read_lock", "mmap_read_unlock"),
                ("read_lock(&uprobes_treelock)", "read_unlock(&uprobes_treelock)"),
                ("down_read(&uprobe->register_rwsem)", "up_read(&uprobe->register_rwsem)"),
                ("srcu_read_lock(&uprobes_srcu)", "srcu_read_unlock(&uprobes_srcu)"),
                ("rcu_read_lock_trace", "rcu_read_unlock_trace"),
            ):
                assert calls[take] == calls[release]
