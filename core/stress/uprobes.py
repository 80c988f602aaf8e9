"""The uprobes of a cell and their consumers: the tree, reference counts, who is on which list.

Everything that a hit asks is an array, by uprobe or by function, so that a window of hits is
answered at once. A consumer of a function has a bit of the function's own in masks of 64.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray

NOBODY = -1
BITS = 64
"""Consumers that one function can have at a time."""

QUARANTINE = 256
"""How many freed uprobes keep their number, as KASAN keeps freed memory, so that who still uses one
is caught; the number of the oldest is then taken again."""

SIZEOF_UPROBE = 256
"""Bytes of a struct uprobe as kmalloc rounds them: three cache lines and the arch's part."""


class Tree:
    """The uprobes tree: uprobes by key, which is inode and offset. Lookups come in arrays."""

    def __init__(self) -> None:
        self._keys: IntArray = np.zeros(0, dtype=np.int64)
        self._uprobes: IntArray = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, keys: IntArray) -> IntArray:
        """The uprobe of each key, NOBODY where there is none; shape of `keys`."""
        if not len(self._keys):
            return np.full(keys.shape, NOBODY, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._uprobes[at], NOBODY)

    def insert(self, key: int, uprobe: int) -> None:
        """rb_find_add of a new uprobe; one that is there under this key is replaced."""
        at = int(np.searchsorted(self._keys, key))
        if at < len(self._keys) and self._keys[at] == key:
            self._uprobes[at] = uprobe
        else:
            self._keys = np.insert(self._keys, at, key)
            self._uprobes = np.insert(self._uprobes, at, uprobe)

    def erase(self, key: int, uprobe: int) -> None:
        """rb_erase, if that uprobe is (still) there."""
        at = int(np.searchsorted(self._keys, key))
        if at < len(self._keys) and self._keys[at] == key and self._uprobes[at] == uprobe:
            self._keys = np.delete(self._keys, at)
            self._uprobes = np.delete(self._uprobes, at)


@dataclass(eq=False)
class Consumer:
    """One consumer: of the entry, or of the return of its function.

    `bit` is its place in the masks; `everywhere`: its filter takes any process, not only the one
    that registered it; `uprobe` is the one it is registered with, NOBODY before; `hits` counts its
    calls.
    """

    function: int
    at_return: bool
    bit: int
    everywhere: bool = True
    uprobe: int = NOBODY
    hits: int = 0


@dataclass
class Uprobes:
    """All uprobes that ever were in a cell, by number, and the consumers of every function.

    By uprobe: `function`; `ref`, references that are not hits' or return instances'; `active`, in
    the tree; `dying`, its free has begun; `freed`; `entry_list` and `return_list`, the masks of the
    consumers on its list. By function: `must_call`, consumers whose registration has returned and
    whose unregistration has not begun; `may_call`, those that were made and are not yet off their
    list for good; `known`, those that were made and not yet freed; `returns`, which of these are of
    the return, `anywhere`, which have a filter that takes any process; `installed`, whether the
    breakpoint is in the process that hits; `found`, what a lookup gives.
    """

    functions: int
    tree: Tree = field(default_factory=Tree)
    consumers: dict[int, list[Consumer]] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.keys = key_of(np.arange(self.functions))
        self.function: IntArray = np.zeros(0, dtype=np.int64)
        self.ref: IntArray = np.zeros(0, dtype=np.int64)
        self.active, self.dying, self.freed = (np.zeros(0, dtype=np.bool_) for _ in range(3))
        self.entry_list, self.return_list = (np.zeros(0, dtype=np.uint64) for _ in range(2))
        self.must_call, self.may_call, self.known, self.returns, self.anywhere = (
            np.zeros(self.functions, dtype=np.uint64) for _ in range(5)
        )
        self.found = self.tree.find(self.keys)
        self.installed = np.zeros(self.functions, dtype=np.bool_)
        self._next_bit: IntArray = np.zeros(self.functions, dtype=np.int64)
        self._graves: deque[int] = deque()
        self._grow(256)

    def new(self, function: int, references: int) -> int:
        """alloc_uprobe: a new one, not yet in the tree."""
        if len(self._graves) > QUARANTINE:
            uprobe = self._graves.popleft()
            self.dying[uprobe] = self.freed[uprobe] = False
        else:
            if self.count == len(self.function):
                self._grow(2 * self.count)
            uprobe = self.count
            self.count += 1
        self.function[uprobe] = function
        self.ref[uprobe] = references
        self.consumers[uprobe] = []
        return uprobe

    def free(self, uprobe: int) -> None:
        """kfree() of an uprobe."""
        self.freed[uprobe] = True
        self._graves.append(uprobe)

    def room(self, function: int) -> bool:
        """Whether the function can have one more consumer."""
        return int(self.known[function]).bit_count() < BITS

    def consumer(self, function: int, at_return: bool, everywhere: bool = True) -> Consumer:
        """A new consumer, not yet registered. Raises ValueError if the function has BITS."""
        if not self.room(function):
            raise ValueError(f"function {function} has {BITS} consumers already")
        # A bit is taken again as late as possible.
        bit = int(self._next_bit[function])
        while self.known[function] & one(bit):
            bit = (bit + 1) % BITS
        self._next_bit[function] = (bit + 1) % BITS
        self.known[function] |= one(bit)
        self.may_call[function] |= one(bit)
        for mask, has in ((self.returns, at_return), (self.anywhere, everywhere)):
            mask[function] = mask[function] | one(bit) if has else mask[function] & ~one(bit)
        return Consumer(function, at_return, bit, everywhere)

    def add(self, uprobe: int, consumer: Consumer) -> None:
        """consumer_add."""
        consumer.uprobe = uprobe
        self.consumers[uprobe].append(consumer)
        (self.return_list if consumer.at_return else self.entry_list)[uprobe] |= one(consumer.bit)

    def wanted_anywhere(self) -> NDArray[np.bool_]:
        """filter_chain() for a process that no consumer names: by function, what the lists say.

        True if a consumer on the list of the function's uprobe takes any process.
        """
        lists = self.entry_list[self.found] | self.return_list[self.found]
        wanted: NDArray[np.bool_] = (self.found != NOBODY) & (lists & self.anywhere != 0)
        return wanted

    def delete(self, consumer: Consumer) -> None:
        """consumer_del: off the list, though known until it is freed."""
        uprobe = consumer.uprobe
        self.consumers[uprobe].remove(consumer)
        self.entry_list[uprobe] &= ~one(consumer.bit)
        self.return_list[uprobe] &= ~one(consumer.bit)

    def forget(self, consumer: Consumer) -> None:
        """The caller frees the consumer."""
        self.known[consumer.function] &= ~one(consumer.bit)

    def dead(self, held: IntArray) -> list[int]:
        """Uprobes without any reference whose free has not begun; `held` are those of hits."""
        references = self.ref[: self.count].copy()
        references[: len(held)] += held[: self.count]
        gone: list[int] = np.flatnonzero((references == 0) & ~self.dying[: self.count]).tolist()
        return gone

    def look_up(self, function: int) -> None:
        """Let hits see what has become of a function's uprobe."""
        self.found[function] = self.tree.find(self.keys[function : function + 1])[0]

    def _grow(self, size: int) -> None:
        for name in (
            "function",
            "ref",
            "active",
            "dying",
            "freed",
            "entry_list",
            "return_list",
        ):
            old = getattr(self, name)
            new = np.zeros(size, dtype=old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)


def key_of(function: IntArray) -> IntArray:
    """Inode and offset of a function in one word: all lie in one file, 16 bytes apart."""
    inode = 1
    keys: IntArray = (inode << 40) + 16 * function.astype(np.int64)
    return keys


def one(bit: int) -> np.uint64:
    """The mask of one bit."""
    return np.uint64(1) << np.uint64(bit)
