"""Return instances: how they keep an uprobe alive, the return, and the timer of their leases."""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck.chain import handler_chain, traversal_begins
from core.modelcheck.grace import enters, leaves, read_lock, read_unlock
from core.modelcheck.program import (
    ALL_READERS,
    Block,
    Outcome,
    Step,
    consumers,
    reader,
    references,
)
from core.modelcheck.put import put_uprobe
from core.modelcheck.tree import take
from core.modelcheck.world import NOBODY, RETURN, World, with_thread


def prepare_uretprobe(rules: Rules, me: int, key: int, tag: str) -> Block:
    """If a consumer wants the return: a return instance that keeps the uprobe alive."""
    done = f"{tag}.prepared"

    early = "checks-before-lease" in rules.faults

    def checks_count(world: World) -> Outcome:
        thread = world.threads[me]
        if thread.x and not world.uprobes[thread.u].ref:
            return with_thread(world, me, x=0), done
        return world, ""

    def act(world: World) -> Outcome:
        thread = world.threads[me]
        if not thread.x:
            return world, done
        world = with_thread(world, me, x=0)
        checked = rules.prepare == "hprobe-checked" and not early
        if checked and not world.uprobes[thread.u].ref:
            return world, done
        if rules.leases:
            leased = enters(world, 1 << (8 + me))
            return with_thread(leased, me, hprobe="leased", instance=thread.u), done
        taken = take(rules, world, thread.u, rules.prepare)
        if taken is None:
            return world, done
        return with_thread(taken, me, hprobe="stable", instance=thread.u), done

    memory = references(key)
    touched = memory | reader(me)
    look = [Step("prepare_uretprobe: count", checks_count, memory, targets=(done,))]
    return [
        *(look if early else []),
        Step("prepare_uretprobe", act, memory, touched, (done,)),
        done,
    ]


def uprobe_return(rules: Rules, me: int, key: int, tag: str) -> Block:
    """handle_trampoline: the probed function returns."""
    nothing, stable, out = f"{tag}.nothing", f"{tag}.stable", f"{tag}.out"
    bit, lease = 1 << me, 1 << (8 + me)

    def consume(world: World) -> Outcome:
        """hprobe_consume: an xchg; y remembers whether the lease is ours to end."""
        thread = world.threads[me]
        if thread.hprobe in ("", "gone"):
            return with_thread(world, me, hprobe="", instance=NOBODY, session=0), nothing
        leased = int(thread.hprobe == "leased")
        world = with_thread(world, me, u=thread.instance, hprobe="consumed", y=leased)
        return traversal_begins(rules, world, me, key, RETURN, thread.instance), ""

    def finalize(world: World) -> Outcome:
        leased = world.threads[me].y
        world = with_thread(world, me, hprobe="", instance=NOBODY, y=0, session=0)
        if not leased:
            return world, stable
        return with_thread(leaves(world, lease), me, u=NOBODY), nothing

    section = rules.return_section
    return [
        Step("hprobe_consume", consume, reader(me) | consumers(key), reader(me), (nothing,)),
        *(read_lock(rules.read_side, me, bit) if section else ()),
        *handler_chain(rules, me, key, RETURN, tag),
        *(read_unlock(rules.read_side, me, bit) if section else ()),
        Step("hprobe_finalize", finalize, writes=reader(me), targets=(stable, nothing)),
        stable,
        *put_uprobe(rules, me, key, tag),
        nothing,
        out,
    ]


def ri_timer(rules: Rules, me: int, whose: int, key: int, tag: str) -> Block:
    """The 100 ms timer of thread `whose`: its lease becomes a reference, or ends. For ever.

    It runs under srcu_read_lock(uretprobes_srcu) and rcu_read_lock. A grace period of Tasks Trace
    waits for both kinds of RCU reader, so the timer counts as one of the entry's as well.
    """
    start, lost, unlock = f"{tag}.start", f"{tag}.lost", f"{tag}.unlock"
    lease, own = 1 << (8 + whose), 0x101 << me

    def fires(world: World) -> Outcome:
        if world.threads[whose].hprobe != "leased" or "no-timer" in rules.faults:
            return None
        return enters(world, own), ""

    def reads_state(world: World) -> Outcome:
        leased = world.threads[whose].hprobe == "leased"
        return with_thread(world, me, u=world.threads[whose].instance), "" if leased else unlock

    def tries(world: World) -> Outcome:
        taken = take(rules, world, world.threads[me].u, "try_get_uprobe")
        if taken is None:
            return with_thread(world, me, y=0), ""
        return with_thread(taken, me, y=1), ""

    def switches(world: World) -> Outcome:
        got = world.threads[me].y
        world = with_thread(world, me, y=0)
        if world.threads[whose].hprobe != "leased":
            return world, lost if got else unlock
        world = with_thread(world, whose, hprobe="stable" if got else "gone")
        return leaves(world, lease), unlock

    def leave(world: World) -> Outcome:
        return with_thread(leaves(world, own), me, u=NOBODY), start

    memory, both = references(key), reader(me) | reader(whose)
    return [
        start,
        Step("ri_timer", fires, both, both),
        Step("hprobe_expire", reads_state, both, targets=(unlock,)),
        Step("hprobe_expire: try_get_uprobe", tries, memory, memory),
        Step("hprobe_expire: try_cmpxchg", switches, both | ALL_READERS, both, (lost, unlock)),
        lost,
        *put_uprobe(rules, me, key, tag),
        unlock,
        Step("ri_timer: srcu_read_unlock", leave, both, both, (start,)),
    ]
