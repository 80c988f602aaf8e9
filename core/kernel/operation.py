"""The vocabulary of a hot path: operations on cache lines, and stretches of private work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Line(Enum):
    """Cache lines that other CPUs also touch; the value says where the line lives."""

    MMAP_COUNT = "mm->mmap_lock.count"
    MMAP_OWNER = "mm->mmap_lock.owner"
    MMAP_SEQ = "mm->mm_lock_seq"
    XOL_AREA = "struct xol_area: wq, bitmap pointer, page, vaddr"
    XOL_BITMAP = "xol_area->bitmap"
    TREE = "uprobes_treelock, uprobes_tree, uprobes_seqcount"
    UPROBE = "struct uprobe, bytes 0-63: rb_node, ref, register_rwsem"
    EVENT = "trace_uprobe.nhit"
    FILTER = "trace_uprobe_filter.rwlock"
    SIGLOCK = "sighand->siglock"

    @property
    def per_probe(self) -> bool:
        """True for a line of which every probe has its own."""
        return self in (Line.UPROBE, Line.EVENT, Line.FILTER)

    @property
    def per_process(self) -> bool:
        """True for a line of which every process (mm) has its own."""
        mm = (Line.MMAP_COUNT, Line.MMAP_OWNER, Line.MMAP_SEQ)
        return self in (*mm, Line.XOL_AREA, Line.XOL_BITMAP, Line.SIGLOCK)


@dataclass(frozen=True)
class OwnLine:
    """A cache line that a design of the user's brings along: one, or one a probe or a process.

    `name` says what is on it, as `Line.value` does, and is what results call it.
    """

    name: str
    per_probe: bool = False
    per_process: bool = False

    @property
    def value(self) -> str:
        """The same as `name`."""
        return self.name


AnyLine = Line | OwnLine


class Kind(IntEnum):
    """What one operation asks of the memory system."""

    LOAD = 0
    STORE = 1
    """Plain store: retires into the store buffer, the CPU goes on."""
    LOCKED = 2
    """Locked read-modify-write (`lock xadd`): drains the store buffer, needs the only copy."""
    CMPXCHG = 3
    """`lock cmpxchg` or `lock bts` after a load: as LOCKED, repeated if that load is outdated."""
    BARRIER = 4
    """Locked operation on a line of the CPU's own (`smp_mb()`, a per-CPU atomic): drains only."""
    WORK = 5
    """Private work; touches nothing that is shared."""
    MARK = 6
    """Nothing at all: a point of the path whose passing somebody wants to see."""


class Lock(IntEnum):
    """What an operation does to the lock that its line holds; a line holds at most one."""

    NONE = 0
    READ = 1
    READ_END = 2
    WRITE = 3
    WRITE_END = 4
    SLOT = 5
    """One of SLOTS places."""
    SLOT_END = 6


SLOTS = 32
"""Instructions that fit into the page of a process' xol area: 4096 bytes / 128 (from memory:
UINSNS_PER_PAGE)."""


@dataclass(frozen=True)
class Operation:
    """One operation: `line` for those on memory, `work` names an entry of `work_cycles`.

    `cycles` is how long work takes that is a design's own, in core cycles; None: see the machine.

    `ancestors` marks the load of a tree walk: it reads the line of every ancestor of the probe
    in the balanced tree, not the probe's own. `reference_count` marks a write of a count of
    references, or one that takes a slot: it fails a CMPXCHG whose load came before it.
    `instruction` is for people: what is executed, where it is not what `Kind` says. `lock` matters
    only where somebody writes; who waits for one that `sleeps` (an rwsem) sleeps, others spin.
    """

    kind: Kind
    line: AnyLine | None = None
    work: str = ""
    ancestors: bool = False
    reference_count: bool = False
    instruction: str = ""
    lock: Lock = Lock.NONE
    sleeps: bool = False
    cycles: int | None = None


class Role(Enum):
    """What a call is for. Whoever looks for a part of a path looks for this, never for a name."""

    NONE = "nothing that anybody asks for"
    LOOKUP = "finds the uprobe in the tree"
    GET = "takes the lookup's reference"
    PUT = "drops it"
    READ_LOCK = "begins a read section"
    READ_UNLOCK = "ends it"
    CHAIN_LOCK = "down_read(register_rwsem), around the handlers"
    CHAIN_UNLOCK = "up_read(register_rwsem)"
    DISPATCH = "calls one consumer, up to its program"
    PROGRAM = "runs one consumer's BPF program"
    ALLOCATE_RETURN = "makes a return instance"
    PREPARE_RETURN = "rewrites the return address"
    HOLD_RETURN = "a reference or a lease for the return instance"
    ENTER_RETURN = "the probed function has returned: from user space into the kernel again"
    PUT_RETURN = "the return instance lets go of the uprobe"


@dataclass(frozen=True)
class Call:
    """A kernel function on the hot path and the operations it does, in program order.

    `function` is for people; `role` is what the rest of the program knows the call by.
    """

    function: str
    operations: tuple[Operation, ...]
    role: Role = Role.NONE


Path = tuple[Call, ...]


def work(name: str, cycles: int | None = None) -> tuple[Operation, ...]:
    """Private work whose length is `work_cycles[name]` of the machine, or `cycles` core cycles."""
    return (Operation(Kind.WORK, work=name, cycles=cycles),)


def excludes(path: Path) -> bool:
    """Whether a hit may find that others keep it out: a spinlock, or all slots taken."""
    return any(op.lock in (Lock.WRITE, Lock.SLOT) for call in path for op in call.operations)


def own_lines(path: Path) -> tuple[OwnLine, ...]:
    """The lines of `path` that are a design's own, in the order of their names."""
    lines = {op.line for call in path for op in call.operations}
    return tuple(sorted((x for x in lines if isinstance(x, OwnLine)), key=lambda x: x.name))
