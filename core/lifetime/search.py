"""Every interleaving of a system, breadth first; a violation comes out as a short schedule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from core.lifetime import checks
from core.lifetime.system import Move, System, alone, done, moves
from core.lifetime.world import World


@dataclass(frozen=True)
class Finding:
    """A violation, and the actors' names in the order in which they step until it."""

    check: str
    text: str
    schedule: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """What a search saw. `ends` are the worlds in which everything is done."""

    states: int
    transitions: int
    finding: Finding | None
    ends: frozenset[World]


class TooManyStatesError(Exception):
    """The limit was reached before every state was seen: nothing is known."""


def search(system: System, *, reduce: bool = True, limit: int = 1_000_000) -> Search:
    """Look at every reachable state; stop at the first violation.

    With `reduce` a step that no other can depend on is taken without its alternatives
    (`system.alone`). Raises TooManyStatesError beyond `limit` states.
    """
    seen: dict[World, int] = {system.world: 0}
    order = [system.world]
    parents: list[tuple[int, str]] = [(-1, "")]
    before: list[list[int]] = [[]]
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
        return Search(len(order), transitions, Finding(violation.check, str(violation), schedule), frozenset())

    place = 0
    while place < len(order):
        world = order[place]
        possible = list(moves(system, world))
        finished = done(system, world)
        if finished or not possible:
            try:
                _at_rest(system, world)
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
            after = seen.setdefault(move.world, len(order))
            if after == len(order):
                if after >= limit:
                    raise TooManyStatesError(f"more than {limit} states")
                order.append(move.world)
                parents.append((place, move.actor))
                before.append([])
            before[after].append(place)
        place += 1
    stuck = _cannot_end(before, ends)
    if stuck is not None:
        text = "from here no schedule ends everything"
        return found(checks.Violation(checks.NEVER_ENDING, text), stuck)
    return Search(len(order), transitions, None, frozenset(order[end] for end in ends))


def _at_rest(system: System, world: World) -> None:
    if not done(system, world):
        names = [
            program.name
            for program, thread in zip(system.programs, world.threads, strict=True)
            if thread.pc < len(program.steps) and not program.daemon
        ]
        raise checks.Violation(checks.DEADLOCK, f"nobody can step: {', '.join(names)} wait")
    checks.at_the_end(world, tree_reference=system.rules.tree_reference)


def _cannot_end(before: list[list[int]], ends: list[int]) -> int | None:
    """The first state from which no end can be reached: breadth first, so the nearest."""
    reaches = bytearray(len(before))
    todo = list(ends)
    for end in ends:
        reaches[end] = 1
    while todo:
        for place in before[todo.pop()]:
            if not reaches[place]:
                reaches[place] = 1
                todo.append(place)
    stuck = reaches.find(0)
    return None if stuck < 0 else stuck


def shorten(system: System, schedule: tuple[str, ...], check: str) -> tuple[str, ...]:
    """The schedule without steps that its violation does not need, one by one from the end."""
    if check == checks.NEVER_ENDING:
        return schedule
    place = len(schedule) - 2
    while place >= 0:
        shorter = schedule[:place] + schedule[place + 1 :]
        if _violates(system, shorter) == check:
            schedule = shorter
        place -= 1
    return schedule


def _violates(system: System, schedule: tuple[str, ...]) -> str:
    try:
        last = replay(system, schedule)[-1]
    except (ScheduleError, IndexError):
        return ""
    return last.violation.check if last.violation else ""


class ScheduleError(Exception):
    """A schedule names a step that is not possible there."""


def replay(system: System, schedule: tuple[str, ...] | str) -> list[Move]:
    """The steps of a schedule, given as names or as text; the last may have a violation.

    Raises ScheduleError with the place of a step that is not possible, or comes after a violation.
    A schedule after which nobody can step, or everything is done, is checked as a search does it.
    """
    names = read_schedule(schedule) if isinstance(schedule, str) else schedule
    world = system.world
    taken: list[Move] = []
    for place, name in enumerate(names, 1):
        possible = {} if taken and taken[-1].world is None else {
            move.actor: move for move in moves(system, world)
        }
        if name not in possible:
            able = ", ".join(possible) or "nobody"
            raise ScheduleError(f"step {place}: {name} cannot step, {able} can")
        move = possible[name]
        taken.append(move)
        world = move.world or world
    if taken and taken[-1].world is not None and not any(True for _ in moves(system, world)):
        try:
            _at_rest(system, world)
        except checks.Violation as violation:
            last = taken[-1]
            taken[-1] = Move(last.actor, last.function, world, violation)
    return taken


def schedule_text(schedule: tuple[str, ...]) -> str:
    """One line of names, a run of the same as NAME*COUNT."""
    runs = ((name, len(list(run))) for name, run in groupby(schedule))
    return " ".join(name if count == 1 else f"{name}*{count}" for name, count in runs)


def read_schedule(text: str) -> tuple[str, ...]:
    """The names of a schedule's line. Raises ScheduleError for a word that is not NAME[*COUNT]."""
    names: list[str] = []
    for word in text.split():
        match = re.fullmatch(r"([a-z][a-z0-9-]*)(?:\*([1-9][0-9]{0,3}))?", word)
        if match is None:
            raise ScheduleError(f"{word!r} is not NAME or NAME*COUNT")
        names += [match[1]] * int(match[2] or 1)
    return tuple(names)


Choose = Callable[[int], int]


def walk(system: System, choose: Choose, limit: int = 10_000) -> Finding | World:
    """One schedule, `choose(n)` picking each step among n: its violation, or the world at its end.

    Raises TooManyStatesError after `limit` steps.
    """
    world, schedule = system.world, []
    for _ in range(limit):
        possible = list(moves(system, world))
        if not possible:
            try:
                _at_rest(system, world)
            except checks.Violation as violation:
                return Finding(violation.check, str(violation), tuple(schedule))
            return world
        move = possible[choose(len(possible))]
        schedule.append(move.actor)
        if move.violation is not None:
            return Finding(move.violation.check, str(move.violation), tuple(schedule))
        assert move.world is not None
        world = move.world
    raise TooManyStatesError(f"no end after {limit} steps")
