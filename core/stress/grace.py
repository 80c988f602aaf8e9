"""The grace periods of a cell: which engines it has, and what they read of its threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.grace.engine import Engine
from core.grace.rcu import Rcu
from core.grace.readers import Counts, Flags
from core.grace.srcu import Srcu
from core.grace.srcu_fast import SrcuFast
from core.grace.tasks_trace import TasksTrace
from core.kernel.perf_events import RCU, Wait
from core.kernel.rcu_flavours import GracePeriod
from core.kernel.rules import Rules
from core.stress.cosimulation import Cosimulation

Scalar = TypeVar("Scalar", bound=np.generic)

KINDS: dict[GracePeriod, type[Srcu | TasksTrace]] = {
    GracePeriod.SRCU: Srcu,
    GracePeriod.SRCU_FAST: SrcuFast,
    GracePeriod.TASKS_TRACE: TasksTrace,
}


class Readers:
    """The machine's CPUs as the engines read them: the cell's threads, and idle ones behind."""

    def __init__(self, cosimulation: Cosimulation, cpus: int, which: int) -> None:
        """`which` SRCU: 0 that of hits, 1 that of return instances; of no effect on the rest."""
        self._cosimulation, self._cpus, self._which = cosimulation, cpus, which

    def counters(self) -> tuple[Counts, Counts]:
        """Locks and unlocks of the SRCU, shape (2, cpus) each."""
        self._cosimulation.replay()
        t = self._cosimulation.snapshot
        pair = (t.leases, t.ended) if self._which else (t.locks, t.unlocks)
        locks, unlocks = (self._padded(counts.T) for counts in pair)
        return locks, unlocks

    def nesting(self) -> Counts:
        """How many Tasks Trace sections each CPU's task is in."""
        self._cosimulation.replay()
        return self._padded(self._cosimulation.snapshot.thread["nesting"])

    def sections(self) -> Counts:
        """Serial number of each CPU's section."""
        self._cosimulation.replay()
        return self._padded(self._cosimulation.snapshot.thread["sections"])

    def running(self) -> Flags:
        """Whether each CPU runs a thread that hits; who waits for a lock is taken as asleep."""
        blocked = self._cosimulation.blocked()
        return self._padded(~blocked)

    def _padded(self, of_threads: NDArray[Scalar]) -> NDArray[Scalar]:
        shape = (*of_threads.shape[:-1], self._cpus)
        padded = np.zeros(shape, dtype=of_threads.dtype)
        padded[..., : of_threads.shape[-1]] = of_threads
        return padded


class NoReaders:
    """What an engine reads whose readers are none of the cell's."""

    def __init__(self, cpus: int) -> None:
        self._none = np.zeros(cpus, dtype=np.int64)

    def counters(self) -> tuple[Counts, Counts]:
        """Nobody ever entered."""
        none = np.stack((self._none, self._none))
        return none, none

    def nesting(self) -> Counts:
        """Outside."""
        return self._none

    def sections(self) -> Counts:
        """None."""
        return self._none

    def running(self) -> Flags:
        """Idle."""
        return self._none.astype(bool)


def _made(
    kind: type[Srcu | TasksTrace],
    cosimulation: Cosimulation,
    readers: Readers | NoReaders,
    rcu: Rcu,
    faults: frozenset[str],
) -> Srcu | TasksTrace:
    """An engine of this kind, whose normal periods are those of `rcu`."""
    engine = kind(cosimulation.env, readers, rcu.timing, faults & set(kind.FAULTS))
    if isinstance(engine, SrcuFast | TasksTrace):
        engine.rcu = rcu
    return engine


def engines(
    cosimulation: Cosimulation,
    rules: Rules,
    cpus: int,
    rcu: Rcu,
    faults: Iterable[str] = (),
) -> dict[str, Engine]:
    """The engines that the rules need: of `entry` readers, and of those at `return`.

    `faults` are planted in all that know them.
    """
    faults = frozenset(faults)
    made: dict[str, Engine] = {}
    for which, whose in enumerate(("entry", "return")):
        if whose not in (*rules.sync, *rules.free):
            continue
        kind = KINDS[rules.side(whose).grace_period]
        readers = Readers(cosimulation, cpus, which)
        engine = _made(kind, cosimulation, readers, rcu, faults)
        made[whose] = engine
        if isinstance(engine, Srcu):
            engine.on_flip = cosimulation.replay
            cosimulation.srcus[which] = engine
    return made


def perf_event_engines(
    cosimulation: Cosimulation, of_uprobes: Mapping[str, Engine], rcu: Rcu, cpus: int
) -> dict[Wait, Engine]:
    """What perf events may wait for: RCU, Tasks Trace (one for all users), tracepoints' SRCU."""
    made: dict[Wait, Engine] = {RCU: rcu}
    for grace_period, kind in KINDS.items():
        made[grace_period] = _made(kind, cosimulation, NoReaders(cpus), rcu, frozenset())
    for engine in of_uprobes.values():
        if isinstance(engine, TasksTrace):
            made[GracePeriod.TASKS_TRACE] = engine
    return made
