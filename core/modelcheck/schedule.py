"""One interleaving: as text, replayed, shortened, or drawn step by step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from core.modelcheck import checks
from core.modelcheck.system import Move, System, at_rest, moves
from core.modelcheck.world import World


@dataclass(frozen=True)
class Finding:
    """A violation, and the actors' names in the order in which they step until it."""

    check: str
    text: str
    schedule: tuple[str, ...]


class TooManyStatesError(Exception):
    """The limit was reached before every state was seen: nothing is known."""


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
        possible = (
            {}
            if taken and taken[-1].world is None
            else {move.actor: move for move in moves(system, world)}
        )
        if name not in possible:
            able = ", ".join(possible) or "nobody"
            raise ScheduleError(f"step {place}: {name} cannot step, {able} can")
        move = possible[name]
        taken.append(move)
        world = move.world or world
    if taken and taken[-1].world is not None and not any(True for _ in moves(system, world)):
        try:
            at_rest(system, world)
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
    world = system.world
    schedule: list[str] = []
    for _ in range(limit):
        possible = list(moves(system, world))
        if not possible:
            try:
                at_rest(system, world)
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
