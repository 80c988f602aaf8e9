"""The read-side flavours of RCU that can protect a hit, and how a path is moved between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.kernel.operation import Call, Path, Role
from core.kernel.primitives import (
    Operations,
    rcu_read_lock_trace,
    rcu_read_unlock_trace,
    srcu_read_lock,
    srcu_read_lock_fast,
    srcu_read_lock_lite,
    srcu_read_unlock,
    srcu_read_unlock_fast,
    srcu_read_unlock_lite,
)


class GracePeriod(Enum):
    """What is waited for, as far as its length goes."""

    SRCU = "two scans of the counters, readers having full barriers"
    SRCU_FAST = "two scans, each after a synchronize_rcu() in place of the readers' barriers"
    TASKS_TRACE = "every task seen outside its sections"


@dataclass(frozen=True)
class ReadSide:
    """A flavour of RCU: what begins a read section and what ends it, and who waits for that.

    `synchronize` is the kernel function that waits for the readers, `grace_period` what it does.
    """

    name: str
    summary: str
    lock: Call
    unlock: Call
    grace_period: GracePeriod
    synchronize: str = "synchronize_srcu"

    def __post_init__(self) -> None:
        """Raises ValueError for calls that nobody would take for the ends of a section."""
        for call, role in ((self.lock, Role.READ_LOCK), (self.unlock, Role.READ_UNLOCK)):
            if call.role is not role:
                raise ValueError(f"{self.name}: {call.function} needs the role {role.name}")

    @property
    def call(self) -> str:
        """The kernel function that calls back when it is over."""
        return self.synchronize.replace("synchronize", "call")


def _section(lock: tuple[str, Operations], unlock: tuple[str, Operations]) -> tuple[Call, Call]:
    return Call(*lock, Role.READ_LOCK), Call(*unlock, Role.READ_UNLOCK)


DEFAULT = "default"

READ_SIDES = {
    side.name: side
    for side in (
        ReadSide(
            "srcu",
            "index load, per-CPU increment, smp_mb(); the same to unlock",
            *_section(
                ("srcu_read_lock(&uprobes_srcu)", srcu_read_lock()),
                ("srcu_read_unlock(&uprobes_srcu)", srcu_read_unlock()),
            ),
            GracePeriod.SRCU,
        ),
        ReadSide(
            "srcu-lite",
            "index load, per-CPU increment, no barrier",
            *_section(
                ("srcu_read_lock_lite(&uprobes_srcu)", srcu_read_lock_lite()),
                ("srcu_read_unlock_lite(&uprobes_srcu)", srcu_read_unlock_lite()),
            ),
            GracePeriod.SRCU_FAST,
        ),
        ReadSide(
            "srcu-fast",
            "one per-CPU increment by pointer, no barrier",
            *_section(
                ("srcu_read_lock_fast", srcu_read_lock_fast()),
                ("srcu_read_unlock_fast", srcu_read_unlock_fast()),
            ),
            GracePeriod.SRCU_FAST,
        ),
        ReadSide(
            "tasks-trace",
            "task-local nesting count, no barrier",
            *_section(
                ("rcu_read_lock_trace", rcu_read_lock_trace()),
                ("rcu_read_unlock_trace", rcu_read_unlock_trace()),
            ),
            GracePeriod.TASKS_TRACE,
            "synchronize_rcu_tasks_trace",
        ),
    )
}

SRCU_FAST_UPDOWN = ReadSide(
    "srcu-fast-updown",
    "as srcu-fast; the section may end in another context than it began in",
    *_section(
        ("srcu_read_lock_fast_updown(&uretprobes_srcu)", srcu_read_lock_fast()),
        ("srcu_read_unlock_fast_updown(&uretprobes_srcu)", srcu_read_unlock_fast()),
    ),
    GracePeriod.SRCU_FAST,
)
"""For leases of return instances alone: no section of a hit, so none of the axis.

36c8b02c3fe9 (tip, perf/core, 3 August 2026; read): both smp_mb() of a lease go, and the load of the
index. Its grace periods are SRCU-fast's: a synchronize_rcu() before either scan, never expedited.
"""

RCU = (DEFAULT, *READ_SIDES)
"""The axis: `default` leaves a path the sections that its patches gave it."""


def under(path: Path, side: ReadSide) -> Path:
    """`path` with all its read sections of the flavour `side`.

    A path without any, as the baseline's, stays as it is. So does the pair that `srcu-uretprobe`
    spans over the probed function: `uretprobes_srcu` is an srcu_struct of its own, and SRCU by
    nature, as a timer may end the section.
    """
    section = {Role.READ_LOCK: side.lock, Role.READ_UNLOCK: side.unlock}
    return tuple(section.get(call.role, call) for call in path)
