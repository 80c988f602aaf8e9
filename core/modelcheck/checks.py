"""What must hold, in every step and at the end. A function here returns, or raises Violation."""

from __future__ import annotations

from core.modelcheck.world import GONE, NOBODY, REGISTERED, World

FREED_UPROBE = "freed uprobe"
FREED_CONSUMER = "freed consumer"
FREED_LINKS = "freed links"
REFERENCES = "references"
NOT_CALLED = "not called"
CALLED_GONE = "called when gone"
TOO_SHORT = "grace period too short"
NEVER_ENDING = "never ends"
DEADLOCK = "deadlock"
NULL_POINTER = "null pointer"


class Violation(Exception):  # noqa: N818 - the field's word; it is a finding, not a failure
    """A check that failed. `check` is one of the names above."""

    def __init__(self, check: str, text: str) -> None:
        super().__init__(check, text)
        self.check = check
        self.text = text

    def __str__(self) -> str:
        return f"{self.check}: {self.text}"


def touches_uprobe(world: World, u: int) -> None:
    """An uprobe that is read or written is allocated."""
    if world.uprobes[u].freed:
        raise Violation(FREED_UPROBE, f"uprobe {u} is used after its free")


def follows_links(world: World, u: int) -> None:
    """An rb_node that is followed holds links."""
    touches_uprobe(world, u)
    if world.uprobes[u].clobbered:
        raise Violation(FREED_LINKS, f"rb_node of uprobe {u} holds an RCU head")


def touches_consumer(world: World, c: int) -> None:
    """A consumer that is read is allocated."""
    if world.consumers[c].freed:
        raise Violation(FREED_CONSUMER, f"consumer {c} is used after its free")


def drops_reference(world: World, u: int) -> None:
    """A reference that is dropped was there."""
    touches_uprobe(world, u)
    if world.uprobes[u].ref <= 0:
        raise Violation(REFERENCES, f"uprobe {u} has {world.uprobes[u].ref} and loses one")


def frees(world: World, u: int) -> None:
    """An uprobe is freed once."""
    if world.uprobes[u].freed:
        raise Violation(FREED_UPROBE, f"uprobe {u} is freed twice")


def calls(world: World, me: int, c: int) -> None:
    """A consumer that was gone before the traversal began is not called."""
    if world.threads[me].must_not_call >> c & 1:
        raise Violation(CALLED_GONE, f"consumer {c} was unregistered before the hit began")


def traversal_ends(world: World, me: int) -> None:
    """A consumer that was registered for the whole of the traversal was called."""
    thread = world.threads[me]
    for c in range(len(world.consumers)):
        if thread.must_call >> c & 1 and not thread.called >> c & 1:
            raise Violation(NOT_CALLED, f"consumer {c} was registered all the time")


def period_ends(world: World, me: int) -> None:
    """No reader that was inside when thread `me`'s grace period began still is."""
    inside = world.threads[me].wait
    if inside:
        readers = [i for i in range(16) if inside >> i & 1]
        raise Violation(TOO_SHORT, f"reader {readers[0] % 8} entered before it and is still inside")


def at_the_end(world: World, *, tree_reference: bool) -> None:
    """With all threads done, references are those of who is registered; the rest is freed.

    `tree_reference`: the tree owns one reference, as before stage 2; else each consumer owns one.
    """
    if world.readers:
        raise Violation(REFERENCES, "a read section is never left")
    for u, uprobe in enumerate(world.uprobes):
        users = sum(c.uprobe == u and c.state == REGISTERED for c in world.consumers)
        expected = min(users, 1) if tree_reference else users
        if uprobe.ref != expected:
            raise Violation(REFERENCES, f"uprobe {u} ends with {uprobe.ref}, not {expected}")
        if uprobe.freed != (users == 0):
            ends = "freed" if uprobe.freed else "leaked"
            raise Violation(REFERENCES, f"uprobe {u} with {users} consumers ends {ends}")
    for c, consumer in enumerate(world.consumers):
        if consumer.state == GONE and not consumer.freed:
            raise Violation(REFERENCES, f"consumer {c} is never freed")
    if world.root != NOBODY and world.uprobes[world.root].freed:
        raise Violation(FREED_UPROBE, "the tree's root is freed")
