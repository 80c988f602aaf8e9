"""SRCU-fast's grace period in detail: SRCU's, with a normal RCU period between the sums of a try.

Its readers have no barriers. What a section reads may be read before its lock is counted where
others look (the increment waits in a store buffer), and after its unlock is. In these gaps the
thread is a plain RCU reader: a `synchronize_rcu` that begins in one ends after it, because every
CPU executes a full barrier meanwhile. `srcu_readers_active_idx_check()` of 6.15 and later, from
memory.
"""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck.grace import enters, leaves
from core.modelcheck.program import ALL_READERS, COUNTERS, Block, Outcome, Step, reader
from core.modelcheck.srcu import index_read, lock_counted, srcu_grace_period, unlock_counted
from core.modelcheck.world import RETURN_READERS, World, with_thread

UNORDERED = RETURN_READERS
"""Mask of `World.readers`: thread i is in such a gap if bit 8 + i is set. A scenario of this
kind has no uprobes, and so no leases in these bits."""


def fast_reader(rules: Rules, me: int, cpus: int, tag: str) -> Block:
    """A section that begins on CPU `me` and, having migrated, ends on the next one."""
    section, unordered = 1 << me, 1 << (8 + me)

    def index(world: World) -> Outcome:
        return index_read(world, me), ""

    def begins(world: World) -> Outcome:
        return enters(world, section | unordered), ""

    def lock(world: World) -> Outcome:
        return leaves(lock_counted(world, me, cpus), unordered), ""

    def unlock(world: World) -> Outcome:
        return enters(unlock_counted(rules, world, me, cpus), unordered), ""

    def ends(world: World) -> Outcome:
        return with_thread(leaves(world, section | unordered), me, x=0), ""

    touched = COUNTERS | reader(me)
    return [
        Step("__srcu_read_lock_fast: index", index, COUNTERS),
        Step("__srcu_read_lock_fast: this_cpu_inc", begins, writes=reader(me)),
        Step("__srcu_read_lock_fast: this_cpu_inc is seen", lock, COUNTERS, touched),
        Step("__srcu_read_unlock_fast: this_cpu_inc is seen", unlock, COUNTERS, touched),
        Step("__srcu_read_unlock_fast: the section's last access", ends, writes=reader(me)),
    ]


def fast_grace_period(rules: Rules, me: int, cpus: int, tag: str) -> Block:
    """SRCU's, its barrier between two sums being a whole RCU period: two periods at least."""

    def begin(world: World) -> Outcome:
        wait = world.threads[me].wait | world.readers & UNORDERED
        return with_thread(world, me, wait=wait), ""

    def end(world: World) -> Outcome:
        return None if world.threads[me].wait & UNORDERED else (world, "")

    period = [
        Step("synchronize_rcu", begin, reads=ALL_READERS),
        Step("synchronize_rcu: the end", end, reads=ALL_READERS),
    ]
    between = [] if "no-rcu-period" in rules.faults else period
    return srcu_grace_period(rules, me, cpus, tag, between)
