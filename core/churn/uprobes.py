"""The uprobes of a cell and their consumers: the tree, reference counts, who is on which list.

Everything that a hit asks is an array, by uprobe or by function, so that a window of hits is
answered at once. A consumer of a function has a bit of the function's own in masks of 64.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Masks = NDArray[np.uint64]

NOBODY = -1
BITS = 64
"""Consumers that one function can have at a time."""

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

    `uprobe` is the one it is registered with and `bit` its place in the masks, both NOBODY before;
    `everywhere`: its filter takes any process, not only the one that registered it; `hits` counts
    its calls.
    """

    function: int
    at_return: bool
    everywhere: bool = True
    uprobe: int = NOBODY
    bit: int = NOBODY
    hits: int = 0


@dataclass
class Uprobes:
    """All uprobes that ever were in a cell, by number, and the consumers of every function.

    By uprobe: `function`; `ref`, references of everybody but hits and return instances; `active`,
    in the tree; `dying`, its free has begun; `freed`; `entry_list` and `return_list`, the masks of
    the consumers on its list. By function: `must`, consumers whose registration has returned and
    whose unregistration has not begun; `returns`, the bits of return consumers; `installed`,
    whether the breakpoint is in the process that hits; `found`, what a lookup gives; `listed`, the
    consumers on that one's list.
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
        self.must, self.returns, self.listed = (
            np.zeros(self.functions, dtype=np.uint64) for _ in range(3)
        )
        self.found = self.tree.find(self.keys)
        self.installed = np.zeros(self.functions, dtype=np.bool_)
        self._next_bit: IntArray = np.zeros(self.functions, dtype=np.int64)
        self._taken: Masks = np.zeros(self.functions, dtype=np.uint64)
        self._grow(256)

    def new(self, function: int, references: int) -> int:
        """alloc_uprobe: a new one, not yet in the tree."""
        if self.count == len(self.function):
            self._grow(2 * self.count)
        uprobe = self.count
        self.count += 1
        self.function[uprobe] = function
        self.ref[uprobe] = references
        self.consumers[uprobe] = []
        return uprobe

    def add(self, uprobe: int, consumer: Consumer) -> None:
        """consumer_add. Raises ValueError if the function has BITS consumers."""
        function = consumer.function
        for step in range(BITS):
            # A bit is taken again as late as possible: what still remembers it is long over.
            bit = (int(self._next_bit[function]) + step) % BITS
            if not self._taken[function] & one(bit):
                break
        else:
            raise ValueError(f"function {function} has {BITS} consumers already")
        self._next_bit[function] = (bit + 1) % BITS
        self._taken[function] |= one(bit)
        consumer.uprobe, consumer.bit = uprobe, bit
        self.consumers[uprobe].append(consumer)
        if consumer.at_return:
            self.returns[function] |= one(bit)
            self.return_list[uprobe] |= one(bit)
        else:
            self.returns[function] &= ~one(bit)
            self.entry_list[uprobe] |= one(bit)

    def delete(self, consumer: Consumer) -> None:
        """consumer_del: off the list; its bit stays taken until it is freed."""
        uprobe = consumer.uprobe
        self.consumers[uprobe].remove(consumer)
        self.entry_list[uprobe] &= ~one(consumer.bit)
        self.return_list[uprobe] &= ~one(consumer.bit)

    def free(self, consumer: Consumer) -> None:
        """The caller frees the consumer."""
        self._taken[consumer.function] &= ~one(consumer.bit)

    def dead(self, held: IntArray) -> list[int]:
        """Uprobes without any reference whose free has not begun; `held` are those of hits."""
        references = self.ref[: self.count].copy()
        references[: len(held)] += held[: self.count]
        gone: list[int] = np.flatnonzero((references == 0) & ~self.dying[: self.count]).tolist()
        return gone

    def look_up(self, function: int) -> None:
        """Let hits see what has become of a function's uprobe and its list."""
        uprobe = int(self.tree.find(self.keys[function : function + 1])[0])
        self.found[function] = uprobe
        lists = self.entry_list[uprobe] | self.return_list[uprobe]
        self.listed[function] = 0 if uprobe == NOBODY else lists

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
