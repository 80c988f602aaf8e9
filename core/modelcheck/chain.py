"""The walk over an uprobe's consumers, at the entry or at the return."""

from __future__ import annotations

from collections.abc import Sequence

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.program import Block, Outcome, Step, consumers, references, register_rwsem
from core.modelcheck.world import (
    ENTRY,
    GONE,
    NOBODY,
    REGISTERED,
    RETURN,
    Consumer,
    World,
    with_thread,
    with_uprobe,
)

BOTH = ENTRY | RETURN


def takes(rules: Rules, consumer: Consumer, kind: int, *, session: bool) -> bool:
    """Whether a consumer has a handler that a traversal of this kind calls.

    `session`: the entry of this call has called it.
    """
    if rules.sessions and kind == RETURN and consumer.kinds == BOTH:
        return session
    return bool(consumer.kinds & kind)


def traversal_begins(
    rules: Rules, world: World, me: int, key: int, kind: int, u: int = NOBODY
) -> World:
    """Note who has to be called, and who must not; `u` restricts the first to one uprobe."""
    must_call = must_not_call = 0
    session = world.threads[me].session
    for c, consumer in enumerate(world.consumers):
        if consumer.key != key:
            continue
        if consumer.state == GONE:
            must_not_call |= 1 << c
        elif (
            consumer.state == REGISTERED
            and takes(rules, consumer, kind, session=bool(session >> c & 1))
            and u in (NOBODY, consumer.uprobe)
        ):
            must_call |= 1 << c
    return with_thread(world, me, must_call=must_call, must_not_call=must_not_call, called=0)


def handler_chain(
    rules: Rules, me: int, key: int, kind: int, tag: str, then: Sequence[Step | str] = ()
) -> Block:
    """Call the handlers of `kind` of thread `me`'s uprobe, a step a consumer, and `then` go on."""
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
        world = with_thread(world, me, at=at, x=0)
        if kind == ENTRY:
            world = with_thread(world, me, session=0)
        return world, walk if at != NOBODY else end

    def call(world: World) -> Outcome:
        thread = world.threads[me]
        c = thread.at
        checks.touches_consumer(world, c)
        consumer = world.consumers[c]
        called, x, returned = thread.called, thread.x, thread.returned
        session = thread.session
        if takes(rules, consumer, kind, session=bool(session >> c & 1)):
            checks.calls(world, me, c)
            called |= 1 << c
            returned |= 1 << c if kind == RETURN else 0
        if consumer.kinds & RETURN and kind == ENTRY:
            x = 1
            session |= 1 << c if rules.sessions and consumer.kinds == BOTH else 0
        at = consumer.next
        changed = with_thread(
            world, me, at=at, called=called, x=x, session=session, returned=returned
        )
        return changed, walk if at != NOBODY else end

    def ends(world: World) -> Outcome:
        checks.traversal_ends(world, me)
        return with_thread(world, me, must_call=0, must_not_call=0, called=0), ""

    def up_read(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        held = world.uprobes[u].register_rwsem
        return with_uprobe(world, u, register_rwsem=held - 1), ""

    sem, list_, memory = register_rwsem(key), consumers(key), references(key)
    block: Block = []
    if rules.chain_rwsem:
        block.append(Step("down_read(&uprobe->register_rwsem)", down_read, sem | memory, sem))
    block += [
        Step(name, first, list_ | memory, targets=(walk, end)),
        walk,
        Step(f"{name}: call", call, list_, targets=(walk, end)),
        end,
        Step(f"{name}: the end", ends, list_),
        *then,
    ]
    if rules.chain_rwsem:
        block.append(Step("up_read(&uprobe->register_rwsem)", up_read, sem | memory, sem))
    return block
