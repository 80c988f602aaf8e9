"""The grace period of RCU Tasks Trace in detail: holdouts, nesting, and a mark at the reader.

`World.counters` holds for every task its nesting (-1 in the middle of the unlock), whether it runs,
whether its unlock has to report, and whether it is a holdout.
"""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import enters, leaves
from core.modelcheck.program import ALL_READERS, COUNTERS, Block, Outcome, Step, reader
from core.modelcheck.world import ENTRY_READERS, World, with_thread

NESTING, RUNNING, MARKED, HOLDOUT = range(4)


def counters(tasks: int) -> tuple[int, ...]:
    """All tasks running outside any section."""
    return (0, 1, 0, 0) * tasks


def _value(world: World, task: int, field: int) -> int:
    return world.counters[4 * task + field]


def _set(world: World, task: int, field: int, value: int) -> World:
    values, place = world.counters, 4 * task + field
    return world._replace(counters=(*values[:place], value, *values[place + 1 :]))


def trace_reader(rules: Rules, me: int, tag: str) -> Block:
    """A section in which the task is also scheduled out and in again."""
    reports = f"{tag}.reports"

    def lock(world: World) -> Outcome:
        return enters(_set(world, me, NESTING, 1), 1 << me), ""

    def unlocking(world: World) -> Outcome:
        return leaves(_set(world, me, NESTING, -1), 1 << me), ""

    def unlock(world: World) -> Outcome:
        world = _set(world, me, NESTING, 0)
        return world, reports if _value(world, me, MARKED) else ""

    def report(world: World) -> Outcome:
        if not _value(world, me, MARKED):
            return world, ""
        return _set(_set(world, me, MARKED, 0), me, HOLDOUT, 0), ""

    def schedule(running: int) -> Step:
        def act(world: World) -> Outcome:
            return _set(world, me, RUNNING, running), ""

        return Step("schedule", act, COUNTERS, COUNTERS)

    touched = COUNTERS | reader(me)
    return [
        Step("rcu_read_lock_trace", lock, COUNTERS, touched),
        schedule(0),
        schedule(1),
        Step("rcu_read_unlock_trace", unlocking, COUNTERS, touched),
        Step("rcu_read_unlock_trace: nesting", unlock, COUNTERS, COUNTERS, (reports,)),
        reports,
        Step("rcu_read_unlock_trace_special", report, COUNTERS, COUNTERS),
    ]


def trace_grace_period(rules: Rules, me: int, tasks: tuple[int, ...], tag: str) -> Block:
    """Every task that runs, or is blocked in a section, is held out for until it was seen out."""

    def begin(world: World) -> Outcome:
        return with_thread(world, me, wait=world.readers & ENTRY_READERS), ""

    def pregp(task: int) -> Step:
        def act(world: World) -> Outcome:
            running = _value(world, task, RUNNING)
            held = _value(world, task, NESTING) != 0
            if running:
                held = "skips-running-holdouts" not in rules.faults
            return _set(world, task, HOLDOUT, int(held)), ""

        return Step("rcu_tasks_trace_pregp_step", act, COUNTERS, COUNTERS)

    def inspect(task: int) -> Step:
        def act(world: World) -> Outcome:
            nesting = _value(world, task, NESTING)
            if not _value(world, task, HOLDOUT):
                return world, ""
            if nesting < 0 and _value(world, task, RUNNING):
                return None
            if nesting > 0:
                return _set(world, task, MARKED, 1), ""
            return _set(world, task, HOLDOUT, 0), ""

        return Step("trc_read_check_handler", act, COUNTERS, COUNTERS)

    def end(world: World) -> Outcome:
        if any(_value(world, task, HOLDOUT) for task in tasks):
            return None
        checks.period_ends(world, me)
        return world, ""

    return [
        Step("synchronize_rcu_tasks_trace", begin, ALL_READERS),
        *(pregp(task) for task in tasks),
        *(inspect(task) for task in tasks),
        Step("rcu_tasks_trace_postgp", end, COUNTERS | ALL_READERS),
    ]
