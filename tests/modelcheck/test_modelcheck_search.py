"""Every interleaving of every scenario at every stage, and that the reduction loses nothing."""

from __future__ import annotations

import pytest
from apart import APART
from searched import searched

from core.kernel.rules import BASELINE, Rules
from core.kernel.stages import CHECKED_LEASE, STAGES, TWO_PERIODS
from core.modelcheck import checks
from core.modelcheck.program import Program, Step, assemble
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.schedule import TooManyStatesError
from core.modelcheck.search import search
from core.modelcheck.system import System
from core.modelcheck.world import Thread, World

CASES = [
    (name, STAGES[stage])
    for name, scenario in SCENARIOS.items()
    for stage in scenario.stages
    if scenario.detail or stage in APART
]
HOLE = {"call-unregister", "call-replace", "fork-dying"}
"""Scenarios in which stage 10 frees an uprobe under a lease, see docs/findings.md."""

LARGE = {"two-probes", "two-hits", "replace", "two-unregisters"}


def case_id(value: object) -> str:
    return value.name if isinstance(value, Rules) else str(value)


@pytest.mark.parametrize(("name", "rules"), CASES, ids=case_id)
def test_no_interleaving_violates_a_check(name: str, rules: Rules) -> None:
    result = searched(name, rules)
    if rules.stage == 10 and name in HOLE:
        assert result.finding is not None
        assert result.finding.check == checks.FREED_UPROBE
    else:
        assert result.finding is None
        assert result.ends


@pytest.mark.parametrize("name", sorted(HOLE | {"own-unregister", "fork"}))
@pytest.mark.parametrize("stage", [14, 15])
def test_another_flavour_of_rcu_neither_closes_the_hole_nor_opens_one(
    name: str, stage: int
) -> None:
    """Where grace periods are their contract, stage 10 says all there is to say of these."""
    later, of_10 = (searched(name, STAGES[s]) for s in (stage, 10))
    assert (later.finding, later.states) == (of_10.finding, of_10.states)


@pytest.mark.parametrize("name", sorted(HOLE | {"own-unregister"}))
def test_a_lease_that_looks_at_the_count_closes_the_hole_but_for_fork(name: str) -> None:
    finding = searched(name, CHECKED_LEASE).finding
    assert (finding is None) == (name != "fork-dying")


@pytest.mark.parametrize("name", sorted(HOLE | {"own-unregister", "fork"}))
def test_with_a_second_period_of_leases_nothing_is_left(name: str) -> None:
    assert searched(name, TWO_PERIODS).finding is None


@pytest.mark.parametrize(
    ("name", "rules"), [case for case in CASES if case[0] not in LARGE], ids=case_id
)
def test_the_reduction_keeps_ends_and_violations(name: str, rules: Rules) -> None:
    reduced = searched(name, rules)
    whole = search(system_of(SCENARIOS[name], rules), reduce=False)
    assert reduced.ends == whole.ends
    assert (reduced.finding is None) == (whole.finding is None)
    if reduced.finding and whole.finding:
        assert reduced.finding.check == whole.finding.check
    else:
        assert reduced.states <= whole.states


def test_the_reduction_reduces() -> None:
    system = system_of(SCENARIOS["insert-neighbour"], STAGES[0])
    reduced, whole = search(system), search(system, reduce=False)
    assert reduced.states < 0.9 * whole.states
    assert reduced.transitions < 0.5 * whole.transitions


def counting(name: str, me: int, steps: int, footprint: int) -> Program:
    """A thread of steps that only move its program counter."""
    return assemble(
        name, [Step(f"step {i}", lambda world: (world, ""), 0, footprint) for i in range(steps)]
    )


def test_states_of_two_independent_threads_are_a_grid_or_a_line() -> None:
    programs = (counting("a", 0, 3, 1), counting("b", 1, 4, 2))
    system = System(BASELINE, programs, World((), (Thread(), Thread())))
    whole, reduced = search(system, reduce=False), search(system)
    assert (whole.states, whole.transitions) == (4 * 5, 3 * 5 + 4 * 4)
    assert (reduced.states, reduced.transitions) == (8, 7)


def test_dependent_threads_are_not_reduced() -> None:
    programs = (counting("a", 0, 3, 1), counting("b", 1, 3, 1))
    system = System(BASELINE, programs, World((), (Thread(), Thread())))
    assert search(system).states == 16


def lock(mine: int, other: int, footprint: int = 1) -> list[Step]:
    """Take bit `mine`, then bit `other`, of a word that all share."""

    def take(bit: int) -> Step:
        def act(world: World) -> tuple[World, str] | None:
            return None if world.seq & bit else (world._replace(seq=world.seq | bit), "")

        return Step(f"lock {bit}", act, footprint, footprint)

    def unlock(world: World) -> tuple[World, str]:
        return world._replace(seq=world.seq & ~(mine | other)), ""

    return [take(mine), take(other), Step("unlock", unlock, footprint, footprint)]


def test_two_locks_in_opposite_order_deadlock_after_two_steps() -> None:
    programs = (assemble("a", lock(1, 2)), assemble("b", lock(2, 1)))
    finding = search(System(BASELINE, programs, World((), (Thread(), Thread())))).finding
    assert finding is not None
    assert (finding.check, finding.schedule) == (checks.DEADLOCK, ("a", "b"))


def test_a_false_footprint_would_hide_it() -> None:
    programs = (assemble("a", lock(1, 2, 0)), assemble("b", lock(2, 1, 0)))
    system = System(BASELINE, programs, World((), (Thread(), Thread())))
    assert search(system).finding is None
    assert search(system, reduce=False).finding is not None


def test_a_loop_without_a_way_out_never_ends() -> None:
    loop = assemble("a", ["again", Step("spin", lambda world: (world, "again"), 1, 0, ("again",))])
    finding = search(System(BASELINE, (loop,), World((), (Thread(),)))).finding
    assert finding is not None
    assert (finding.check, finding.schedule) == (checks.NEVER_ENDING, ())


def test_a_limit_is_an_error_and_no_answer() -> None:
    with pytest.raises(TooManyStatesError, match="more than 20"):
        search(system_of(SCENARIOS["replace"], STAGES[5]), limit=20)
