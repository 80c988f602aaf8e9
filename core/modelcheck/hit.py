"""The entry of a probed function: lookup, handlers, return instance."""

from __future__ import annotations

from dataclasses import replace

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.chain import handler_chain, traversal_begins
from core.modelcheck.grace import read_lock, read_unlock
from core.modelcheck.hprobe import prepare_uretprobe
from core.modelcheck.program import Block, Outcome, Step, consumers
from core.modelcheck.put import put_uprobe
from core.modelcheck.tree import find_uprobe, find_uprobe_rcu
from core.modelcheck.world import ENTRY, NOBODY, World, with_thread


def uprobe_hit(rules: Rules, me: int, key: int, keys: int, tag: str) -> Block:
    """handle_swbp: the entry of the probed function."""
    missed, out = f"{tag}.missed", f"{tag}.out"
    bit = 1 << me

    def miss(world: World) -> Outcome:
        checks.traversal_ends(world, me)
        return with_thread(
            world, me, must_call=0, must_not_call=0
        ), out if not rules.entry_section else ""

    block = read_lock(rules.read_side, me, bit) if rules.entry_section else []
    if rules.lockless_tree:
        block += find_uprobe_rcu(rules, me, key, keys, missed, f"{tag}.f")
    else:
        block += find_uprobe(rules, me, key, rules.lookup, missed)
    prepare = prepare_uretprobe(rules, me, key, tag)
    block += handler_chain(rules, me, key, ENTRY, tag, prepare)
    if rules.lookup:
        block += put_uprobe(rules, me, key, tag)
    jump = f"{tag}.unlock"
    block += [
        Step(
            "handle_swbp: done",
            lambda world: (with_thread(world, me, u=NOBODY), jump),
            targets=(jump,),
        ),
        missed,
        Step("handle_swbp: no uprobe", miss, consumers(key), targets=(out,)),
        jump,
        *(read_unlock(rules.read_side, me, bit) if rules.entry_section else ()),
        out,
    ]
    return _noting(rules, block, me, key)


def _noting(rules: Rules, block: Block, me: int, key: int) -> Block:
    """The block, its first step also noting who is registered when the hit begins."""
    place = next(i for i, item in enumerate(block) if isinstance(item, Step))
    step = block[place]
    assert isinstance(step, Step)
    act = step.act

    def noting(world: World) -> Outcome:
        return act(traversal_begins(rules, world, me, key, ENTRY))

    noted = replace(step, act=noting, reads=step.reads | consumers(key))
    return [*block[:place], noted, *block[place + 1 :]]
