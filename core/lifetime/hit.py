"""A hit: lookup, entry handlers, the return instance, return handlers; and the lease's timer."""

from __future__ import annotations

from dataclasses import replace

from core.lifetime import checks
from core.lifetime.grace import enters, leaves, read_lock, read_unlock
from core.lifetime.program import (
    ALL_READERS,
    Block,
    Outcome,
    Step,
    consumers,
    reader,
    references,
    register_rwsem,
)
from core.lifetime.registration import put_uprobe
from core.lifetime.rules import Rules
from core.lifetime.tree import find_uprobe, find_uprobe_rcu, take
from core.lifetime.world import (
    ENTRY,
    GONE,
    NOBODY,
    REGISTERED,
    RETURN,
    World,
    with_thread,
    with_uprobe,
)


def traversal_begins(world: World, me: int, key: int, kind: int, u: int = NOBODY) -> World:
    """Note who has to be called, and who must not; `u` restricts the first to one uprobe."""
    must = gone = 0
    for c, consumer in enumerate(world.consumers):
        if consumer.key != key:
            continue
        if consumer.state == GONE:
            gone |= 1 << c
        elif consumer.state == REGISTERED and consumer.kinds & kind and u in (NOBODY, consumer.uprobe):
            must |= 1 << c
    return with_thread(world, me, must=must, gone=gone, called=0)


def handler_chain(rules: Rules, me: int, key: int, kind: int, tag: str) -> Block:
    """Call the handlers of `kind` of thread `me`'s uprobe, a step a consumer."""
    walk, end = f"{tag}.walk", f"{tag}.end"
    name = "handler_chain" if kind == ENTRY else "handle_uretprobe_chain"

    def down_read(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        held = world.uprobes[u].register_rwsem
        return None if held == NOBODY else (with_uprobe(world, u, register_rwsem=held + 1), "")

    def first(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        at = world.uprobes[u].first
        return with_thread(world, me, at=at, x=0), walk if at != NOBODY else end

    def call(world: World) -> Outcome:
        thread = world.threads[me]
        c = thread.at
        checks.touches_consumer(world, c)
        consumer = world.consumers[c]
        called, x, returned = thread.called, thread.x, thread.returned
        if consumer.kinds & kind:
            checks.calls(world, me, c)
            called |= 1 << c
            returned |= 1 << c if kind == RETURN else 0
        if consumer.kinds & RETURN and kind == ENTRY:
            x = 1
        at = consumer.next
        changed = with_thread(world, me, at=at, called=called, x=x, returned=returned)
        return changed, walk if at != NOBODY else end

    def ends(world: World) -> Outcome:
        checks.traversal_ends(world, me)
        return with_thread(world, me, must=0, gone=0, called=0), ""

    def up_read(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        held = world.uprobes[u].register_rwsem
        return with_uprobe(world, u, register_rwsem=held - 1), ""

    sem, list_, memory = register_rwsem(key), consumers(key), references(key)
    block: Block = []
    if rules.chain_rwsem:
        block.append(Step("down_read(register_rwsem)", down_read, sem | memory, sem))
    block += [
        Step(name, first, list_ | memory, targets=(walk, end)),
        walk,
        Step(f"{name}: call", call, list_, targets=(walk, end)),
        end,
        Step(f"{name}: the end", ends, list_),
    ]
    if rules.chain_rwsem:
        block.append(Step("up_read(register_rwsem)", up_read, sem | memory, sem))
    return block


def prepare_uretprobe(rules: Rules, me: int, key: int, tag: str) -> Block:
    """If a consumer wants the return: a return instance that keeps the uprobe alive."""
    done = f"{tag}.prepared"

    def act(world: World) -> Outcome:
        thread = world.threads[me]
        if not thread.x:
            return world, done
        world = with_thread(world, me, x=0)
        if rules.prepare == "hprobe-checked" and not world.uprobes[thread.u].ref:
            return world, done
        if rules.prepare.startswith("hprobe"):
            leased = enters(world, 1 << (8 + me))
            return with_thread(leased, me, hprobe="leased", instance=thread.u), done
        taken = take(rules, world, thread.u, rules.prepare)
        if taken is None:
            return world, done
        return with_thread(taken, me, hprobe="stable", instance=thread.u), done

    memory = references(key)
    touched = memory | reader(me)
    return [Step("prepare_uretprobe", act, memory, touched, (done,)), done]


def uprobe_hit(rules: Rules, me: int, key: int, keys: int, tag: str) -> Block:
    """handle_swbp: the entry of the probed function."""
    missed, out = f"{tag}.missed", f"{tag}.out"
    bit = 1 << me

    def miss(world: World) -> Outcome:
        checks.traversal_ends(world, me)
        return with_thread(world, me, must=0, gone=0), out if not rules.entry_section else ""

    block = read_lock(rules.entry_section, me, bit)
    if rules.lockless_tree:
        block += find_uprobe_rcu(rules, me, key, keys, missed, f"{tag}.f")
    else:
        block += find_uprobe(rules, me, key, rules.lookup, missed)
    block += handler_chain(rules, me, key, ENTRY, tag)
    block += prepare_uretprobe(rules, me, key, tag)
    if rules.lookup:
        block += put_uprobe(rules, me, key, tag)
    jump = f"{tag}.unlock"
    block += [
        Step("handle_swbp: done", lambda world: (with_thread(world, me, u=NOBODY), jump), targets=(jump,)),
        missed,
        Step("handle_swbp: no uprobe", miss, consumers(key), targets=(out,)),
        jump,
        *read_unlock(rules.entry_section, me, bit),
        out,
    ]
    return _noting(block, me, key)


def _noting(block: Block, me: int, key: int) -> Block:
    """The block, its first step also noting who is registered when the hit begins."""
    place = next(i for i, item in enumerate(block) if isinstance(item, Step))
    step = block[place]
    assert isinstance(step, Step)
    act = step.act

    def noting(world: World) -> Outcome:
        return act(traversal_begins(world, me, key, ENTRY))

    noted = replace(step, act=noting, reads=step.reads | consumers(key))
    return [*block[:place], noted, *block[place + 1 :]]


def uprobe_return(rules: Rules, me: int, key: int, tag: str) -> Block:
    """handle_trampoline: the probed function returns."""
    nothing, stable, out = f"{tag}.nothing", f"{tag}.stable", f"{tag}.out"
    bit, lease = 1 << me, 1 << (8 + me)

    def consume(world: World) -> Outcome:
        """hprobe_consume: an xchg; y remembers whether the lease is ours to end."""
        thread = world.threads[me]
        if thread.hprobe in ("", "gone"):
            return with_thread(world, me, hprobe="", instance=NOBODY), nothing
        leased = int(thread.hprobe == "leased")
        world = with_thread(world, me, u=thread.instance, hprobe="consumed", y=leased)
        return traversal_begins(world, me, key, RETURN, thread.instance), ""

    def finalize(world: World) -> Outcome:
        leased = world.threads[me].y
        world = with_thread(world, me, hprobe="", instance=NOBODY, y=0)
        if not leased:
            return world, stable
        return with_thread(leaves(world, lease), me, u=NOBODY), nothing

    return [
        Step("hprobe_consume", consume, reader(me) | consumers(key), reader(me), (nothing,)),
        *read_lock(rules.return_section, me, bit),
        *handler_chain(rules, me, key, RETURN, tag),
        *read_unlock(rules.return_section, me, bit),
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
