"""Read sections, grace periods and deferred frees, as their contracts say.

A grace period ends once every reader that was inside at its start has left. That SRCU, SRCU-fast
and Tasks Trace keep this contract is searched apart, in `srcu.py`, `srcu_fast.py` and
`tasks_trace.py`.
"""

from __future__ import annotations

from core.kernel.rcu_flavours import ReadSide
from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.program import ALL_READERS, Block, Outcome, Step, reader
from core.modelcheck.tree import erase, erased
from core.modelcheck.world import (
    ENTRY_READERS,
    RETURN_READERS,
    Deferred,
    World,
    with_thread,
    with_uprobe,
)

SECTIONS = {"entry": ENTRY_READERS, "return": RETURN_READERS}


def enters(world: World, bit: int) -> World:
    """A reader, by its bit of `World.readers`, begins."""
    return world._replace(readers=world.readers | bit)


def leaves(world: World, bit: int) -> World:
    """A reader ends, and nobody waits for it any longer."""
    keep = ~bit
    threads = tuple(
        thread._replace(wait=thread.wait & keep) if thread.wait & bit else thread
        for thread in world.threads
    )
    deferred = tuple(
        item._replace(wait=item.wait & keep) if item.wait & bit else item for item in world.deferred
    )
    return world._replace(readers=world.readers & keep, threads=threads, deferred=deferred)


def read_lock(side: ReadSide, me: int, bit: int) -> Block:
    """One step into a read section."""
    name = side.lock.function
    return [Step(name, lambda world: (enters(world, bit), ""), writes=reader(me))]


def read_unlock(side: ReadSide, me: int, bit: int) -> Block:
    """One step out of it."""
    name = side.unlock.function
    return [Step(name, lambda world: (leaves(world, bit), ""), writes=reader(me))]


def synchronize_block(rules: Rules, me: int, whose: str) -> Block:
    """Two steps: the grace period begins, and ends when its readers have left."""
    name = rules.side(whose).synchronize
    mask = SECTIONS[whose]

    def begin(world: World) -> Outcome:
        return with_thread(world, me, wait=world.readers & mask), ""

    def end(world: World) -> Outcome:
        return None if world.threads[me].wait else (world, "")

    return [
        Step(name, begin, reads=ALL_READERS),
        Step(f"{name}: the end", end, reads=ALL_READERS),
    ]


def free_uprobe(rules: Rules, world: World, u: int) -> World:
    """The last reference is gone: kfree now, or hand the uprobe to the first callback."""
    checks.frees(world, u)
    phases = rules.free
    if "free-without-waiting" in rules.faults:
        phases = tuple(phase for phase in phases if phase.startswith("erase"))
    if "free-skips-return-readers" in rules.faults:
        phases = tuple(phase for phase in phases if phase != "return")
    if "one-period-of-leases" in rules.faults:
        phases = tuple(dict.fromkeys(phases))
    return _next_phase(rules, world, Deferred(u, phases))


def _next_phase(rules: Rules, world: World, item: Deferred) -> World:
    if not item.phases:
        checks.frees(world, item.u)
        return with_uprobe(world, item.u, freed=True)
    phase = item.phases[0]
    if phase in SECTIONS:
        item = item._replace(wait=world.readers & SECTIONS[phase])
        if "rcu-head-on-rb-node" in rules.faults:
            world = with_uprobe(world, item.u, clobbered=True)
    # Sorted, because the order of arrival decides nothing and would tell equal states apart.
    return world._replace(deferred=tuple(sorted((*world.deferred, item))))


def callback_names(world: World) -> tuple[str, ...]:
    """Names of the pending callbacks, in the order of `World.deferred`: rcu0 frees uprobe 0."""
    return tuple(f"rcu{item.u}" for item in world.deferred)


def callback(rules: Rules, world: World, place: int) -> World | None:
    """The pending callback at `place` goes on to its next phase; None while it waits."""
    item = world.deferred[place]
    if item.wait:
        return None
    rest = world._replace(deferred=(*world.deferred[:place], *world.deferred[place + 1 :]))
    phase = item.phases[0]
    if phase == "erase":
        if rest.seq % 2:
            return None
        rest, at = erase(rest, item.u)
        item = item._replace(at=at)
    elif phase == "erased":
        if item.at != item.u:
            rest = erased(rest, item.at)
        item = item._replace(at=-1)
    return _next_phase(rules, rest, item._replace(phases=item.phases[1:]))


def callback_function(rules: Rules, phase: str) -> str:
    """The kernel function that a callback's phase belongs to."""
    if phase.startswith("erase"):
        return "uprobe_free_deferred" + (": write_seqcount_end" if phase == "erased" else "")
    return f"{rules.side(phase).call}: the end"
