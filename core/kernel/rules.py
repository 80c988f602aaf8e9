"""The lifetime rules of a design: what decides when an uprobe and a consumer may be used."""

from __future__ import annotations

from dataclasses import dataclass

from core.kernel.rcu_flavours import READ_SIDES, ReadSide

CHOICES: dict[str, tuple[str, ...]] = {
    "lookup": ("", "get_uprobe", "try_get_uprobe"),
    "prepare": ("get_uprobe", "try_get_uprobe", "hprobe", "hprobe-checked"),
    "sync": ("entry", "return"),
    "free": ("erase", "erased", "entry", "return"),
}
"""Values of the fields that name something; those of `sync` and `free` are sequences of them."""


@dataclass(frozen=True)
class Rules:
    """What designs decide differently. Registration, hits and grace periods ask nothing else.

    A patch names in `Patch.rules` the fields that it changes. The defaults are stage 0's.
    Raises ValueError for a value that means nothing.
    """

    stage: int = 0
    """That of the last patch of the series that changed anything here, and its `name`."""
    name: str = "baseline"
    tree_reference: bool = True
    """The tree owns a reference; otherwise every consumer owns one."""
    lookup: str = "get_uprobe"
    """What a hit's lookup takes: get_uprobe, try_get_uprobe, or "" for no reference."""
    entry_section: bool = False
    """There is a read section around lookup and handlers."""
    return_section: bool = False
    """There is one around the return handlers."""
    read_side: ReadSide = READ_SIDES["srcu"]
    """The flavour of RCU of both, and so who waits for them."""
    lease_side: ReadSide = READ_SIDES["srcu"]
    """That of return instances that are leased (`uretprobes_srcu`)."""
    chain_rwsem: bool = True
    """Handlers run under down_read(register_rwsem)."""
    lockless_tree: bool = False
    """The lookup takes no uprobes_treelock; writers change the tree in a seqcount."""
    prepare: str = "get_uprobe"
    """What a return instance holds: get_uprobe, try_get_uprobe, or hprobe (an SRCU lease);
    hprobe-checked is a lease that is given back if the count turns out to be zero."""
    sessions: bool = False
    """A consumer with both handlers is called at the return only if it was called at the entry."""
    sync: tuple[str, ...] = ()
    """Whose readers an unregistration waits for, one after the other: entry, return."""
    batch: bool = False
    """A batch of unregistrations ends in one wait, not in one each."""
    free: tuple[str, ...] = ()
    """What a dead uprobe goes through: erase, erased (both ends of a work item), entry, return."""
    faults: frozenset[str] = frozenset()
    """Planted faults, by the names of `core.modelcheck.mutants`."""

    def __post_init__(self) -> None:
        for field, choices in CHOICES.items():
            value = getattr(self, field)
            for word in (value,) if isinstance(value, str) else value:
                if word not in choices:
                    allowed = ", ".join(c or '""' for c in choices)
                    raise ValueError(f"rules: {field} {word!r}: choose from {allowed}")
        for field in ("read_side", "lease_side"):
            if not isinstance(getattr(self, field), ReadSide):
                raise ValueError(f"rules: {field} is no ReadSide: {getattr(self, field)!r}")

    @property
    def leases(self) -> bool:
        """A return instance holds a lease and no reference."""
        return self.prepare.startswith("hprobe")

    def side(self, whose: str) -> ReadSide:
        """The flavour of RCU of the readers of `entry` (a hit and its return) or `return`."""
        return {"entry": self.read_side, "return": self.lease_side}[whose]


BASELINE = Rules()
