"""The rules of each stage, and what each patch changes of those before it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rules:
    """What the stages decide differently. The functions in this package ask nothing else."""

    stage: int
    name: str
    tree_reference: bool
    """The tree owns a reference; otherwise every consumer owns one."""
    lookup: str
    """What a hit's lookup takes: get_uprobe, try_get_uprobe, or "" for no reference."""
    entry_section: str
    """Read section around lookup and handlers: "", srcu_read_lock or rcu_read_lock_trace."""
    return_section: str
    """The one around the return handlers."""
    chain_rwsem: bool
    """Handlers run under down_read(register_rwsem)."""
    lockless_tree: bool
    """The lookup takes no uprobes_treelock; writers change the tree in a seqcount."""
    prepare: str
    """What a return instance holds: get_uprobe, try_get_uprobe, or hprobe (an SRCU lease);
    hprobe-checked is a lease that is given back if the count turns out to be zero."""
    sync: tuple[str, ...]
    """Whose readers an unregistration waits for, one after the other: entry, return."""
    batch: bool
    """A batch of unregistrations ends in one wait, not in one each."""
    free: tuple[str, ...]
    """What a dead uprobe goes through: erase, erased (both ends of a work item), entry, return."""
    faults: frozenset[str] = frozenset()
    """Planted faults, by the names of `mutants.py`."""


BASELINE = Rules(
    stage=0,
    name="baseline",
    tree_reference=True,
    lookup="get_uprobe",
    entry_section="",
    return_section="",
    chain_rwsem=True,
    lockless_tree=False,
    prepare="get_uprobe",
    sync=(),
    batch=False,
    free=(),
)
REFCOUNT_REVAMP = replace(
    BASELINE, stage=2, name="refcount-revamp", tree_reference=False, lookup="try_get_uprobe"
)
SRCU_LIFETIME = replace(
    REFCOUNT_REVAMP,
    stage=3,
    name="srcu-lifetime",
    lookup="",
    entry_section="srcu_read_lock",
    prepare="try_get_uprobe",
    free=("entry",),
)
LOCKLESS_CONSUMERS = replace(
    SRCU_LIFETIME,
    stage=5,
    name="lockless-consumers",
    return_section="srcu_read_lock",
    chain_rwsem=False,
    sync=("entry",),
)
SPLIT_UNREGISTER = replace(LOCKLESS_CONSUMERS, stage=6, name="split-unregister", batch=True)
LOCKLESS_TREE = replace(SPLIT_UNREGISTER, stage=7, name="srcu", lockless_tree=True)
TASKS_TRACE = replace(
    LOCKLESS_TREE,
    stage=8,
    name="tasks-trace",
    entry_section="rcu_read_lock_trace",
    return_section="rcu_read_lock_trace",
)
SRCU_URETPROBE = replace(
    TASKS_TRACE,
    stage=10,
    name="srcu-uretprobe",
    prepare="hprobe",
    sync=("entry", "return"),
    free=("erase", "erased", "return", "entry"),
)

STAGES = {
    rules.stage: rules
    for rules in (
        BASELINE,
        REFCOUNT_REVAMP,
        SRCU_LIFETIME,
        LOCKLESS_CONSUMERS,
        SPLIT_UNREGISTER,
        LOCKLESS_TREE,
        TASKS_TRACE,
        SRCU_URETPROBE,
    )
}
"""By number of the series. Stages 1, 4, 9 and 11 to 14 change no lifetime."""

CHECKED_LEASE = replace(SRCU_URETPROBE, name="checked-lease", prepare="hprobe-checked")
"""No stage: stage 10 with a lease that looks at the reference count under `uretprobes_srcu`."""


def synchronize(rules: Rules, whose: str) -> str:
    """The kernel function that waits for these readers, `whose` being entry or return."""
    if whose == "return" or rules.entry_section == "srcu_read_lock":
        return "synchronize_srcu"
    return "synchronize_rcu_tasks_trace"
