"""How far a hit is, operation by operation, against the paths by hand; rules of every flavour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stress_cells import STAGE_NAMES

from core.kernel.flavours import hot_path, rules_of
from core.kernel.layout import Layout
from core.kernel.operation import Path
from core.kernel.patches import PATCHES, Patch
from core.kernel.stages import STAGES
from core.machine.machine import load_machine
from core.stress.programs import MOST_CONSUMERS, Programs, compile_programs
from core.workload import STRESS

Levels = list[tuple[int, str]]

TREE_UNLOCK = "read_unlock(&uprobes_treelock)"
SRCU_LOCK, SRCU_UNLOCK = "srcu_read_lock(&uprobes_srcu)", "srcu_read_unlock(&uprobes_srcu)"
RWSEM, RWSEM_END = "down_read(&uprobe->register_rwsem)", "up_read(&uprobe->register_rwsem)"
PUT_LATER = "put_uprobe (return instance)"

FOUND_AND_WALKED = [(2, TREE_UNLOCK), (3, RWSEM), (4, "prepare_uretprobe")]
CALLS: dict[int, Levels] = {
    0: [*FOUND_AND_WALKED, (5, "put_uprobe"), (6, "")],
    3: [(1, "mmap_read_lock"), *FOUND_AND_WALKED, (5, SRCU_UNLOCK), (6, "")],
    5: [(1, "mmap_read_lock"), (2, TREE_UNLOCK), (4, "prepare_uretprobe"), (6, "")],
    7: [(1, "mmap_read_lock"), (2, "mmap_read_unlock"), (4, "prepare_uretprobe"), (6, "")],
}
CALLS |= {2: CALLS[0], 6: CALLS[5], 8: CALLS[7], 10: CALLS[7]}
CALLS[14] = [
    (1, "mmap_lock_speculate_try_begin"),
    (2, "mmap_lock_speculate_retry"),
    *CALLS[7][2:],
]
"""By stage, the first operation before which a call with one consumer of either kind is at each
level (1 entered, 2 found, 3 walking, 4 walked, 5 off the list, 6 left); "" is the end."""

RETURNS: dict[int, Levels] = {
    0: [(3, RWSEM), (4, RWSEM_END), (5, PUT_LATER), (6, "")],
    5: [(1, "uprobe_prog_run"), (4, SRCU_UNLOCK), (5, PUT_LATER), (6, "")],
    8: [(1, "uprobe_prog_run"), (4, "rcu_read_unlock_trace"), (5, PUT_LATER), (6, "")],
    10: [(1, "uprobe_prog_run"), (4, "rcu_read_unlock_trace"), (5, "hprobe_consume"), (6, "")],
}
RETURNS |= {2: RETURNS[0], 3: RETURNS[0], 6: RETURNS[5], 7: RETURNS[5]}
RETURNS[14] = [
    (level, name.replace("rcu_read_unlock_trace", "srcu_read_unlock_fast"))
    for level, name in RETURNS[10]
]
CALLS[15], RETURNS[15] = CALLS[14], RETURNS[14]


def programs(flavour: str, bench: str = STRESS, consumers: int = 1) -> Programs:
    cycles = load_machine("generic").execution.work
    return compile_programs(bench, flavour, "default", Layout(1), cycles, 0.0, consumers)


def rises(made: Programs, at: int) -> Levels:
    """Where the level is above that of the operation before."""
    found, last = [], 0
    while True:
        function, level = made.code.names[at][0], int(made.level[at])
        if level > last:
            found.append((level, function))
            last = level
        if not function:
            return found
        at += 1


@pytest.mark.parametrize("stage", STAGES)
def test_levels_by_hand(stage: int) -> None:
    made = programs(STAGE_NAMES[stage])
    assert rises(made, int(made.call[1, 1])) == CALLS[stage]
    assert rises(made, int(made.back[1, 1])) == RETURNS[stage]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("bench", ["uprobe-nop", "uretprobe-ret", "uretprobe-multi-nop"])
def test_no_level_depends_on_what_a_call_is_named(
    stage: int, bench: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = programs(STAGE_NAMES[stage], bench)

    def renamed(*args: str) -> Path:
        path = hot_path(*args)
        return tuple(replace(call, function=f"f{place}") for place, call in enumerate(path))

    monkeypatch.setattr("core.stress.programs.hot_path", renamed)
    other = programs(STAGE_NAMES[stage], bench)
    assert other.level.tolist() == made.level.tolist()
    assert other.code.kind.tolist() == made.code.kind.tolist()
    assert other.call.tolist() == made.call.tolist()


@pytest.mark.parametrize("stage", [0, 2])
def test_a_step_keeps_the_reference_of_the_lookup_until_it_is_over(stage: int) -> None:
    made = programs(STAGE_NAMES[stage], "uprobe-ret")
    assert rises(made, int(made.call[1, 1]))[-1] == (6, "xol_free_insn_slot")


def test_a_lease_ends_with_the_whole_of_its_consumption() -> None:
    made = programs("srcu-uretprobe")
    at = int(made.back[1, 1])
    rows = [row for row in range(at, at + 20) if made.code.names[row][0] == "hprobe_consume"]
    assert made.level[rows[:2]].tolist() == [5, 5]


def test_without_a_breakpoint_nothing_happens() -> None:
    made = programs("srcu")
    assert rises(made, made.plain) == []
    assert made.back[1, 0] == made.back[0, 0] == made.plain


def test_more_consumers_take_longer_up_to_a_limit() -> None:
    made = programs("srcu", consumers=99)
    assert made.call.shape == (MOST_CONSUMERS + 1, MOST_CONSUMERS + 1)
    lengths = [
        sum(name[0] == "uprobe_prog_run" for name in path(made, int(made.call[entry, 0])))
        for entry in range(4)
    ]
    assert lengths == [0, 1, 2, 3]


def path(made: Programs, at: int) -> list[tuple[str, str, str]]:
    end = next(row for row in range(at, len(made.code.names)) if not made.code.names[row][0])
    return list(made.code.names[at:end])


@pytest.mark.parametrize("patch", [p for p in PATCHES if p.stage], ids=lambda patch: patch.name)
def test_every_flavour_has_the_rules_of_the_last_stage_that_changes_any(patch: Patch) -> None:
    assert rules_of(patch.name) == STAGES[max(s for s in STAGES if s <= patch.stage)]


@pytest.mark.parametrize(
    ("release", "stage"),
    [
        ("v6.9", 0),
        ("v6.11", 0),
        ("v6.12", 7),
        ("v6.12-late", 8),
        ("v6.13", 10),
        ("v6.18", 10),
        ("v7.0", 14),
    ],
)
def test_rules_of_kernel_releases(release: str, stage: int) -> None:
    assert rules_of(release) == STAGES[stage]
