"""The threads that hit: what each calls next, and how far it has come.

Its calls are the same in whatever process it lives: they are drawn from a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.cpu_hosts import Hits, merge_hits
from core.engine.pipeline import RETURN
from core.engine.simulate import HITS_AHEAD
from core.engine.spread import Spread, draw_probes
from core.engine.streams import stream
from core.stress.records import FRAME, NOBODY, THREAD, Snapshot, Threads, View
from core.stress.replay import expire, replay_hits

Each = Callable[[str, Sequence[tuple[Any, ...]]], list[Any]]
"""Calls a method of several groups at once, each with its own arguments."""


class Where(NamedTuple):
    """How far each thread is, shape (threads,): items `taken`, the last of them at `level`."""

    taken: IntArray
    level: IntArray


@dataclass(frozen=True)
class Trigger:
    """What the thread on CPU `cpu` does: see `CpuConfigs`. `most` is how deep it calls, at most."""

    cpu: int
    key: tuple[int, int]
    probes: int
    spread: Spread
    jitter_ps: int
    most: int
    user_ps: int


class TriggerThreads(Protocol):
    """The threads of a cell, wherever they live. Arrays are in their order.

    What is given and what comes back are arrays and tuples of arrays, and `Trigger`s.
    """

    def reset(self, triggers: Sequence[Trigger]) -> None:
        """Become the threads of a new cell."""

    def replay(self, view: View, where: Where) -> Snapshot:
        """Take every thread to where it is, in the kernel that `view` shows."""

    def expire(self, view: View) -> Snapshot:
        """The timers of all threads' return instances, right after a replay."""

    def draw(self, wanted: IntArray, finish: bool = False) -> Hits:
        """The next calls and returns, `wanted[i]` of thread i, and user space's work before each.

        To `finish` is to go no further than the end of what a thread has begun.
        """


class ThreadGroup:
    """Threads that live in this process: all of a cell, or one actor's share of them."""

    def reset(self, triggers: Sequence[Trigger]) -> None:
        """Become the threads of a new cell."""
        n = len(triggers)
        self._triggers = triggers
        self._random = [np.random.Generator(stream(t.key, t.cpu)) for t in triggers]
        self._ahead = [np.zeros(0, dtype=np.int32) for _ in triggers]
        self._filled = np.zeros(n, dtype=np.int64)
        thread = np.zeros(n, dtype=THREAD)
        thread["uprobe"] = NOBODY
        frame = np.zeros((n, max((t.most for t in triggers), default=0)), dtype=FRAME)
        frame["uprobe"] = NOBODY
        pairs = [np.zeros((n, 2), dtype=np.int64) for _ in range(4)]
        singles = [np.zeros(n, dtype=np.int64) for _ in range(2)]
        by_uprobe = [np.zeros(0, dtype=np.int64) for _ in range(3)]
        items = np.zeros((n, HITS_AHEAD), dtype=np.int32)
        self._threads = Threads(items, thread, frame, *pairs, *singles, *by_uprobe)

    def replay(self, view: View, where: Where) -> Snapshot:
        """Take every thread to where it is, in the kernel that `view` shows."""
        self._grow(len(view.freed))
        replay_hits(self._threads, view, where.taken, where.level)
        return Snapshot(*self._threads[1:])

    def expire(self, view: View) -> Snapshot:
        """The timers of all threads' return instances, right after a replay."""
        expire(self._threads, view)
        return Snapshot(*self._threads[1:])

    def draw(self, wanted: IntArray, finish: bool = False) -> Hits:
        """The next calls and returns of every thread, and the work in user space before each."""
        if finish:
            left = np.array([len(ahead) for ahead in self._ahead], dtype=np.int64)
            wanted = np.minimum(left, wanted)
        items = [np.zeros(0, dtype=np.int32)]
        private = [np.zeros(0, dtype=np.int64)]
        for index, n in enumerate(wanted):
            drawn = self._draw(index, int(n))
            slots = (self._filled[index] + np.arange(n)) % HITS_AHEAD
            self._threads.items[index, slots] = drawn
            self._filled[index] += n
            items.append(drawn)
            private.append(self._private(index, drawn))
        return Hits(wanted, np.concatenate(items), np.concatenate(private))

    def _draw(self, index: int, n: int) -> NDArray[np.int32]:
        ahead = self._ahead[index]
        while len(ahead) < n:
            ahead = np.concatenate([ahead, self._chains(index, n - len(ahead))])
        self._ahead[index] = ahead[n:]
        return ahead[:n]

    def _chains(self, index: int, items: int) -> NDArray[np.int32]:
        """Calls some way down and back up again, about `items` of them."""
        trigger, random = self._triggers[index], self._random[index]
        chains = items // (trigger.most + 1) + 1
        depth = random.integers(1, trigger.most + 1, size=chains)
        calls = draw_probes(random, trigger.spread, trigger.cpu, trigger.probes, int(depth.sum()))
        is_call = np.repeat(np.tile([True, False], chains), np.repeat(depth, 2))
        drawn = np.full(2 * len(calls), RETURN, dtype=np.int32)
        drawn[is_call] = calls
        return drawn

    def _private(self, index: int, drawn: NDArray[np.int32]) -> IntArray:
        """User space's work before each call and the jitter of its hit; none before a return."""
        trigger = self._triggers[index]
        uniform = self._random[index].random(len(drawn))
        private = trigger.user_ps + 2 * trigger.jitter_ps * uniform
        return np.where(drawn == RETURN, 0, private).astype(np.int64)

    def _grow(self, uprobes: int) -> None:
        """Make room for uprobes that are new."""
        more = max(uprobes - len(self._threads.held), 0)
        if more:
            new = np.zeros(more, dtype=np.int64)
            t = self._threads
            self._threads = t._replace(
                held=np.append(t.held, new),
                walks=np.append(t.walks, new),
                return_walks=np.append(t.return_walks, new),
            )


class RemoteThreads:
    """`ThreadGroup`s that live elsewhere, `size` threads in each but the last.

    `each(method, arguments)` calls that method of the first groups, as many as there are tuples of
    arguments, and returns what they give.
    """

    def __init__(self, each: Each, size: int) -> None:
        self._each = each
        self._size = size
        self._cuts: list[int] = []

    def reset(self, triggers: Sequence[Trigger]) -> None:
        """Become the threads of a new cell, which has some."""
        self._cuts = list(range(self._size, len(triggers), self._size))
        bounds = pairwise([0, *self._cuts, len(triggers)])
        self._each("reset", [(triggers[first:end],) for first, end in bounds])

    def replay(self, view: View, where: Where) -> Snapshot:
        """Take every thread to where it is, in the kernel that `view` shows."""
        taken, level = (np.split(array, self._cuts) for array in where)
        places = map(Where, taken, level)
        return _joined(self._each("replay", [(view, place) for place in places]))

    def expire(self, view: View) -> Snapshot:
        """The timers of all threads' return instances, right after a replay."""
        return _joined(self._each("expire", [(view,)] * (len(self._cuts) + 1)))

    def draw(self, wanted: IntArray, finish: bool = False) -> Hits:
        """The next calls and returns of every thread."""
        parts = np.split(wanted, self._cuts)
        return merge_hits(self._each("draw", [(part, finish) for part in parts]))


def _joined(parts: Sequence[Snapshot]) -> Snapshot:
    """By thread one after the other, by uprobe the sum."""
    by_uprobe = Snapshot._fields[Snapshot._fields.index("held") :]
    return Snapshot(
        **{
            name: sum(arrays) if name in by_uprobe else np.concatenate(arrays)
            for name, arrays in zip(Snapshot._fields, zip(*parts, strict=True), strict=True)
        }
    )
