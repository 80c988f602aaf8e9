"""Dropping a reference to an uprobe."""

from __future__ import annotations

from core.kernel import steps
from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import free_uprobe
from core.modelcheck.program import ALL_READERS, Block, Outcome, Step, references
from core.modelcheck.tree import delete_uprobe
from core.modelcheck.world import NOBODY, World, with_thread, with_uprobe


def put_uprobe(rules: Rules, me: int, key: int, tag: str) -> Block:
    """Drop thread `me`'s reference; the last one frees, from stage 2 on after an erasure."""
    dead, out = f"{tag}.dead", f"{tag}.put"

    def drop(world: World) -> Outcome:
        u = world.threads[me].u
        checks.drops_reference(world, u)
        ref = world.uprobes[u].ref - 1
        world = with_uprobe(world, u, ref=ref)
        if ref:
            return with_thread(world, me, u=NOBODY), out
        if rules.tree_reference or "erase" in rules.free:
            return with_thread(free_uprobe(rules, world, u), me, u=NOBODY), out
        return world, dead

    def free(world: World) -> Outcome:
        u = world.threads[me].u
        return with_thread(free_uprobe(rules, world, u), me, u=NOBODY), ""

    touched = references(key)
    return [
        Step(steps.PUT_UPROBE, drop, touched | ALL_READERS, touched, (out, dead)),
        dead,
        *delete_uprobe(rules, me, key, tag),
        Step(steps.FREE, free, touched | ALL_READERS, touched),
        out,
    ]
