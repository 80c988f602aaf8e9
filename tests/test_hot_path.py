"""The hot paths against the table of shared operations per stage (docs/model.md)."""

from __future__ import annotations

from collections import Counter

import pytest

from core.kernel.flavours import FLAVOURS, VERSIONS, hot_path, parse_flavour
from core.kernel.hot_path import BENCHES, baseline
from core.kernel.operation import Kind, Line, Path
from core.kernel.patches import PATCHES

MC, MO, TL = Line.MMAP_COUNT, Line.MMAP_OWNER, Line.TREE
U0, T1 = Line.UPROBE, Line.EVENT
X, C, LD, ST = Kind.LOCKED, Kind.CMPXCHG, Kind.LOAD, Kind.STORE

COMMON = {(MC, X): 2, (MO, LD): 1, (MO, ST): 1, (T1, LD): 1, (T1, ST): 1, (TL, LD): 1}

NO_NHIT = {(T1, LD): -1, (T1, ST): -1}
NO_MMAP_LOCK = {(MC, X): -2, (MO, LD): -1, (MO, ST): -1, (Line.MMAP_SEQ, LD): 2}

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
    9: (NO_NHIT, {(U0, C): 1, (U0, LD): 1, (U0, X): 1}),
    10: (NO_NHIT, {}),
    11: (NO_NHIT | NO_MMAP_LOCK, {}),
    12: (NO_NHIT | NO_MMAP_LOCK, {}),
    13: (NO_NHIT | NO_MMAP_LOCK, {}),
    14: (NO_NHIT | NO_MMAP_LOCK, {}),
}


def at_stage(stage: int, bench: str) -> Path:
    path = baseline(bench)
    for patch in PATCHES:
        if patch.stage <= stage:
            path = patch.apply(path)
    return path


def total(*parts: dict[tuple[Line, Kind], int]) -> Counter[tuple[Line, Kind]]:
    counts: Counter[tuple[Line, Kind]] = Counter()
    for part in parts:
        counts.update(part)
    return +counts


def shared(path: Path) -> Counter[tuple[Line, Kind]]:
    return Counter(
        (op.line, op.kind)
        for call in path
        for op in call.operations
        if op.line is not None and not op.ancestors
    )


@pytest.mark.parametrize("stage", TABLE)
def test_shared_operations_of_a_uprobe(stage: int) -> None:
    assert shared(at_stage(stage, "uprobe-nop")) == total(COMMON, TABLE[stage][0])


@pytest.mark.parametrize("stage", TABLE)
def test_shared_operations_of_a_uretprobe(stage: int) -> None:
    uprobe, extra = TABLE[stage]
    assert shared(at_stage(stage, "uretprobe-nop")) == total(COMMON, uprobe, extra)


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
def test_named_flavours_are_cumulative(bench: str) -> None:
    assert hot_path("baseline", bench) == at_stage(0, bench)
    for patch in PATCHES:
        assert hot_path(patch.name, bench) == at_stage(patch.stage, bench)
    assert [FLAVOURS[n].title for n in ("baseline", "tasks-trace")] == [
        "BASELINE (on top of Oleg's clean up patches)",
        "RCU Tasks Trace",
    ]


def test_locks_are_released() -> None:
    for flavour in (*FLAVOURS, *VERSIONS):
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


def stages(text: str) -> set[int]:
    patches = parse_flavour(text).patches
    return {patch.stage for patch in PATCHES if patch.name in patches}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v6.11", set()),
        ("v6.12", {1, 2, 3, 4, 5, 6, 7, 9}),
        ("v6.13", set(range(1, 11))),
        ("v6.14", set(range(1, 13))),
        ("v6.18", set(range(1, 14))),
        ("tasks-trace+percpu-nhit+speculative-vma", {*range(1, 10), 11}),
        ("v6.14~percpu-nhit", set(range(1, 13)) - {9}),
        ("baseline+percpu-nhit", {9}),
        ("v6.18~percpu-nhit~ri-reuse+srcu-fast", {*range(1, 15)} - {9, 12}),
    ],
)
def test_flavours_are_sets_of_patches(text: str, expected: set[int]) -> None:
    assert stages(text) == expected


@pytest.mark.parametrize("word", ["srcuu", "", "v6.10", "tasks-trace+nhit", "srcu~", "+srcu"])
def test_an_unknown_word_is_named(word: str) -> None:
    with pytest.raises(KeyError) as caught:
        parse_flavour(word)
    assert caught.value.args[0] in word


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("srcu+srcu-lifetime", "srcu has srcu-lifetime already"),
        ("baseline~srcu", "baseline lacks srcu already"),
        ("srcu~srcu-lifetime", "lockless-consumers needs srcu-lifetime"),
        ("baseline+srcu-fast", "srcu-fast needs tasks-trace"),
    ],
)
def test_impossible_sets_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_flavour(text)


def test_the_order_of_edits_does_not_matter() -> None:
    one, other = "baseline+percpu-nhit+ri-reuse", "baseline+ri-reuse+percpu-nhit"
    assert parse_flavour(one).patches == parse_flavour(other).patches
    assert hot_path(one, "uretprobe-nop") == hot_path(other, "uretprobe-nop")
