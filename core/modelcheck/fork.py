"""fork: the child gets a copy of its parent's pending return instance, and returns by itself."""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import enters, leaves
from core.modelcheck.hprobe import uprobe_return
from core.modelcheck.program import ALL_READERS, Block, Outcome, Step, reader, references
from core.modelcheck.tree import take
from core.modelcheck.world import NOBODY, World, with_thread


def dup_utask(rules: Rules, me: int, child: int, key: int, tag: str) -> Block:
    """Thread `child`, new, gets what `me` has pending, and a reference of its own.

    A copy is never a lease: the parent's becomes a reference first (hprobe_expire), under
    srcu_read_lock(uretprobes_srcu), whose reader is counted as `child`'s.
    """
    shares, nothing, unlock = f"{tag}.shares", f"{tag}.nothing", f"{tag}.unlock"
    lease, section = 1 << (8 + me), 1 << (8 + child)

    def reads_state(world: World) -> Outcome:
        thread = world.threads[me]
        world = with_thread(world, me, u=thread.instance)
        if thread.hprobe == "stable":
            return world, shares
        return world, "" if thread.hprobe == "leased" else nothing

    def tries(world: World) -> Outcome:
        taken = take(rules, world, world.threads[me].u, "try_get_uprobe")
        return with_thread(taken or world, me, y=int(taken is not None)), ""

    def switches(world: World) -> Outcome:
        got, u = world.threads[me].y, world.threads[me].u
        world = with_thread(world, me, y=0)
        if world.threads[me].hprobe == "leased":
            if not got and "expire-gets-null" in rules.faults:
                raise checks.Violation(checks.NULL_POINTER, f"get_uprobe(NULL), once uprobe {u}")
            world = with_thread(world, me, hprobe="stable" if got else "gone")
            return leaves(world, lease), shares if got else nothing
        if not got:
            return world, nothing
        # The timer was quicker: what was taken is the child's.
        return with_thread(
            world, child, hprobe="stable", instance=u, session=world.threads[me].session
        ), unlock

    def copies(world: World) -> Outcome:
        u = world.threads[me].u
        if "fork-without-reference" not in rules.faults:
            taken = take(rules, world, u, "get_uprobe")
            assert taken is not None
            world = taken
        return with_thread(
            world, child, hprobe="stable", instance=u, session=world.threads[me].session
        ), unlock

    def begins(world: World) -> Outcome:
        """The child may run from here on."""
        world = with_thread(leaves(world, section), me, u=NOBODY)
        return with_thread(world, child, x=1), ""

    memory, both = references(key), reader(me) | reader(child)
    before: Block = [Step("dup_utask", reads_state, reader(me), targets=(shares, nothing))]
    if rules.leases:
        lock = Step(
            "dup_utask: srcu_read_lock",
            lambda world: (enters(world, section), ""),
            writes=reader(child),
        )
        ways = (shares, nothing, unlock)
        before = [
            lock,
            Step("hprobe_expire", reads_state, reader(me), targets=(shares, nothing)),
            Step("hprobe_expire: try_get_uprobe", tries, memory, memory),
            Step("hprobe_expire: try_cmpxchg", switches, both | ALL_READERS, both, ways),
        ]
    return [
        *before,
        shares,
        Step("dup_utask: get_uprobe", copies, memory, memory | reader(child), (unlock,)),
        nothing,
        unlock,
        Step("uprobe_copy_process: done", begins, both | ALL_READERS, both),
    ]


def child_returns(rules: Rules, me: int, key: int, tag: str) -> Block:
    """The forked thread: it comes into being in the probed function, which returns."""

    def is_forked(world: World) -> Outcome:
        return (with_thread(world, me, x=0), "") if world.threads[me].x else None

    start = Step("ret_from_fork", is_forked, reader(me), reader(me))
    return [start, *uprobe_return(rules, me, key, tag)]
