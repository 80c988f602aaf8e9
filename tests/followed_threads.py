"""Threads that hit, and tell what every replay took them through."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from core.engine.pipeline import RETURN
from core.stress.records import DONE, Snapshot, View
from core.stress.threads import ThreadGroup, Where


class DifferenceError(AssertionError):
    """The model checker cannot do what the cell did, or is not where the cell is."""


class Item(NamedTuple):
    """A call, or RETURN, that a thread goes on with, up to a level."""

    function: int
    hit: bool
    begun: bool
    level: int


class FollowedThreads(ThreadGroup):
    """Threads that hit, whose every replay is told."""

    def __init__(self) -> None:
        self.tell: Callable[[list[list[Item]]], None] = lambda _: None
        self.expires: Callable[[], None] = lambda: None

    def replay(self, view: View, where: Where) -> Snapshot:
        """As ThreadGroup, and told what every thread did meanwhile."""
        t = self._threads
        before = t.thread.copy()
        snapshot = super().replay(view, where)
        todo: list[list[Item]] = []
        for me, thread in enumerate(before):
            first, last = int(thread["item"]), int(where.taken[me]) - 1
            items: list[Item] = []
            for at in range(first, last + 1):
                item = int(t.items[me, at % t.items.shape[1]])
                begun = at == first and bool(thread["begun"])
                hit = item == RETURN or bool(thread["hit"] if begun else view.installed[item])
                level = int(where.level[me]) if at == last else DONE
                items.append(Item(item, hit, begun, level))
            todo.append(_without_most(items))
        self.tell(todo)
        return snapshot

    def expire(self, view: View) -> Snapshot:
        """As ThreadGroup, and told."""
        snapshot = super().expire(view)
        self.expires()
        return snapshot


def _without_most(items: list[Item]) -> list[Item]:
    """The first and last of a window's items: whole calls in between are all alike."""
    first = next((at for at, item in enumerate(items) if item.function != RETURN), 0) + 2
    pairs = (len(items) - first - 4) // 2
    return items[:first] + items[first + 2 * pairs :] if pairs > 0 else items
