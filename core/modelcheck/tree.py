"""The uprobes tree: lookup, insertion and erasure, under uprobes_treelock or a seqcount.

The tree is a path from the root down, which is what two or three probes need. Under the treelock
a lookup or change is one step. With a lockless tree a change is two: in between, a rebalancing
hides the nodes that stay, as a rotation may; a lookup is a step a node.
"""

from __future__ import annotations

from core.kernel import steps
from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.program import TREE, Block, Outcome, Step, references
from core.modelcheck.world import NOBODY, Uprobe, World, chain, with_thread, with_uprobe


def in_tree(world: World, key: int) -> int:
    """The uprobe of `key` that a walk under the treelock finds, or NOBODY."""
    for u in chain(world):
        checks.follows_links(world, u)
        if world.uprobes[u].key == key:
            return u
    return NOBODY


def take(rules: Rules, world: World, u: int, how: str) -> World | None:
    """get_uprobe, or try_get_uprobe, which takes no uprobe whose count is zero (None)."""
    checks.touches_uprobe(world, u)
    ref = world.uprobes[u].ref
    if how == "try_get_uprobe" and ref == 0 and "try-get-takes-zero" not in rules.faults:
        return None
    return with_uprobe(world, u, ref=ref + 1)


def relinked(world: World, order: list[int]) -> World:
    """The tree as a path of these uprobes."""
    for u, child in zip(order, [*order[1:], NOBODY], strict=False):
        if world.uprobes[u].link != child:
            world = with_uprobe(world, u, link=child)
    return world._replace(root=order[0] if order else NOBODY)


def erase(world: World, u: int) -> tuple[World, int]:
    """rb_erase's first half: the seqcount is odd, all nodes hidden; also the root to come.

    An uprobe that is not active any more is left alone; then the root to come is `u` itself.
    """
    if not world.uprobes[u].active:
        return world, u
    order = [other for other in chain(world) if other != u]
    link = world.uprobes[u].link
    world = with_uprobe(relinked(world, order), u, active=False, link=link)
    at = world.root
    return world._replace(root=NOBODY, seq=world.seq + 1), at


def erased(world: World, at: int) -> World:
    """Its second half: the nodes that stay are visible again under the root `at`."""
    return world._replace(root=at, seq=world.seq + 1)


def find_uprobe(
    rules: Rules, me: int, key: int, how: str, missed: str, name: str = steps.FIND_UPROBE
) -> Block:
    """Under the treelock, in one step; goes to `missed` if there is none that may be taken."""

    def act(world: World) -> Outcome:
        if world.seq % 2:
            return None
        u = in_tree(world, key)
        if u == NOBODY:
            return world, missed
        found = take(rules, world, u, how) if how else world
        if found is None:
            return world, missed
        return with_thread(found, me, u=u), ""

    writes = references(key) if how else 0
    return [Step(name, act, TREE | references(key), writes, (missed,))]


def find_uprobe_rcu(rules: Rules, me: int, key: int, keys: int, missed: str, tag: str) -> Block:
    """Without the treelock: a step a node, and all over if the seqcount moved under a miss."""
    again, walk, retry, found = (f"{tag}.{name}" for name in ("again", "walk", "retry", "found"))

    def begin(world: World) -> Outcome:
        if world.seq % 2:
            return None
        return with_thread(world, me, x=world.seq), ""

    def root(world: World) -> Outcome:
        return with_thread(world, me, at=world.root), walk if world.root != NOBODY else retry

    def node(world: World) -> Outcome:
        u = world.threads[me].at
        checks.touches_uprobe(world, u)
        if world.uprobes[u].key == key:
            return with_thread(world, me, u=u, at=NOBODY, x=0), found
        checks.follows_links(world, u)
        link = world.uprobes[u].link
        return with_thread(world, me, at=link), walk if link != NOBODY else retry

    def check(world: World) -> Outcome:
        moved = world.seq != world.threads[me].x and "no-seqcount-retry" not in rules.faults
        return with_thread(world, me, x=0, at=NOBODY), again if moved else missed

    nodes = TREE
    for other in range(keys):
        nodes |= references(other)
    return [
        again,
        Step("read_seqcount_begin", begin, reads=TREE),
        Step("find_uprobe_rcu", root, reads=TREE, targets=(walk, retry)),
        walk,
        Step("find_uprobe_rcu: node", node, reads=nodes, targets=(walk, retry, found)),
        retry,
        Step("read_seqcount_retry", check, reads=TREE, targets=(again, missed)),
        found,
    ]


def insert_uprobe(rules: Rules, me: int, key: int, tag: str) -> Block:
    """Take the uprobe of `key`, or insert a new one, replacing one whose count is zero."""
    done = f"{tag}.inserted"
    access = "get_uprobe" if rules.tree_reference else "try_get_uprobe"

    def begin(world: World) -> Outcome:
        if world.seq % 2:
            return None
        old = in_tree(world, key)
        if old != NOBODY:
            taken = take(rules, world, old, access)
            if taken is not None:
                return with_thread(taken, me, u=old), done
            world = with_uprobe(world, old, active=False)
        u = len(world.uprobes)
        order = [other for other in chain(world) if other != old]
        link = world.uprobes[old].link if old != NOBODY else NOBODY
        new = Uprobe(key, ref=2 if rules.tree_reference else 1)
        world = relinked(world._replace(uprobes=(*world.uprobes, new)), [*order, u])
        if old != NOBODY:
            world = with_uprobe(world, old, link=link)
        if not rules.lockless_tree:
            return with_thread(world, me, u=u), done
        at = world.root
        return with_thread(world._replace(root=NOBODY, seq=world.seq + 1), me, u=u, at=at), ""

    touched = TREE | references(key)
    return [
        Step(steps.INSERT_UPROBE, begin, touched, touched, (done,)),
        _write_seqcount_end(steps.INSERT_UPROBE, me),
        done,
    ]


def delete_uprobe(rules: Rules, me: int, key: int, tag: str) -> Block:
    """Take thread `me`'s uprobe out of the tree if it is still there."""
    done = f"{tag}.deleted"

    def begin(world: World) -> Outcome:
        if world.seq % 2:
            return None
        u = world.threads[me].u
        checks.touches_uprobe(world, u)
        hidden, at = erase(world, u)
        if at == u:
            return world, done
        if not rules.lockless_tree:
            return erased(hidden, at), done
        return with_thread(hidden, me, at=at), ""

    touched = TREE | references(key)
    return [
        Step(steps.DELETE_UPROBE, begin, touched, touched, (done,)),
        _write_seqcount_end(steps.DELETE_UPROBE, me),
        done,
    ]


def _write_seqcount_end(function: str, me: int) -> Step:
    """The last step of a change that readers without the lock may have met halfway."""

    def end(world: World) -> Outcome:
        return with_thread(erased(world, world.threads[me].at), me, at=NOBODY), ""

    return Step(f"{function}: {steps.WRITE_SEQCOUNT_END}", end, TREE, TREE)
