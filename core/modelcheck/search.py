"""Every interleaving of a system, breadth first; a violation comes out as a short schedule."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.modelcheck import checks
from core.modelcheck.schedule import Finding, TooManyStatesError, shorten
from core.modelcheck.system import System, alone, at_rest, done, moves
from core.modelcheck.world import World


@dataclass(frozen=True)
class Search:
    """What a search saw. `ends` are the worlds in which everything is done."""

    states: int
    transitions: int
    finding: Finding | None
    ends: frozenset[World]


@contextmanager
def without_collection() -> Iterator[None]:
    """Without looking for cycles, of which worlds have none: a fifth of a search's time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@without_collection()
def search(system: System, *, reduce: bool = True, limit: int = 1_000_000) -> Search:
    """Look at every reachable state; stop at the first violation.

    With `reduce` a step that no other can depend on is taken without its alternatives
    (`system.alone`). Raises TooManyStatesError beyond `limit` states.
    """
    visited: dict[World, int] = {system.world: 0}
    order = [system.world]
    parents: list[tuple[int, str]] = [(-1, "")]
    predecessors: list[list[int]] = [[]]
    ends: list[int] = []
    transitions = 0

    def path(place: int, *last: str) -> tuple[str, ...]:
        names = list(reversed(last))
        while place > 0:
            place, actor = parents[place]
            names.append(actor)
        return tuple(reversed(names))

    def found(violation: checks.Violation, place: int, *last: str) -> Search:
        schedule = shorten(system, path(place, *last), violation.check)
        return Search(
            len(order), transitions, Finding(violation.check, str(violation), schedule), frozenset()
        )

    place = 0
    while place < len(order):
        world = order[place]
        possible = list(moves(system, world))
        finished = done(system, world)
        if finished or not possible:
            try:
                at_rest(system, world)
            except checks.Violation as violation:
                return found(violation, place)
            ends.append(place)
        if reduce and len(possible) > 1:
            first = next((move for move in possible if alone(system, world, move)), None)
            possible = possible if first is None else [first]
        for move in possible:
            transitions += 1
            if move.world is None:
                assert move.violation is not None
                return found(move.violation, place, move.actor)
            successor = visited.setdefault(move.world, len(order))
            if successor == len(order):
                if successor >= limit:
                    raise TooManyStatesError(f"more than {limit} states")
                order.append(move.world)
                parents.append((place, move.actor))
                predecessors.append([])
            predecessors[successor].append(place)
        place += 1
    stuck = _cannot_end(predecessors, ends)
    if stuck is not None:
        text = "from here no schedule ends everything"
        return found(checks.Violation(checks.NEVER_ENDING, text), stuck)
    return Search(len(order), transitions, None, frozenset(order[end] for end in ends))


def _cannot_end(predecessors: list[list[int]], ends: list[int]) -> int | None:
    """The first state from which no end can be reached: breadth first, so the nearest."""
    reaches = bytearray(len(predecessors))
    todo = list(ends)
    for end in ends:
        reaches[end] = 1
    while todo:
        for place in predecessors[todo.pop()]:
            if not reaches[place]:
                reaches[place] = 1
                todo.append(place)
    stuck = reaches.find(0)
    return None if stuck < 0 else stuck
