"""The read-side flavours of RCU that can protect a hit, and how a path is moved between them."""

from __future__ import annotations

from dataclasses import dataclass

from core.kernel.operation import Call, Path
from core.kernel.primitives import (
    rcu_read_lock_trace,
    rcu_read_unlock_trace,
    srcu_read_lock,
    srcu_read_lock_fast,
    srcu_read_lock_lite,
    srcu_read_unlock,
    srcu_read_unlock_fast,
    srcu_read_unlock_lite,
)


@dataclass(frozen=True)
class ReadSide:
    """A flavour of RCU as its readers see it: what begins a section and what ends it."""

    name: str
    summary: str
    lock: Call
    unlock: Call


DEFAULT = "default"

READ_SIDES = {
    side.name: side
    for side in (
        ReadSide(
            "srcu",
            "index load, per-CPU increment, smp_mb(); the same to unlock",
            Call("srcu_read_lock(&uprobes_srcu)", srcu_read_lock()),
            Call("srcu_read_unlock(&uprobes_srcu)", srcu_read_unlock()),
        ),
        ReadSide(
            "srcu-lite",
            "index load, per-CPU increment, no barrier",
            Call("srcu_read_lock_lite(&uprobes_srcu)", srcu_read_lock_lite()),
            Call("srcu_read_unlock_lite(&uprobes_srcu)", srcu_read_unlock_lite()),
        ),
        ReadSide(
            "srcu-fast",
            "one per-CPU increment by pointer, no barrier",
            Call("srcu_read_lock_fast", srcu_read_lock_fast()),
            Call("srcu_read_unlock_fast", srcu_read_unlock_fast()),
        ),
        ReadSide(
            "tasks-trace",
            "task-local nesting count, no barrier",
            Call("rcu_read_lock_trace", rcu_read_lock_trace()),
            Call("rcu_read_unlock_trace", rcu_read_unlock_trace()),
        ),
    )
}

RCU = (DEFAULT, *READ_SIDES)
"""The axis: `default` leaves a path the sections that its patches gave it."""


def under(path: Path, rcu: str) -> Path:
    """`path` with all its read sections of the flavour `rcu`, one of RCU.

    A path without any, as the baseline's, stays as it is. So does the pair that `srcu-uretprobe`
    spans over the probed function: `uretprobes_srcu` is an srcu_struct of its own, and SRCU by
    nature, as a timer may end the section. Raises KeyError for another name.
    """
    if rcu == DEFAULT:
        return path
    side = READ_SIDES[rcu]
    swap = {other.lock: side.lock for other in READ_SIDES.values()}
    swap |= {other.unlock: side.unlock for other in READ_SIDES.values()}
    return tuple(swap.get(call, call) for call in path)
