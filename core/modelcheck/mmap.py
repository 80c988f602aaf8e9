"""The mmap path: it walks consumers outside of any read section."""

from __future__ import annotations

from core.kernel import steps
from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.program import Block, Outcome, Step, consumer_rwsem, consumers, references
from core.modelcheck.put import put_uprobe
from core.modelcheck.tree import find_uprobe
from core.modelcheck.world import NOBODY, World, with_thread, with_uprobe


def uprobe_mmap(rules: Rules, me: int, key: int, tag: str) -> Block:
    """A mapping of the code appears: take the uprobe, ask each consumer's filter, put it."""
    walk, done, missed = f"{tag}.walk", f"{tag}.filtered", f"{tag}.missed"
    how = "get_uprobe" if rules.tree_reference else "try_get_uprobe"

    def down_read(world: World) -> Outcome:
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        first = world.uprobes[u].first
        world = with_uprobe(world, u, consumer_rwsem=world.uprobes[u].consumer_rwsem + 1)
        return with_thread(world, me, at=first), walk if first != NOBODY else done

    def node(world: World) -> Outcome:
        c = world.threads[me].at
        checks.touches_consumer(world, c)
        after = world.consumers[c].next
        return with_thread(world, me, at=after), walk if after != NOBODY else done

    def up_read(world: World) -> Outcome:
        u = world.threads[me].u
        return with_uprobe(world, u, consumer_rwsem=world.uprobes[u].consumer_rwsem - 1), ""

    sem = consumer_rwsem(key)
    touched = consumers(key) | references(key)
    return [
        *find_uprobe(rules, me, key, how, missed, steps.BUILD_PROBE_LIST),
        Step("filter_chain", down_read, touched | sem, sem, (walk, done)),
        walk,
        Step("consumer_filter", node, consumers(key), targets=(walk, done)),
        done,
        Step("filter_chain: up_read", up_read, sem, sem),
        *put_uprobe(rules, me, key, tag),
        missed,
    ]
