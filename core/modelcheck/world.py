"""The state of the functional kernel: one immutable, hashable value.

Named tuples, not frozen dataclasses: a search hashes every state, and a tuple's hash is C code.
Uprobes, consumers and threads are numbered by their place; NOBODY is the null pointer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

NOBODY = -1
ENTRY, RETURN = 1, 2
"""What a consumer has handlers for; a mask."""

FRESH, LINKED, REGISTERED, LEAVING, GONE = range(5)
"""A consumer's life: on the list from LINKED on; from REGISTERED on its registration is through."""

ENTRY_READERS, RETURN_READERS = 0xFF, 0xFF00
"""Masks of `World.readers`: thread i in the entry's read section is bit i, in `uretprobes_srcu`
bit 8 + i. So at most eight threads."""


class Uprobe(NamedTuple):
    """`struct uprobe`. A semaphore is a number of readers, or NOBODY while it is written."""

    key: int
    """Stands for (inode, offset)."""
    ref: int
    link: int = NOBODY
    """The child in the tree. It stays when the node is erased, as rb_erase leaves it."""
    first: int = NOBODY
    """Head of the consumers' list."""
    register_rwsem: int = 0
    consumer_rwsem: int = 0
    active: bool = True
    """In the tree (not RB_EMPTY_NODE)."""
    clobbered: bool = False
    """An RCU head was written over rb_node."""
    freed: bool = False


class Consumer(NamedTuple):
    """`struct uprobe_consumer`; its memory is the caller's, who frees it after unregistering."""

    key: int
    kinds: int
    state: int = FRESH
    uprobe: int = NOBODY
    next: int = NOBODY
    freed: bool = False


class Thread(NamedTuple):
    """A program counter and the locals of the functions it is in."""

    pc: int = 0
    u: int = NOBODY
    at: int = NOBODY
    """Cursor: of a walk over the tree or over consumers."""
    x: int = 0
    """A number read: a seqcount, an index, a sum."""
    y: int = 0
    must_call: int = 0
    """Mask of consumers that the traversal under way has to call (for the checks only)."""
    must_not_call: int = 0
    """Mask of those that were off the list before it began."""
    called: int = 0
    wait: int = 0
    """Readers that were inside when this thread's grace period began and still are."""
    hprobe: str = ""
    """State of the pending return instance: "", leased, stable, gone, or consumed."""
    instance: int = NOBODY
    """Its uprobe."""
    session: int = 0
    """Mask of consumers with both handlers that the pending call's entry has called."""
    returned: int = 0
    """Mask of consumers whose return handler ran (for counting)."""


class Deferred(NamedTuple):
    """A freed uprobe on its way through callbacks: the phases still to come."""

    u: int
    phases: tuple[str, ...]
    wait: int = 0
    at: int = NOBODY


class World(NamedTuple):
    """Everything that threads share, and the threads."""

    consumers: tuple[Consumer, ...]
    threads: tuple[Thread, ...]
    uprobes: tuple[Uprobe, ...] = ()
    root: int = NOBODY
    seq: int = 0
    """`uprobes_seqcount`; odd while `uprobes_treelock` is held for more than one step."""
    readers: int = 0
    deferred: tuple[Deferred, ...] = ()
    counters: tuple[int, ...] = ()
    """Of the grace period modelled in detail, if the scenario has one."""


def with_thread(world: World, me: int, **changes: Any) -> World:
    """The world after a change of thread `me`'s locals."""
    threads = world.threads
    changed = threads[me]._replace(**changes)
    return world._replace(threads=(*threads[:me], changed, *threads[me + 1 :]))


def at_step(world: World, me: int, pc: int) -> World:
    """The world after thread `me` has gone to step `pc`: what every step ends with, so quick."""
    consumers, threads, *rest = world
    thread = tuple.__new__(Thread, (pc, *threads[me][1:]))
    return tuple.__new__(World, (consumers, (*threads[:me], thread, *threads[me + 1 :]), *rest))


def with_uprobe(world: World, u: int, **changes: Any) -> World:
    """The world after a change of uprobe `u`."""
    uprobes = world.uprobes
    changed = uprobes[u]._replace(**changes)
    return world._replace(uprobes=(*uprobes[:u], changed, *uprobes[u + 1 :]))


def with_consumer(world: World, c: int, **changes: Any) -> World:
    """The world after a change of consumer `c`."""
    consumers = world.consumers
    changed = consumers[c]._replace(**changes)
    return world._replace(consumers=(*consumers[:c], changed, *consumers[c + 1 :]))


def chain(world: World) -> list[int]:
    """Uprobes in the tree, from the root down: the tree is modelled as a path."""
    found = []
    u = world.root
    while u != NOBODY:
        found.append(u)
        u = world.uprobes[u].link
    return found
