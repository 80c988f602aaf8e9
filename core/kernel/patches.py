"""The patches of the series, each a pure transformation of the hot path it finds.

Stage numbers are those of docs/model.md; the kernel function names say which call is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.kernel import hot_path as hp
from core.kernel.operation import Call, Kind, Line, Operation, Path, work
from core.kernel.primitives import (
    locked_private,
    refcount_inc_not_zero,
    srcu_read_lock,
    srcu_read_unlock,
)
from core.kernel.rcu_flavours import READ_SIDES, under

SRCU = READ_SIDES["srcu"]
TRY_GET = Call("try_get_uprobe", refcount_inc_not_zero(Line.UPROBE))
TRY_GET_FOR_RETURN = Call("try_get_uprobe (return instance)", refcount_inc_not_zero(Line.UPROBE))
TRY_GET_FOR_STEP = Call("try_get_uprobe (single step)", refcount_inc_not_zero(Line.UPROBE))
RB_FIND_RCU = Call("rb_find_rcu", hp.RB_FIND.operations)
LEASE = Call("hprobe_init_leased", (*srcu_read_lock(), *work("return_lease")))
CONSUME = Call("hprobe_consume", (*locked_private("xchg"), *srcu_read_unlock()))
SPECULATE = Call("mmap_lock_speculate_try_begin", (Operation(Kind.LOAD, Line.MMAP_SEQ),))
SPECULATE_RETRY = Call("mmap_lock_speculate_retry", (Operation(Kind.LOAD, Line.MMAP_SEQ),))


@dataclass(frozen=True)
class Patch:
    """One patch: name, stage, what it does, how it edits a path, and the patches it builds on."""

    name: str
    stage: int
    summary: str
    apply: Callable[[Path], Path]
    needs: tuple[str, ...] = ()


def replace(path: Path, old: Call, *new: Call) -> Path:
    """`path` with every `old` replaced by the calls `new`; none drops it."""
    return tuple(c for call in path for c in (new if call == old else (call,)))


def _unchanged(path: Path) -> Path:
    return path


def _refcount_revamp(path: Path) -> Path:
    return replace(path, hp.GET_UPROBE, TRY_GET)


def _srcu_lifetime(path: Path) -> Path:
    path = replace(replace(path, TRY_GET), hp.PUT_UPROBE)
    path = replace(path, hp.HOLD_FOR_RETURN, TRY_GET_FOR_RETURN)
    path = replace(path, hp.TAKE_SLOT, TRY_GET_FOR_STEP, hp.TAKE_SLOT)
    path = replace(path, hp.TRAP, hp.TRAP, SRCU.lock)
    for last in (hp.EMULATE, hp.EMULATE_PUSH, hp.TAKE_SLOT):
        path = replace(path, last, last, SRCU.unlock)
    return path


def _lockless_consumers(path: Path) -> Path:
    before_return, at_return = split_at_return(path)
    before_return = replace(replace(before_return, hp.CONSUMERS_LOCK), hp.CONSUMERS_UNLOCK)
    at_return = replace(at_return, hp.CONSUMERS_LOCK, SRCU.lock)
    at_return = replace(at_return, hp.CONSUMERS_UNLOCK, SRCU.unlock)
    return before_return + at_return


def split_at_return(path: Path) -> tuple[Path, Path]:
    """What a hit does when the function is called, and when it returns (nothing, for a uprobe)."""
    functions = [call.function for call in path]
    cut = functions.index("sys_uretprobe") if "sys_uretprobe" in functions else len(path)
    return path[:cut], path[cut:]


def _lockless_tree(path: Path) -> Path:
    path = replace(replace(path, hp.TREE_READ_LOCK), hp.TREE_READ_UNLOCK)
    return replace(path, hp.RB_FIND, RB_FIND_RCU)


def _tasks_trace(path: Path) -> Path:
    return under(path, "tasks-trace")


def _percpu_nhit(path: Path) -> Path:
    return replace(path, hp.DISPATCH, Call("uprobe_dispatcher", work("consumer_call")))


def _srcu_uretprobe(path: Path) -> Path:
    path = replace(path, TRY_GET_FOR_RETURN, LEASE)
    return replace(path, hp.PUT_AFTER_RETURN, CONSUME)


def _speculative_vma(path: Path) -> Path:
    path = replace(path, hp.MMAP_READ_LOCK, SPECULATE)
    return replace(path, hp.MMAP_READ_UNLOCK, SPECULATE_RETRY)


def _ri_reuse(path: Path) -> Path:
    return replace(replace(path, hp.ALLOCATE_RETURN), hp.FREE_RETURN)


def _nop5(path: Path) -> Path:
    """Only a nop can be rewritten to a call; the breakpoint stays on other instructions."""
    if hp.EMULATE not in path:
        return path
    path = replace(path, hp.TRAP, Call("sys_uprobe", work("uprobe_syscall_entry")))
    path = replace(path, hp.EMULATE)
    return replace(path, hp.IRET, Call("sysret (uprobe)", work("uprobe_syscall_exit")))


def _srcu_fast(path: Path) -> Path:
    return under(path, "srcu-fast")


PATCHES = (
    Patch("rbtree-helpers", 1, "add rb_find_rcu() and rb_find_add_rcu()", _unchanged),
    Patch("refcount-revamp", 2, "consumers own references, the tree none", _refcount_revamp),
    Patch(
        "srcu-lifetime",
        3,
        "SRCU keeps a uprobe alive during a hit",
        _srcu_lifetime,
        ("refcount-revamp",),
    ),
    Patch("filter-ctx", 4, "drop enum uprobe_filter_ctx", _unchanged),
    Patch(
        "lockless-consumers",
        5,
        "walk consumers under SRCU",
        _lockless_consumers,
        ("srcu-lifetime",),
    ),
    Patch(
        "split-unregister",
        6,
        "unregister in two halves, one sync a batch",
        _unchanged,
        ("lockless-consumers",),
    ),
    Patch(
        "srcu",
        7,
        "look the tree up under SRCU and a seqcount",
        _lockless_tree,
        ("rbtree-helpers", "srcu-lifetime"),
    ),
    Patch("tasks-trace", 8, "RCU Tasks Trace in place of SRCU", _tasks_trace, ("srcu-lifetime",)),
    Patch("percpu-nhit", 9, "count hits of an event per CPU (v6.12)", _percpu_nhit),
    Patch(
        "srcu-uretprobe",
        10,
        "SRCU in place of a reference across the probed function (v6.13)",
        _srcu_uretprobe,
        ("srcu-lifetime",),
    ),
    Patch(
        "speculative-vma",
        11,
        "look the VMA up speculatively, without mmap_lock (v6.14)",
        _speculative_vma,
        ("srcu-lifetime",),
    ),
    Patch("ri-reuse", 12, "reuse return instances (v6.14)", _ri_reuse),
    Patch("nop5", 13, "enter by a system call, not int3 (v6.18)", _nop5),
    Patch("srcu-fast", 14, "Tasks Trace on SRCU-fast (v7.0)", _srcu_fast, ("tasks-trace",)),
)
"""In the order of landing, which is also the order in which they are applied."""
