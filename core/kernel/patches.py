"""The patches of the series, each a pure transformation of the hot path it finds.

Stage numbers are those of docs/hot-path.md; the kernel function names say which call is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from dataclasses import replace as changed
from typing import Any

from core.kernel import hot_path as hp
from core.kernel.operation import Call, Kind, Line, Operation, Path, Role, work
from core.kernel.primitives import (
    locked_private,
    refcount_inc_not_zero,
)
from core.kernel.rcu_flavours import READ_SIDES, SRCU_FAST_UPDOWN, ReadSide
from core.kernel.rules import BASELINE, Rules

SRCU = READ_SIDES["srcu"]
RULE_FIELDS = tuple(f.name for f in fields(Rules) if f.name not in ("stage", "name", "faults"))
TRY_GET = Call("try_get_uprobe", refcount_inc_not_zero(Line.UPROBE), Role.GET)
TRY_GET_FOR_RETURN = Call(
    "try_get_uprobe (return instance)", refcount_inc_not_zero(Line.UPROBE), Role.HOLD_RETURN
)
TRY_GET_FOR_STEP = Call("try_get_uprobe (single step)", refcount_inc_not_zero(Line.UPROBE))
PUT_AFTER_STEP = Call(hp.PUT_AFTER_STEP.function, hp.PUT_AFTER_STEP.operations)
RB_FIND_RCU = Call("rb_find_rcu", hp.RB_FIND.operations, Role.LOOKUP)
COUNTED = (Kind.LOCKED, Line.XOL_AREA)
"""What `slot_count` costs."""
SPECULATE = Call("mmap_lock_speculate_try_begin", (Operation(Kind.LOAD, Line.MMAP_SEQ),))
SPECULATE_RETRY = Call("mmap_lock_speculate_retry", (Operation(Kind.LOAD, Line.MMAP_SEQ),))
SYSCALL = (
    Call("sys_uprobe", work("uprobe_syscall_entry")),
    Call(
        "in_uprobe_trampoline",
        (*SPECULATE.operations, *work("vma_lookup"), *SPECULATE_RETRY.operations),
    ),
)
TAKE_UNCOUNTED = Call(
    hp.TAKE_SLOT.function,
    tuple(op for op in hp.TAKE_SLOT.operations if (op.kind, op.line) != COUNTED),
)
FREE_UNCOUNTED = Call(
    hp.FREE_SLOT.function,
    tuple(op for op in hp.FREE_SLOT.operations if (op.kind, op.line) != COUNTED),
)
FREE_RETURN_RCU = Call("free_ret_instance (kfree_rcu)", work("return_instance_free_rcu"))
POP_RETURN = Call(
    "alloc_return_instance (pool)", work("return_instance_pool"), Role.ALLOCATE_RETURN
)
PUSH_RETURN = Call("ri_pool_push", work("return_instance_pool"))
RETURN_SYSCALL = Call("sys_uretprobe", work("uretprobe_entry"), Role.ENTER_RETURN)
RETURN_SYSRET = Call("sysret", work("uretprobe_exit"))


def _unchanged(path: Path) -> Path:
    return path


def lease(side: ReadSide) -> Call:
    """A return instance is leased: it begins a section of `uretprobes_srcu`."""
    operations = (*side.lock.operations, *work("return_lease"))
    return Call("hprobe_init_leased", operations, Role.HOLD_RETURN)


def consume(side: ReadSide) -> Call:
    """The return takes the lease from the timer, and ends its section."""
    operations = (*locked_private("xchg"), *side.unlock.operations)
    return Call("hprobe_consume", operations, Role.PUT_RETURN)


@dataclass(frozen=True)
class Patch:
    """One patch: name, stage (0: it belongs to none of the series), and what it does.

    `path` edits the calls of a hit, `rules` are the fields of `core.kernel.rules.Rules` that it
    changes, `needs` the patches that it builds on. Read sections follow from the rules: what a path
    calls to begin and end them is put in by `core.kernel.flavours.hot_path`. Raises ValueError for
    rules that there are not.
    """

    name: str
    stage: int = 0
    summary: str = ""
    path: Callable[[Path], Path] = _unchanged
    rules: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    owner_beside_count: bool | None = None
    """Where it puts the words of `mmap_lock`, see `core.kernel.layout.Layout`; None: as before."""

    def __post_init__(self) -> None:
        unknown = self.rules.keys() - RULE_FIELDS
        if unknown:
            raise ValueError(f"rules: no {min(unknown)!r}; there are {', '.join(RULE_FIELDS)}")
        changed(BASELINE, **self.rules)


def replace(path: Path, old: Call, *new: Call) -> Path:
    """`path` with every `old` replaced by the calls `new`; none drops it."""
    return tuple(c for call in path for c in (new if call == old else (call,)))


def _lockless_filter(path: Path) -> Path:
    return replace(replace(path, hp.FILL_BUFFER), hp.FILTER)


def _uretprobe_syscall(path: Path) -> Path:
    path = replace(path, hp.RETURN_TRAP, RETURN_SYSCALL)
    return replace(path, hp.RETURN_IRET, RETURN_SYSRET)


def _refcount_revamp(path: Path) -> Path:
    return replace(path, hp.GET_UPROBE, TRY_GET)


def _srcu_lifetime(path: Path) -> Path:
    path = replace(replace(path, TRY_GET), hp.PUT_UPROBE)
    path = replace(path, hp.HOLD_FOR_RETURN, TRY_GET_FOR_RETURN)
    path = replace(path, hp.TAKE_SLOT, TRY_GET_FOR_STEP, hp.TAKE_SLOT)
    path = replace(path, hp.PUT_AFTER_STEP, PUT_AFTER_STEP)
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
    roles = [call.role for call in path]
    cut = roles.index(Role.ENTER_RETURN) if Role.ENTER_RETURN in roles else len(path)
    return path[:cut], path[cut:]


def _lockless_tree(path: Path) -> Path:
    path = replace(replace(path, hp.TREE_READ_LOCK), hp.TREE_READ_UNLOCK)
    return replace(path, hp.RB_FIND, RB_FIND_RCU)


def _percpu_nhit(path: Path) -> Path:
    return replace(
        path, hp.DISPATCH, Call("uprobe_dispatcher", work("consumer_call"), Role.DISPATCH)
    )


def _no_slot_count(path: Path) -> Path:
    path = replace(path, hp.TAKE_SLOT, TAKE_UNCOUNTED)
    return replace(path, hp.FREE_SLOT, FREE_UNCOUNTED)


def _srcu_uretprobe(path: Path) -> Path:
    path = replace(path, TRY_GET_FOR_RETURN, lease(SRCU))
    path = replace(path, hp.FREE_RETURN, FREE_RETURN_RCU)
    return replace(path, hp.PUT_AFTER_RETURN, consume(SRCU))


def _srcu_fast_uretprobe(path: Path) -> Path:
    path = replace(path, lease(SRCU), lease(SRCU_FAST_UPDOWN))
    return replace(path, consume(SRCU), consume(SRCU_FAST_UPDOWN))


def _speculative_vma(path: Path) -> Path:
    path = replace(path, hp.MMAP_READ_LOCK, SPECULATE)
    return replace(path, hp.MMAP_READ_UNLOCK, SPECULATE_RETRY)


def _ri_reuse(path: Path) -> Path:
    path = replace(path, hp.ALLOCATE_RETURN, POP_RETURN)
    return replace(replace(path, hp.FREE_RETURN, PUSH_RETURN), FREE_RETURN_RCU, PUSH_RETURN)


def _no_siglock(path: Path) -> Path:
    return replace(path, hp.RECALC_SIGPENDING)


def _emulate_nops(path: Path) -> Path:
    """A one-byte nop was emulated before; a longer one no longer takes a slot and a step."""
    if hp.DEBUG_TRAP_NOP5 not in path:
        return path
    for take in (hp.TAKE_SLOT, TAKE_UNCOUNTED):
        path = replace(path, take, hp.EMULATE_NOP5)
    path = replace(path, hp.PUT_AFTER_STEP, hp.PUT_UPROBE)
    before = (TRY_GET_FOR_STEP, hp.IRET_TO_SLOT, hp.DEBUG_TRAP_NOP5)
    after = (PUT_AFTER_STEP, hp.FREE_SLOT, FREE_UNCOUNTED, hp.RECALC_SIGPENDING)
    return tuple(call for call in path if call not in (*before, *after))


def _nop5(path: Path) -> Path:
    """Only a 5-byte nop is rewritten to a call; the breakpoint stays on other instructions."""
    if hp.EMULATE_NOP5 not in path:
        return path
    path = replace(path, hp.TRAP, *SYSCALL)
    path = replace(path, hp.EMULATE_NOP5)
    return replace(path, hp.IRET, Call("sysret (uprobe)", work("uprobe_syscall_exit")))


PATCHES = (
    Patch(
        "lockless-filter",
        0,
        "filter a perf event without its rwlock, fill no argument buffer",
        path=_lockless_filter,
    ),
    Patch("uretprobe-syscall", 0, "return by a system call, not int3", path=_uretprobe_syscall),
    Patch("rbtree-helpers", 1, "add rb_find_rcu() and rb_find_add_rcu()"),
    Patch(
        "refcount-revamp",
        2,
        "consumers own references, the tree none",
        path=_refcount_revamp,
        rules={"tree_reference": False, "lookup": "try_get_uprobe"},
    ),
    Patch(
        "srcu-lifetime",
        3,
        "SRCU keeps a uprobe alive during a hit",
        path=_srcu_lifetime,
        rules={
            "lookup": "",
            "entry_section": True,
            "prepare": "try_get_uprobe",
            "free": ("entry",),
        },
        needs=("refcount-revamp",),
    ),
    Patch("filter-ctx", 4, "drop enum uprobe_filter_ctx"),
    Patch(
        "lockless-consumers",
        5,
        "walk consumers under SRCU",
        path=_lockless_consumers,
        rules={"return_section": True, "chain_rwsem": False, "sync": ("entry",)},
        needs=("srcu-lifetime",),
    ),
    Patch(
        "split-unregister",
        6,
        "unregister in two halves, one sync a batch",
        rules={"batch": True},
        needs=("lockless-consumers",),
    ),
    Patch(
        "srcu",
        7,
        "look the tree up under SRCU and a seqcount",
        path=_lockless_tree,
        rules={"lockless_tree": True},
        needs=("rbtree-helpers", "srcu-lifetime"),
    ),
    Patch(
        "tasks-trace",
        8,
        "RCU Tasks Trace in place of SRCU",
        rules={"read_side": READ_SIDES["tasks-trace"]},
        needs=("srcu-lifetime",),
    ),
    Patch("percpu-nhit", 9, "count hits of an event per CPU", path=_percpu_nhit),
    Patch(
        "no-slot-count",
        0,
        "count the taken slots of an xol area by its bitmap alone",
        path=_no_slot_count,
    ),
    Patch(
        "mm-cid-cpus-allowed",
        0,
        "longer struct mm_struct: mmap_lock's count ends a line, its owner begins the next",
        owner_beside_count=False,
    ),
    Patch(
        "sessions",
        0,
        "call a consumer with both handlers at the return if it was at the entry",
        rules={"sessions": True},
    ),
    Patch(
        "srcu-uretprobe",
        10,
        "SRCU in place of a reference across the probed function",
        path=_srcu_uretprobe,
        rules={
            "prepare": "hprobe",
            "sync": ("entry", "return"),
            "free": ("erase", "erased", "return", "entry"),
        },
        needs=("srcu-lifetime",),
    ),
    Patch(
        "speculative-vma",
        11,
        "look the VMA up speculatively, without mmap_lock",
        path=_speculative_vma,
        needs=("srcu-lifetime",),
    ),
    Patch("ri-reuse", 12, "reuse return instances", path=_ri_reuse),
    Patch("no-siglock", 0, "a single step takes no siglock", path=_no_siglock),
    Patch("emulate-nops", 0, "emulate nops of every length", path=_emulate_nops),
    Patch(
        "nop5",
        13,
        "turn a 5-byte nop into a system call, in place of int3",
        path=_nop5,
        needs=("speculative-vma", "emulate-nops"),
    ),
    Patch(
        "mm-cid-aligned",
        0,
        "cache-line aligned struct mm_mm_cid: mmap_lock's count and owner on one line again",
        owner_beside_count=True,
    ),
    Patch(
        "srcu-fast",
        14,
        "Tasks Trace on SRCU-fast",
        rules={"read_side": READ_SIDES["srcu-fast"]},
        needs=("tasks-trace",),
    ),
    Patch(
        "srcu-fast-uretprobe",
        15,
        "uretprobes_srcu on SRCU-fast-updown",
        path=_srcu_fast_uretprobe,
        rules={"lease_side": SRCU_FAST_UPDOWN},
        needs=("srcu-uretprobe",),
    ),
)
"""In the order of landing, which is also the order in which they are applied."""
