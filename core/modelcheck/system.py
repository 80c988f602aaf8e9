"""A set of programs on a world: who can step, and what a step does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from core.kernel.rules import Rules
from core.modelcheck import checks
from core.modelcheck.grace import callback, callback_function, callback_names
from core.modelcheck.program import ALL_READERS, TREE, Program, references
from core.modelcheck.world import Thread, World, at_step


@dataclass(frozen=True)
class System:
    """Programs, one a thread of `world`, under a stage's rules."""

    rules: Rules
    programs: tuple[Program, ...]
    world: World


class Move(NamedTuple):
    """One step that can be taken: by whom, in which kernel function, and its footprint."""

    actor: str
    function: str
    world: World | None
    """The world after it; None if the step violates a check."""
    violation: checks.Violation | None = None
    reads: int = 0
    writes: int = 0
    thread: int = -1


def moves(system: System, world: World) -> Iterator[Move]:
    """Every step that is possible now; a step that blocks is not. Threads first, in order."""
    for me in range(len(system.programs)):
        move = thread_move(system, world, me)
        if move is not None:
            yield move
    for place, actor in enumerate(callback_names(world)):
        item = world.deferred[place]
        function = callback_function(system.rules, item.phases[0])
        try:
            after = callback(system.rules, world, place)
        except checks.Violation as violation:
            yield Move(actor, function, None, violation)
            continue
        if after is not None:
            yield Move(actor, function, after)


def thread_move(system: System, world: World, me: int) -> Move | None:
    """The next step of thread `me`; None if it blocks or is done."""
    program = system.programs[me]
    pc = world.threads[me].pc
    if pc == len(program.steps):
        return None
    step = program.steps[pc]
    try:
        outcome = step.act(world)
    except checks.Violation as violation:
        return Move(program.name, step.function, None, violation, step.reads, step.writes, me)
    if outcome is None:
        return None
    after, label = outcome
    after = at_step(after, me, program.labels[label] if label else pc + 1)
    return Move(program.name, step.function, after, None, step.reads, step.writes, me)


def done(system: System, world: World) -> bool:
    """All threads have ended, daemons wait at their start, and no callback is pending."""
    return not world.deferred and all(
        thread.pc == (0 if program.daemon else len(program.steps))
        for program, thread in zip(system.programs, world.threads, strict=True)
    )


def at_rest(system: System, world: World) -> None:
    """Check a world in which nobody can step, or everything is done. Raises Violation."""
    if not done(system, world):
        names = [
            program.name
            for program, thread in zip(system.programs, world.threads, strict=True)
            if thread.pc < len(program.steps) and not program.daemon
        ]
        raise checks.Violation(checks.DEADLOCK, f"nobody can step: {', '.join(names)} wait")
    checks.at_the_end(world, tree_reference=system.rules.tree_reference)


def alone(system: System, world: World, move: Move) -> bool:
    """Whether no step that others may ever take depends on this step of a thread.

    Then its order against theirs decides nothing, and it is enough to look at it first: a
    persistent set of one step (Godefroid 1996). A callback's step is never taken for one.
    """
    if move.thread < 0:
        return False
    writes, touches = move.writes, move.reads | move.writes
    for other, program in enumerate(system.programs):
        if other == move.thread:
            continue
        pc = world.threads[other].pc
        if touches & program.future_writes[pc] or writes & program.future_reads[pc]:
            return False
    for item in world.deferred:
        changes = references(world.uprobes[item.u].key) | TREE
        if touches & changes or writes & ALL_READERS:
            return False
    return True


def run_alone(system: System) -> World:
    """The end of the run in which thread 0 goes first, and others only while it blocks.

    Raises Violation, also DEADLOCK if nobody can step.
    """
    world = system.world
    while not done(system, world):
        move = next(moves(system, world), None)
        if move is None:
            raise checks.Violation(checks.DEADLOCK, "nobody can step")
        if move.violation is not None:
            raise move.violation
        assert move.world is not None
        world = move.world
    return world


def fresh_threads(world: World, count: int) -> World:
    """The world with so many threads at the start of their programs."""
    return world._replace(threads=(Thread(),) * count)
