"""The hot paths against the table of shared operations per stage (docs/hot-path.md)."""

from __future__ import annotations

from collections import Counter

import pytest

from core.kernel.flavours import FLAVOURS, hot_path
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Kind, Line, Path, Role
from core.kernel.patches import PATCHES, split_at_return
from core.kernel.releases import RELEASES

MC, MO, TL = Line.MMAP_COUNT, Line.MMAP_OWNER, Line.TREE
U0, T1, XA, XB = Line.UPROBE, Line.EVENT, Line.XOL_AREA, Line.XOL_BITMAP
X, C, LD, ST = Kind.LOCKED, Kind.CMPXCHG, Kind.LOAD, Kind.STORE

Counts = dict[tuple[Line, Kind], int]

NHIT: Counts = {(T1, LD): 1, (T1, ST): 1}
MMAP_LOCK: Counts = {(MC, X): 2, (MO, LD): 1, (MO, ST): 1}
MMAP_SEQ: Counts = {(Line.MMAP_SEQ, LD): 2}
TREE: Counts = {(TL, LD): 1}
TREE_LOCK: Counts = {(TL, X): 2}
RWSEM: Counts = {(U0, X): 2, (U0, LD): 1, (U0, ST): 1}
GET: Counts = {(U0, X): 1}
TRY_GET: Counts = {(U0, LD): 1, (U0, C): 1}
PUT: Counts = {(U0, X): 1}
SLOT: Counts = {(XA, LD): 3, (XB, LD): 1, (XB, C): 1, (XB, X): 1}
COUNTED: Counts = {(XA, X): 2}
SIGLOCK: Counts = {(Line.SIGLOCK, X): 2}

# Stage -> shared operations of one hit: at the entry of a nop or push, what a perf event adds,
# what a ret adds, what a return adds. As the table of docs/hot-path.md has them.
STEP = (SLOT, COUNTED, SIGLOCK)
LOCKED_TREE = (MMAP_LOCK, TREE, TREE_LOCK)
TABLE: dict[int, tuple[tuple[Counts, ...], ...]] = {
    0: ((*LOCKED_TREE, GET, RWSEM, PUT), (NHIT,), STEP, (GET, RWSEM, PUT)),
    2: ((*LOCKED_TREE, TRY_GET, RWSEM, PUT), (NHIT,), STEP, (GET, RWSEM, PUT)),
    3: ((*LOCKED_TREE, RWSEM), (NHIT,), (*STEP, TRY_GET, PUT), (TRY_GET, RWSEM, PUT)),
    5: (LOCKED_TREE, (NHIT,), (*STEP, TRY_GET, PUT), (TRY_GET, PUT)),
    7: ((MMAP_LOCK, TREE), (NHIT,), (*STEP, TRY_GET, PUT), (TRY_GET, PUT)),
    8: ((MMAP_LOCK, TREE), (NHIT,), (*STEP, TRY_GET, PUT), (TRY_GET, PUT)),
    9: ((MMAP_LOCK, TREE), (), (*STEP, TRY_GET, PUT), (TRY_GET, PUT)),
    10: ((MMAP_LOCK, TREE), (), (SLOT, SIGLOCK, TRY_GET, PUT), ()),
    **dict.fromkeys((11, 12), ((MMAP_SEQ, TREE), (), (SLOT, SIGLOCK, TRY_GET, PUT), ())),
    **dict.fromkeys((13, 14, 15), ((MMAP_SEQ, TREE), (), (SLOT, TRY_GET, PUT), ())),
}


AT_STAGE = {0: "baseline", **{patch.stage: patch.name for patch in PATCHES if patch.stage}}


def at_stage(stage: int, bench: str) -> Path:
    return hot_path(AT_STAGE[stage], bench)


def total(*parts: Counts) -> Counter[tuple[Line, Kind]]:
    counts: Counter[tuple[Line, Kind]] = Counter()
    for part in parts:
        counts.update(part)
    return counts


def shared(path: Path) -> Counter[tuple[Line, Kind]]:
    return Counter(
        (op.line, op.kind)
        for call in path
        for op in call.operations
        if op.line is not None and not op.ancestors
    )


@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.parametrize("stage", TABLE)
def test_shared_operations(stage: int, bench: str) -> None:
    entry, perf_event, step, at_return = TABLE[stage]
    expected = [
        *entry,
        *(() if "-multi" in bench else perf_event),
        *(step if bench.endswith("-ret") or (bench.endswith("-nop5") and stage < 13) else ()),
        *((MMAP_SEQ,) if bench.endswith("-nop5") and stage >= 13 else ()),
        *(at_return if bench.startswith("uretprobe") else ()),
    ]
    assert shared(at_stage(stage, bench)) == total(*expected)


def test_the_benches_are_those_of_the_bench_tool() -> None:
    kinds = ("uprobe", "uretprobe", "uprobe-multi", "uretprobe-multi")
    named = tuple(f"{kind}-{code}" for kind in kinds for code in ("nop", "push", "ret", "nop5"))
    assert named == BENCHES


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


CALLS_OF_STEP = [
    "try_get_uprobe (single step)",
    "xol_get_insn_slot",
    "srcu_read_unlock(&uprobes_srcu)",
    "iret (to the slot)",
    "exc_debug",
    "put_uprobe (single step)",
    "xol_free_insn_slot",
    "recalc_sigpending",
    "iret",
]


@pytest.mark.parametrize(
    ("stage", "bench", "end"),
    [
        (0, "uprobe-ret", [CALLS_OF_STEP[1], *CALLS_OF_STEP[3:]]),
        (2, "uprobe-multi-ret", [CALLS_OF_STEP[1], *CALLS_OF_STEP[3:]]),
        (3, "uprobe-ret", CALLS_OF_STEP),
        (7, "uprobe-multi-ret", CALLS_OF_STEP),
        (0, "uprobe-push", ["arch_uprobe_skip_sstep (push_emulate_op)", "put_uprobe", "iret"]),
    ],
)
def test_how_the_probed_instruction_is_executed(stage: int, bench: str, end: list[str]) -> None:
    assert [call.function for call in at_stage(stage, bench)][-len(end) :] == end


def test_a_slot_is_taken_by_a_set_bit_that_others_can_spoil() -> None:
    [take] = [call for call in at_stage(0, "uprobe-ret") if call.function == "xol_get_insn_slot"]
    [free] = [call for call in at_stage(0, "uprobe-ret") if call.function == "xol_free_insn_slot"]
    area, found, taken, counted, _ = take.operations
    assert (area.kind, area.line) == (LD, XA)
    assert (found.kind, found.line) == (LD, XB)
    assert (taken.kind, taken.line, taken.instruction) == (C, XB, "lock bts")
    assert (counted.kind, counted.line) == (X, XA)
    assert taken.reference_count
    assert not any(op.reference_count for op in free.operations)


@pytest.mark.parametrize("bench", ["uretprobe-nop", "uretprobe-multi-ret", "uprobe-nop"])
def test_stage_15_takes_both_barriers_of_a_lease_and_nothing_else(
    bench: str,
) -> None:
    before, after = at_stage(14, bench), at_stage(15, bench)
    lost = 2 if bench.startswith("uretprobe") else 0
    assert barriers("srcu-fast", bench) - barriers("srcu-fast-uretprobe", bench) == lost
    changed = [a.function for a, b in zip(before, after, strict=True) if a != b]
    assert changed == (["hprobe_init_leased", "hprobe_consume"] if lost else [])


@pytest.mark.parametrize("bench", BENCHES)
def test_only_a_nop_of_five_bytes_becomes_a_call(bench: str) -> None:
    entered = hot_path("nop5", bench)[0]
    assert entered.function == ("sys_uprobe" if bench.endswith("-nop5") else "exc_int3")
    assert hot_path("v6.16", "uprobe-nop5")[0].function == "exc_int3"


def functions(flavour: str, bench: str) -> list[str]:
    return [call.function for call in hot_path(flavour, bench)]


@pytest.mark.parametrize("bench", [bench for bench in BENCHES if bench.endswith("nop5")])
@pytest.mark.parametrize("flavour", ["v6.9", "v6.11", "v6.12", "v6.13", "refcount-revamp"])
def test_a_longer_nop_is_stepped_like_a_ret_and_then_emulated_like_a_nop(
    flavour: str, bench: str
) -> None:
    renamed = {"exc_debug (5-byte nop)": "exc_debug"}
    stepped = [renamed.get(name, name) for name in functions(flavour, bench)]
    assert stepped == functions(flavour, bench.replace("nop5", "ret"))
    renamed = {"arch_uprobe_skip_sstep (5-byte nop)": "arch_uprobe_skip_sstep"}
    emulated = [renamed.get(name, name) for name in functions(f"{flavour}+emulate-nops", bench)]
    assert emulated == functions(flavour, bench.removesuffix("5"))


def test_the_system_call_looks_twice_up_without_a_lock() -> None:
    path = hot_path("v6.18", "uprobe-nop5")
    loads = [
        call.function
        for call in path
        for op in call.operations
        if (op.line, op.kind) == (Line.MMAP_SEQ, LD)
    ]
    assert loads == [
        *["in_uprobe_trampoline"] * 2,
        "mmap_lock_speculate_try_begin",
        "mmap_lock_speculate_retry",
    ]
    work = Counter(op.work for call in path for op in call.operations)
    assert work["vma_lookup"] == 2


@pytest.mark.parametrize("bench", ["uprobe-nop", "uretprobe-push"])
def test_before_v6_10_a_perf_event_filters_under_an_rwlock_and_fills_a_buffer(bench: str) -> None:
    for release, reads in (("v6.9", 2), ("v6.10", 0)):
        assert shared(hot_path(release, bench))[Line.FILTER, X] == reads
        fills = functions(release, bench).count("prepare_uprobe_buffer")
        assert fills == (0 if not reads else 2 if bench.startswith("uretprobe") else 1)
    assert shared(hot_path("v6.9", "uprobe-multi-nop"))[Line.FILTER, X] == 0
    assert hot_path("v6.9", "uretprobe-multi-ret") == hot_path("v6.10", "uretprobe-multi-ret")


@pytest.mark.parametrize(
    ("release", "entry"), [("v6.10", "exc_int3 (uretprobe trampoline)"), ("v6.11", "sys_uretprobe")]
)
def test_a_function_returns_by_int3_before_v6_11(release: str, entry: str) -> None:
    call, at_return = split_at_return(hot_path(release, "uretprobe-nop"))
    assert (call[0].function, at_return[0].function) == ("exc_int3", entry)
    assert split_at_return(hot_path(release, "uprobe-nop"))[1] == ()


def test_a_multi_link_has_handlers_only_where_they_are_wanted() -> None:
    functions = [call.function for call in hot_path("tasks-trace", "uretprobe-multi-nop")]
    at_return = functions.index("sys_uretprobe")
    handlers = [i for i, f in enumerate(functions) if f.startswith("uprobe_multi_link")]
    assert [functions[i] for i in handlers] == ["uprobe_multi_link_ret_handler"]
    assert handlers[0] > at_return


def barriers(flavour: str, bench: str) -> int:
    return sum(
        op.kind is Kind.BARRIER for call in hot_path(flavour, bench) for op in call.operations
    )


@pytest.mark.parametrize(("bench", "pairs"), [("uprobe-ret", 1), ("uretprobe-nop", 2)])
def test_srcu_adds_two_barriers_a_pair_and_tasks_trace_none(bench: str, pairs: int) -> None:
    percpu_counter = 1
    assert barriers("srcu", bench) == percpu_counter + 2 * pairs
    assert barriers("tasks-trace", bench) == percpu_counter


def test_named_flavours_are_cumulative() -> None:
    before = RELEASES["v6.11"].patches
    assert (
        FLAVOURS["baseline"].patches == before == {patch.name for patch in PATCHES[: len(before)]}
    )
    for place, patch in enumerate(PATCHES, start=1):
        if patch.name not in before:
            assert FLAVOURS[patch.name].patches == {earlier.name for earlier in PATCHES[:place]}
    assert [FLAVOURS[n].title for n in ("baseline", "tasks-trace")] == [
        "BASELINE (on top of Oleg's clean up patches)",
        "RCU Tasks Trace",
    ]


def test_locks_are_released() -> None:
    for flavour in (*FLAVOURS, *RELEASES):
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


def test_a_multi_link_spares_the_pair_that_the_array_of_programs_has() -> None:
    def program(bench: str) -> list[str]:
        calls = [c for c in hot_path("v6.14", bench) if c.role is Role.PROGRAM]
        works = [op.work or op.kind.name for call in calls for op in call.operations]
        return ["bpf_prog" if name == "uprobe_multi_prog" else name for name in works]

    alone = program("uprobe-multi-nop")
    assert program("uprobe-nop") == ["trace_nesting", *alone, "trace_nesting"]


@pytest.mark.parametrize("flavour", ["v6.9", "v6.12", "v6.14", "v7.3"])
@pytest.mark.parametrize("kind", ["uprobe", "uretprobe"])
def test_a_multi_link_writes_nothing_shared_for_its_consumers(flavour: str, kind: str) -> None:
    lines = {
        op.line
        for call in hot_path(flavour, f"{kind}-multi-nop")
        if call.role in (Role.DISPATCH, Role.PROGRAM)
        for op in call.operations
    }
    assert lines == {None}
