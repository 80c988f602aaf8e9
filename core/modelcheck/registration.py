"""Registering and unregistering consumers."""

from __future__ import annotations

from core.kernel import steps
from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import synchronize_block
from core.modelcheck.program import (
    TREE,
    Block,
    Outcome,
    Step,
    consumer_rwsem,
    consumers,
    references,
    register_rwsem,
)
from core.modelcheck.put import put_uprobe
from core.modelcheck.tree import delete_uprobe, find_uprobe, insert_uprobe
from core.modelcheck.world import (
    FRESH,
    GONE,
    LEAVING,
    LINKED,
    NOBODY,
    REGISTERED,
    World,
    with_consumer,
    with_thread,
    with_uprobe,
)


def down_write(me: int, key: int) -> Block:
    """down_write(register_rwsem) of thread `me`'s uprobe."""

    def act(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        if world.uprobes[u].register_rwsem:
            return None
        return with_uprobe(world, u, register_rwsem=NOBODY), ""

    sem = register_rwsem(key)
    return [Step(steps.DOWN_WRITE, act, sem | references(key), sem)]


def up_write(me: int, key: int, c: int, state: int) -> Block:
    """up_write(register_rwsem); consumer `c` is then in `state`."""

    def act(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        world = with_uprobe(world, u, register_rwsem=0)
        return with_consumer(world, c, state=state), ""

    return [Step(steps.UP_WRITE, act, references(key), register_rwsem(key) | consumers(key))]


def uprobe_register(rules: Rules, me: int, key: int, c: int, tag: str) -> Block:
    """Register consumer `c`. Stage 0 starts anew if the uprobe was deleted under it."""
    retry, active = f"{tag}.retry", f"{tag}.active"

    def is_active(world: World) -> Outcome:
        u = world.threads[me].u
        return world, active if world.uprobes[u].active else ""

    def add(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        if world.uprobes[u].consumer_rwsem:
            return None
        first = world.uprobes[u].first
        world = with_consumer(world, c, state=LINKED, uprobe=u, next=first)
        return with_uprobe(world, u, first=c), ""

    block: Block = [retry, *insert_uprobe(rules, me, key, tag), *down_write(me, key)]
    if rules.tree_reference:
        jump = Step("uprobe_register: retry", lambda world: (world, retry), targets=(retry,))
        check = Step("uprobe_is_active", is_active, TREE | references(key), targets=(active,))
        put = put_uprobe(rules, me, key, f"{tag}.r")
        block += [check, *up_write(me, key, c, FRESH), *put, jump, active]
    touched = consumers(key)
    block += [
        Step(steps.CONSUMER_ADD, add, touched | references(key) | consumer_rwsem(key), touched),
        *up_write(me, key, c, REGISTERED),
    ]
    if rules.tree_reference:
        return block + put_uprobe(rules, me, key, f"{tag}.p")
    return block


def uprobe_unregister_nosync(rules: Rules, me: int, key: int, c: int, tag: str) -> Block:
    """Take consumer `c` off its uprobe and drop its reference, without waiting."""

    def begin(world: World) -> Outcome:
        u = world.consumers[c].uprobe
        checks.touches_uprobe(world, u)
        if world.uprobes[u].register_rwsem:
            return None
        world = with_uprobe(world, u, register_rwsem=NOBODY)
        threads = tuple(
            thread._replace(must_call=thread.must_call & ~(1 << c))
            if thread.must_call >> c & 1
            else thread
            for thread in world.threads
        )
        world = with_consumer(world._replace(threads=threads), c, state=LEAVING)
        return with_thread(world, me, u=u), ""

    def delete(world: World) -> Outcome:
        u = world.threads[me].u
        if world.uprobes[u].consumer_rwsem and "no-consumer-rwsem" not in rules.faults:
            return None
        after = world.consumers[c].next
        if world.uprobes[u].first == c:
            world = with_uprobe(world, u, first=after)
        else:
            for before, consumer in enumerate(world.consumers):
                if consumer.next == c and consumer.state in (LINKED, REGISTERED, LEAVING):
                    world = with_consumer(world, before, next=after)
        return with_consumer(world, c, state=GONE), ""

    sem, list_ = register_rwsem(key), consumers(key)
    block: Block = []
    if rules.tree_reference:
        block += find_uprobe(rules, me, key, "get_uprobe", f"{tag}.none")
    block += [
        Step(steps.DOWN_WRITE, begin, sem | references(key) | list_, sem | list_),
        Step(steps.CONSUMER_DEL, delete, list_ | consumer_rwsem(key), list_),
    ]
    if rules.tree_reference:
        block += _delete_unused(rules, me, key, tag)
    block += [
        *up_write(me, key, c, GONE),
        *put_uprobe(rules, me, key, f"{tag}.p"),
        f"{tag}.none",
    ]
    return block


def _delete_unused(rules: Rules, me: int, key: int, tag: str) -> Block:
    """Stage 0: the last consumer deletes the uprobe and drops the tree's reference."""
    used = f"{tag}.used"

    def unused(world: World) -> Outcome:
        u = world.threads[me].u
        return world, used if world.uprobes[u].first != NOBODY else ""

    def drop(world: World) -> Outcome:
        u = world.threads[me].u
        checks.drops_reference(world, u)
        return with_uprobe(world, u, ref=world.uprobes[u].ref - 1), ""

    return [
        Step("__uprobe_unregister", unused, consumers(key), targets=(used,)),
        *delete_uprobe(rules, me, key, tag),
        Step("put_uprobe: the tree's", drop, references(key), references(key)),
        used,
    ]


def uprobe_unregister_sync(rules: Rules, me: int) -> Block:
    """Wait until no reader can still see what was taken off."""
    block: Block = []
    for whose in rules.sync:
        block += synchronize_block(rules, me, whose)
    return block


def free_consumer(me: int, key: int, c: int) -> Block:
    """The caller frees consumer `c`, which it may once unregistering has returned."""

    def act(world: World) -> Outcome:
        return with_consumer(world, c, freed=True), ""

    return [Step(f"kfree(consumer {c})", act, writes=consumers(key))]


def unregister_batch(rules: Rules, me: int, batch: tuple[tuple[int, int], ...], tag: str) -> Block:
    """Unregister and free (key, consumer) pairs: one link or perf event with several probes."""
    block: Block = []
    for place, (key, c) in enumerate(batch):
        if place == len(batch) - 1 and rules.batch and "sync-before-last-nosync" in rules.faults:
            block += uprobe_unregister_sync(rules, me)
        block += uprobe_unregister_nosync(rules, me, key, c, f"{tag}.{place}")
        if not rules.batch:
            block += uprobe_unregister_sync(rules, me)
    if rules.batch and "sync-before-last-nosync" not in rules.faults:
        block += uprobe_unregister_sync(rules, me)
    for key, c in batch:
        block += free_consumer(me, key, c)
    return block


def failing_register(rules: Rules, me: int, key: int, c: int, tag: str) -> Block:
    """A registration whose breakpoints cannot be installed: undone, with a wait of its own."""
    block = uprobe_register(rules, me, key, c, tag)
    block += uprobe_unregister_nosync(rules, me, key, c, f"{tag}.e")
    if "error-path-without-sync" not in rules.faults:
        block += uprobe_unregister_sync(rules, me)
    return block + free_consumer(me, key, c)
