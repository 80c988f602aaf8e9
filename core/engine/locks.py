"""A line's lock: who has it, who waits for it. Compiled; called by the weave.

Only cells come here in which somebody may have to wait: with writers, with a spinlock on the path,
or with slots. Not modelled: optimistic spinning that ends (a writer spins as long as it takes),
readers that overtake a waiting writer, handing a lock over by name, and a wait queue's own lock; a
free slot wakes the first who waits, not all.
"""

from __future__ import annotations

from typing import Any

from core.engine.attribution import charge
from core.engine.compiled import at, inlined
from core.engine.events import schedule
from core.engine.pipeline import advance
from core.engine.shares import BLOCKED
from core.engine.state import NONE, State
from core.kernel.operation import SLOTS, Lock

READ, WRITE, WRITE_END = int(Lock.READ), int(Lock.WRITE), int(Lock.WRITE_END)
SLOT = int(Lock.SLOT)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@inlined
def blocks(s: State, cpu: Record, line: Record, now: int) -> bool:
    """Take or give back the line's lock; whether the CPU has to wait for it.

    First come first served, readers at the head of the queue together. A reader that sleeps takes
    the wakeup to go on, and so does who waits for a slot; who spins (writers, and readers of an
    rwlock) a transfer of the line.
    """
    lock = s.code[at(cpu.operation)].lock
    if lock in (READ, WRITE, SLOT):
        if line.first_blocked == NONE and _free(line, lock):
            _acquire(line, lock)
            return False
        _queue(s, cpu, line)
        return True
    if lock == WRITE_END:
        line.writer = 0
    else:
        line.readers -= 1
    while line.first_blocked != NONE:
        waiting = s.cpus[at(line.first_blocked)]
        wanted = s.code[at(waiting.operation)].lock
        if not _free(line, wanted):
            break
        _acquire(line, wanted)
        line.first_blocked = waiting.next_waiter
        if line.first_blocked == NONE:
            line.last_blocked = NONE
        _wake(s, waiting, wanted, now)
    return False


@inlined
def _free(line: Record, lock: int) -> bool:
    """Whether the lock can be had, or a slot: `readers` counts slots taken too."""
    most = 0 if lock == WRITE else SLOTS - 1
    return not line.writer and (lock == READ or line.readers <= most)


@inlined
def _acquire(line: Record, lock: int) -> None:
    if lock == WRITE:
        line.writer = 1
    else:
        line.readers += 1


@inlined
def _queue(s: State, cpu: Record, line: Record) -> None:
    cpu.blocked = 1
    cpu.executing = 0
    cpu.next_waiter = NONE
    if line.last_blocked == NONE:
        line.first_blocked = cpu.index
    else:
        s.cpus[at(line.last_blocked)].next_waiter = cpu.index
    line.last_blocked = cpu.index


@inlined
def _wake(s: State, cpu: Record, lock: int, now: int) -> None:
    wait = s.costs[0].request + s.costs[0].snoop + s.costs[0].transfer
    if lock != WRITE and s.code[at(cpu.operation)].sleeps:
        wait = s.costs[0].wakeup
    cpu.blocked = 0
    cpu.executing = 1
    charge(s, cpu, cpu.operation, BLOCKED, now + wait)
    schedule(s.events, cpu.index, advance(s, cpu, now + wait, False))
