"""The records of a replay of hits: threads, functions they are in, the kernel as they see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.stress.programs import LEFT

NOBODY = -1
DONE = LEFT + 1
"""Level of a hit, call or return that is over."""

MAX_URETPROBE_DEPTH = 64
"""Return instances that a task can have (include/linux/uprobes.h)."""

GET, TRY_GET, LEASE = range(3)
"""What a return instance holds."""

FINE, USED_FREED, NOT_CALLED, CALLED_GONE = range(4)
"""What a check found."""

THREAD = np.dtype(
    [
        (name, np.int64)
        for name in (
            "item",
            "begun",
            "level",
            "hit",
            "returns",
            "function",
            "uprobe",
            "depth",
            "instances",
            "nesting",
            "sections",
            "index",
            "wrong",
            "wrong_function",
        )
    ]
    + [(name, np.uint64) for name in ("must_call", "may_call", "visible")],
    align=True,
)
"""One thread: the `item` of its calls and returns that it is at, whether that has `begun` and its
`level`; whether it is a `hit`, of which function, and of what uprobe; how deep it is, and how many
of these frames have return `instances`; its read-section `nesting`, how many `sections` it has
entered, and under which SRCU `index`; what a check found first, in which function. `must_call` are
the consumers that the hit has to call, `may_call` those that were not off the list before it began,
`visible` those that were on the list since it entered what protects it."""

FRAME = np.dtype(
    [
        ("function", np.int64),
        ("uprobe", np.int64),
        ("holds", np.int64),
        ("index", np.int64),
        ("serial", np.int64),
        ("must_call", np.uint64),
        ("may_call", np.uint64),
        ("session", np.uint64),
    ],
    align=True,
)
"""A function that a thread is in; `uprobe` NOBODY if its return is not probed. `serial` tells one
lease from the next. `must_call` and `may_call` are the entry's; `session` are the consumers of the
return that the entry has called."""


class Snapshot(NamedTuple):
    """What others see of the threads of a group. Counters are cumulative.

    `thread` has shape (threads,), `frame` (threads, depth). `locks` and `unlocks` of the uprobes'
    SRCU, `leases` and `ended` of the return instances', have shape (threads, 2), by index; `hits`
    and `missed` (threads,). By uprobe: `held`, references that hits and return instances hold now,
    `walks` and `return_walks` of its list of consumers.
    """

    thread: NDArray[np.void]
    frame: NDArray[np.void]
    locks: IntArray
    unlocks: IntArray
    leases: IntArray
    ended: IntArray
    hits: IntArray
    missed: IntArray
    held: IntArray
    walks: IntArray
    return_walks: IntArray


class Threads(NamedTuple):
    """The threads of a group: Snapshot, and what they are to do.

    `items` is a ring of shape (threads, capacity): functions, and RETURN.
    """

    items: NDArray[np.int32]
    thread: NDArray[np.void]
    frame: NDArray[np.void]
    locks: IntArray
    unlocks: IntArray
    leases: IntArray
    ended: IntArray
    hits: IntArray
    missed: IntArray
    held: IntArray
    walks: IntArray
    return_walks: IntArray


class HitRules(NamedTuple):
    """What a stage decides for hits; see `core.kernel.rules.Rules`."""

    lookup_takes_reference: bool
    entry_section: bool
    """There is a read section around a hit."""
    return_section: bool
    """There is one around the handlers of its return."""
    instance_holds: int
    """What a return instance holds: GET, TRY_GET or LEASE."""
    chain_rwsem: bool
    """Handlers run under register_rwsem."""
    sessions: bool = False
    """Consumers of the return have a handler of the entry too, and are called only if that was."""


class View(NamedTuple):
    """The kernel's state of a window, as hits see it; see `uprobes.Uprobes`.

    By function: `found`, what a lookup gives, `installed`, `must_call`, `may_call`, `returns`. By
    uprobe: `alive`, whether there is a reference to it, `freed` and the two lists. `srcu_idx` is
    that of both SRCUs now, of hits and of return instances.
    """

    found: IntArray
    installed: NDArray[np.bool_]
    must_call: NDArray[np.uint64]
    may_call: NDArray[np.uint64]
    returns: NDArray[np.uint64]
    alive: NDArray[np.bool_]
    freed: NDArray[np.bool_]
    entry_list: NDArray[np.uint64]
    return_list: NDArray[np.uint64]
    rules: HitRules
    srcu_idx: IntArray
