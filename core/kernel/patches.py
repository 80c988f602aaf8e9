"""The patches of the series, each a pure transformation of the hot path it finds.

Stage numbers are those of docs/model.md; the kernel function names say which call is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.kernel import hot_path as hp
from core.kernel.operation import Call, Line, Path
from core.kernel.primitives import (
    rcu_read_lock_trace,
    rcu_read_unlock_trace,
    refcount_inc_not_zero,
    srcu_read_lock,
    srcu_read_unlock,
)

SRCU_LOCK = Call("srcu_read_lock(&uprobes_srcu)", srcu_read_lock())
SRCU_UNLOCK = Call("srcu_read_unlock(&uprobes_srcu)", srcu_read_unlock())
TRACE_LOCK = Call("rcu_read_lock_trace", rcu_read_lock_trace())
TRACE_UNLOCK = Call("rcu_read_unlock_trace", rcu_read_unlock_trace())
TRY_GET = Call("try_get_uprobe", refcount_inc_not_zero(Line.UPROBE))
TRY_GET_FOR_RETURN = Call("try_get_uprobe (return instance)", refcount_inc_not_zero(Line.UPROBE))
RB_FIND_RCU = Call("rb_find_rcu", hp.RB_FIND.operations)


@dataclass(frozen=True)
class Patch:
    """One patch: its name, its stage in the series, what it does, and how it edits a path."""

    name: str
    stage: int
    summary: str
    apply: Callable[[Path], Path]


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
    path = replace(path, hp.TRAP, hp.TRAP, SRCU_LOCK)
    return replace(path, hp.EMULATE, hp.EMULATE, SRCU_UNLOCK)


def _lockless_consumers(path: Path) -> Path:
    before_return, at_return = _split_at_return(path)
    before_return = replace(replace(before_return, hp.CONSUMERS_LOCK), hp.CONSUMERS_UNLOCK)
    at_return = replace(at_return, hp.CONSUMERS_LOCK, SRCU_LOCK)
    at_return = replace(at_return, hp.CONSUMERS_UNLOCK, SRCU_UNLOCK)
    return before_return + at_return


def _split_at_return(path: Path) -> tuple[Path, Path]:
    functions = [call.function for call in path]
    cut = functions.index("sys_uretprobe") if "sys_uretprobe" in functions else len(path)
    return path[:cut], path[cut:]


def _lockless_tree(path: Path) -> Path:
    path = replace(replace(path, hp.TREE_READ_LOCK), hp.TREE_READ_UNLOCK)
    return replace(path, hp.RB_FIND, RB_FIND_RCU)


def _tasks_trace(path: Path) -> Path:
    return replace(replace(path, SRCU_LOCK, TRACE_LOCK), SRCU_UNLOCK, TRACE_UNLOCK)


PATCHES = (
    Patch("rbtree-helpers", 1, "add rb_find_rcu() and rb_find_add_rcu()", _unchanged),
    Patch("refcount-revamp", 2, "consumers own references, the tree none", _refcount_revamp),
    Patch("srcu-lifetime", 3, "SRCU keeps a uprobe alive during a hit", _srcu_lifetime),
    Patch("filter-ctx", 4, "drop enum uprobe_filter_ctx", _unchanged),
    Patch("lockless-consumers", 5, "walk consumers under SRCU", _lockless_consumers),
    Patch("split-unregister", 6, "unregister in two halves, one sync a batch", _unchanged),
    Patch("lockless-tree", 7, "look the tree up under SRCU and a seqcount", _lockless_tree),
    Patch("tasks-trace", 8, "RCU Tasks Trace in place of SRCU", _tasks_trace),
)
