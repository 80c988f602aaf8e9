"""Footprints are true: steps that claim independence commute in every state visited."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from apart import APART

from core.kernel.rules import Rules
from core.kernel.stages import STAGES
from core.modelcheck import checks
from core.modelcheck.program import ALL_READERS, TREE, Step, assemble, references
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.system import Move, System, fresh_threads, moves, run_alone
from core.modelcheck.world import World

CASES = [
    (name, STAGES[stage])
    for name, scenario in SCENARIOS.items()
    for stage in scenario.stages
    if scenario.detail or stage in APART
]


def footprint(world: World, move: Move) -> tuple[int, int]:
    """(reads, writes); a callback's are those that `alone` supposes."""
    if move.thread >= 0:
        return move.reads, move.writes
    key = world.uprobes[int(move.actor.removeprefix("rcu"))].key
    return ALL_READERS, references(key) | TREE


def independent(world: World, one: Move, other: Move) -> bool:
    (reads, writes), (reads_too, writes_too) = footprint(world, one), footprint(world, other)
    return not (writes & (reads_too | writes_too) or writes_too & reads)


def after(system: System, world: World, actor: str) -> World | str | None:
    """The world after the actor's step, the check that it violates, or None if it blocks."""
    for move in moves(system, world):
        if move.actor == actor:
            return move.world or str(move.violation)
    return None


@pytest.mark.parametrize(
    ("name", "rules"), CASES, ids=lambda v: v.name if isinstance(v, Rules) else v
)
def test_independent_steps_commute(name: str, rules: Rules) -> None:
    system = system_of(SCENARIOS[name], rules)
    draw = random.Random(f"{name} {rules.stage}")
    for _ in range(6):
        world = system.world
        while possible := list(moves(system, world)):
            for one, other in combinations(possible, 2):
                if not independent(world, one, other) or one.world is None or other.world is None:
                    continue
                assert after(system, one.world, other.actor) == after(
                    system, other.world, one.actor
                ), (one.function, other.function)
            chosen = draw.choice(possible)
            if chosen.world is None or draw.random() < 0.01:
                break
            world = chosen.world


@pytest.mark.parametrize(
    ("name", "rules"), CASES, ids=lambda v: v.name if isinstance(v, Rules) else v
)
def test_a_step_changes_neither_enabledness_nor_what_it_does_not_touch(
    name: str, rules: Rules
) -> None:
    system = system_of(SCENARIOS[name], rules)
    draw = random.Random(name)
    world = system.world
    for _ in range(150):
        possible = [move for move in moves(system, world) if move.world is not None]
        if not possible:
            break
        able = {move.actor: move for move in possible}
        chosen = draw.choice(possible)
        assert chosen.world is not None
        then = {move.actor for move in moves(system, chosen.world)}
        for actor, move in able.items():
            if actor != chosen.actor and independent(world, chosen, move):
                assert actor in then
        world = chosen.world


def test_future_footprints_include_loops() -> None:
    nothing = lambda world: (world, "")  # noqa: E731
    program = assemble(
        "p",
        [
            Step("a", nothing, 1, 0),
            "again",
            Step("b", nothing, 2, 4),
            Step("c", nothing, 8, 0, ("again",)),
        ],
    )
    assert program.future_reads == (11, 10, 10, 0)
    assert program.future_writes == (4, 4, 4, 0)


def test_a_label_is_given_once() -> None:
    with pytest.raises(KeyError, match="two labels"):
        assemble("p", ["a", "a"])


def test_alone_it_runs_to_its_end_and_a_wait_for_nobody_is_a_deadlock() -> None:
    system = system_of(SCENARIOS["own-unregister"], STAGES[10])
    end = run_alone(system)
    assert [uprobe.freed for uprobe in end.uprobes] == [True]
    waits = assemble("p", [Step("wait", lambda world: None)])
    stuck = System(STAGES[0], (waits,), fresh_threads(end, 1))
    with pytest.raises(checks.Violation, match=checks.DEADLOCK):
        run_alone(stuck)
