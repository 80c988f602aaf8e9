"""The threads that hit: what each calls next, and how far it has come. A group of them is a gang's.

Whoever hosts a thread, its calls are the same: they are drawn from a stream of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.churn.fold import expire, fold
from core.churn.programs import ENTERED, FOUND, LEFT, UNWALKED, WALKING
from core.churn.records import FRAME, LEASE, NOBODY, THREAD, Threads, View
from core.engine.cpu import CpuConfig, stream
from core.engine.gang import Hits
from core.engine.pipeline import RETURN
from core.engine.spread import draw_probes

IntArray = NDArray[np.int64]


class Where(NamedTuple):
    """How far each thread is, shape (threads,): items `taken`, the last of them at `level`."""

    taken: IntArray
    level: IntArray


class Inside(NamedTuple):
    """What threads may be using now, one entry for each, all as numbers of uprobes or masks.

    `uprobe` is what a hit or return instance that holds no reference may use; `function` and `may`,
    which consumers of a function.
    """

    uprobe: IntArray
    function: IntArray
    may: NDArray[np.uint64]


@dataclass(frozen=True)
class Trigger:
    """What one thread does: see `CpuConfig`. `most` is how deep it calls, at most."""

    cpu: CpuConfig
    most: int
    user_ps: int


class Gang(Protocol):
    """The threads of a cell, wherever they live. Arrays are in their order."""

    def reset(self, triggers: Sequence[Trigger]) -> None:
        """Become the threads of a new cell."""

    def fold(self, view: View, where: Where) -> None:
        """Take every thread to where it is, in the kernel that `view` shows."""

    def draw(self, wanted: IntArray) -> Hits:
        """The next calls and returns of every thread."""


class ThreadGroup:
    """Threads that live in this process: a whole gang, or one actor's share of it."""

    def __init__(self, capacity: int, depth: int) -> None:
        self._capacity, self._depth = capacity, depth

    def reset(self, triggers: Sequence[Trigger]) -> None:
        """Become the threads of a new cell."""
        n = len(triggers)
        self._triggers = triggers
        self._random = [np.random.Generator(stream(t.cpu.key, t.cpu.cpu)) for t in triggers]
        self._ahead = [np.zeros(0, dtype=np.int32) for _ in triggers]
        self._filled = np.zeros(n, dtype=np.int64)
        thread = np.zeros(n, dtype=THREAD)
        thread["uprobe"] = NOBODY
        frame = np.zeros((n, self._depth), dtype=FRAME)
        frame["uprobe"] = NOBODY
        pairs = [np.zeros((n, 2), dtype=np.int64) for _ in range(4)]
        singles = [np.zeros(n, dtype=np.int64) for _ in range(2)]
        by_uprobe = [np.zeros(0, dtype=np.int64) for _ in range(3)]
        items = np.zeros((n, self._capacity), dtype=np.int32)
        self.threads = Threads(items, thread, frame, *pairs, *singles, *by_uprobe)

    def fold(self, view: View, where: Where) -> None:
        """Take every thread to where it is, in the kernel that `view` shows."""
        self._grow(len(view.freed))
        fold(self.threads, view, where.taken, where.level)

    def expire(self, view: View, thread: int) -> None:
        """The timer of a thread's return instances."""
        self._grow(len(view.freed))
        expire(self.threads, view, thread)

    def finish(self, wanted: IntArray) -> Hits:
        """As `draw`, but no further than the end of what every thread has begun."""
        left = np.array([len(ahead) for ahead in self._ahead], dtype=np.int64)
        return self.draw(np.minimum(left, wanted))

    def draw(self, wanted: IntArray) -> Hits:
        """The next calls and returns of every thread, and the work in user space before each."""
        items, private = [], []
        for index, n in enumerate(wanted):
            drawn = self._draw(index, int(n))
            slots = (self._filled[index] + np.arange(n)) % self._capacity
            self.threads.items[index, slots] = drawn
            self._filled[index] += n
            items.append(drawn)
            private.append(self._private(index, drawn))
        return Hits(wanted, np.concatenate(items), np.concatenate(private))

    def inside(self, section: bool, chain_rwsem: bool) -> Inside:
        """What may be in use without a reference; a `section` or the rwsem protects consumers."""
        t = self.threads.thread
        level = np.where(t["begun"] & t["hit"], t["level"], 0)
        at_uprobe = (level >= FOUND) & (level < LEFT) & (t["uprobe"] != NOBODY)
        first = WALKING if chain_rwsem else ENTERED
        walking = (level >= first) & (level < np.where(t["returns"] == 1, UNWALKED, LEFT))
        if chain_rwsem:
            walking &= level < UNWALKED
        leased = (self.threads.frame["uprobe"] != NOBODY) & (self.threads.frame["holds"] == LEASE)
        uprobes = [t["uprobe"][at_uprobe], self.threads.frame["uprobe"][leased]]
        may = t["may"][walking] if section or chain_rwsem else t["may"][:0]
        return Inside(np.concatenate(uprobes), t["function"][walking], may)

    def _draw(self, index: int, n: int) -> NDArray[np.int32]:
        ahead = self._ahead[index]
        while len(ahead) < n:
            ahead = np.concatenate([ahead, self._chains(index, n - len(ahead))])
        self._ahead[index] = ahead[n:]
        return ahead[:n]

    def _chains(self, index: int, items: int) -> NDArray[np.int32]:
        """Calls some way down and back up again, `items` of them or more."""
        trigger, random = self._triggers[index], self._random[index]
        chains = items // (trigger.most + 1) + 1
        depth = random.integers(1, trigger.most + 1, size=chains)
        calls = draw_probes(
            random, trigger.cpu.spread, trigger.cpu.cpu, trigger.cpu.probes, int(depth.sum())
        )
        is_call = np.repeat(np.tile([True, False], chains), np.repeat(depth, 2))
        drawn = np.full(2 * len(calls), RETURN, dtype=np.int32)
        drawn[is_call] = calls
        return drawn

    def _private(self, index: int, drawn: NDArray[np.int32]) -> IntArray:
        """User space's work before each call and the jitter of its hit; none before a return."""
        trigger = self._triggers[index]
        uniform = self._random[index].random(len(drawn))
        private = trigger.user_ps + 2 * trigger.cpu.jitter_ps * uniform
        return np.where(drawn == RETURN, 0, private).astype(np.int64)

    def _grow(self, uprobes: int) -> None:
        """Make room for uprobes that are new."""
        have = len(self.threads.held)
        if have < uprobes:
            more = [np.zeros(uprobes, dtype=np.int64) for _ in range(3)]
            old = (self.threads.held, self.threads.walks, self.threads.return_walks)
            for new, counts in zip(more, old, strict=True):
                new[:have] = counts
            self.threads = self.threads._replace(held=more[0], walks=more[1], return_walks=more[2])
