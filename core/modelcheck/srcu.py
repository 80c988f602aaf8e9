"""SRCU's grace period in detail: two indices, counters a CPU, two scans with a flip between.

`World.counters` is the index, then lock[0] and lock[1] of every CPU, then unlock[0] and unlock[1].
Memory is sequentially consistent here, so a barrier is the order of two steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import enters, leaves
from core.modelcheck.program import ALL_READERS, COUNTERS, Block, Outcome, Step, reader
from core.modelcheck.world import ENTRY_READERS, World, with_thread


def counters(cpus: int) -> tuple[int, ...]:
    """All zero, for so many CPUs."""
    return (0,) * (1 + 4 * cpus)


def _count(world: World, place: int) -> World:
    values = world.counters
    return world._replace(counters=(*values[:place], values[place] + 1, *values[place + 1 :]))


def index_read(world: World, me: int) -> World:
    """Thread `me` keeps the index in use."""
    return with_thread(world, me, x=world.counters[0])


def lock_counted(world: World, me: int, cpus: int) -> World:
    """One more lock, of that index, on the CPU where thread `me`'s section begins."""
    return _count(world, 1 + 2 * (me % cpus) + world.threads[me].x)


def unlock_counted(rules: Rules, world: World, me: int, cpus: int) -> World:
    """One more unlock of it, on the next CPU: the thread has migrated."""
    if "unlock-not-counted" in rules.faults:
        return world
    there = (me + 1) % cpus
    return _count(world, 1 + 2 * cpus + 2 * there + world.threads[me].x)


def srcu_reader(rules: Rules, me: int, cpus: int, tag: str) -> Block:
    """A section that begins on CPU `me` and, having migrated, ends on the next one."""

    def index(world: World) -> Outcome:
        return index_read(world, me), ""

    def lock(world: World) -> Outcome:
        return enters(lock_counted(world, me, cpus), 1 << me), ""

    def unlock(world: World) -> Outcome:
        world = unlock_counted(rules, world, me, cpus)
        return with_thread(leaves(world, 1 << me), me, x=0), ""

    touched = COUNTERS | reader(me)
    return [
        Step("__srcu_read_lock: index", index, COUNTERS),
        Step("__srcu_read_lock: this_cpu_inc", lock, COUNTERS, touched),
        Step("__srcu_read_unlock: this_cpu_inc", unlock, COUNTERS, touched),
    ]


def srcu_grace_period(
    rules: Rules, me: int, cpus: int, tag: str, between: Sequence[Step] = ()
) -> Block:
    """try_check_zero of the idle index, srcu_flip, try_check_zero of the one that was in use.

    `between` is done between the two sums of every try.
    """

    def begin(world: World) -> Outcome:
        return with_thread(world, me, wait=world.readers & ENTRY_READERS), ""

    def flip(world: World) -> Outcome:
        values = world.counters
        return world._replace(counters=(1 - values[0], *values[1:])), ""

    def end(world: World) -> Outcome:
        checks.period_ends(world, me)
        return with_thread(world, me, x=0), ""

    block: Block = [Step("synchronize_srcu", begin, ALL_READERS)]
    if "one-scan" not in rules.faults:
        block += _try_check_zero(rules, me, cpus, f"{tag}.1", between)
    if "no-flip" not in rules.faults:
        block.append(Step("srcu_flip", flip, COUNTERS, COUNTERS))
    block += _try_check_zero(rules, me, cpus, f"{tag}.2", between)
    return [*block, Step("srcu_gp_end", end, ALL_READERS)]


def _try_check_zero(rules: Rules, me: int, cpus: int, tag: str, between: Sequence[Step]) -> Block:
    """Sum unlock, then lock, of the index not in use, a CPU a step; again until they agree."""
    again, agreed = f"{tag}.again", f"{tag}.agreed"

    def add(place: int, sign: int) -> Step:
        def act(world: World) -> Outcome:
            value = world.counters[place + 1 - world.counters[0]]
            return with_thread(world, me, x=world.threads[me].x + sign * value), ""

        name = "srcu_readers_unlock_idx" if sign < 0 else "srcu_readers_lock_idx"
        return Step(name, act, COUNTERS)

    def compare(world: World) -> Outcome:
        agree = world.threads[me].x == 0
        return with_thread(world, me, x=0), agreed if agree else again

    locks = [add(1 + 2 * cpu, 1) for cpu in range(cpus)]
    unlocks = [add(1 + 2 * cpus + 2 * cpu, -1) for cpu in range(cpus)]
    sums = [*unlocks, *between, *locks]
    if "no-barrier-between-sums" in rules.faults:
        sums = [*locks, *between, *unlocks]
    elif "rcu-period-before-sums" in rules.faults:
        sums = [*between, *unlocks, *locks]
    compared = Step("srcu_readers_active_idx_check", compare, targets=(again, agreed))
    return [again, *sums, compared, agreed]
