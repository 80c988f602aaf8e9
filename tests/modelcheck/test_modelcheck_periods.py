"""Which grace periods a stage's hits and leases have, and what SRCU-fast's own is made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.kernel.rules import Rules
from core.kernel.stages import STAGES
from core.modelcheck import checks
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.schedule import replay
from core.modelcheck.search import search
from core.modelcheck.system import System, moves


@pytest.mark.parametrize(
    ("detail", "stages"),
    [("srcu", (3, 5, 6, 7, 10, 14)), ("srcu-fast", (14, 15)), ("tasks-trace", (8, 10))],
)
def test_a_period_is_searched_at_the_stages_that_wait_by_it(
    detail: str, stages: tuple[int, ...]
) -> None:
    """Until stage 15 leases are SRCU's; hits are Tasks Trace's from 8, SRCU-fast's from 14."""
    found = {s.stages for s in SCENARIOS.values() if s.detail == detail}
    assert found == {stages}


def one_period(system: System, *others: str) -> list[str]:
    """What `gp` does after the others' steps, until it is done or blocks."""
    world = replay(system, others)[-1].world if others else system.world
    assert world is not None
    functions = []
    while move := next((m for m in moves(system, world) if m.actor == "gp"), None):
        functions.append(move.function)
        assert move.world is not None
        world = move.world
    return functions


@pytest.mark.parametrize(("name", "stage", "periods"), [("fast", 15, 2), ("srcu", 10, 0)])
def test_srcu_fast_waits_two_normal_periods_with_no_reader_inside(
    name: str, stage: int, periods: int
) -> None:
    done = one_period(system_of(SCENARIOS[f"{name}-one-period"], STAGES[stage]))
    assert done[-1] == "srcu_gp_end"
    assert done.count("synchronize_rcu") == periods
    assert done.count("synchronize_rcu: the end") == periods


@pytest.mark.parametrize("steps", [2, 4])
def test_a_normal_period_waits_for_a_reader_that_is_not_yet_counted_or_counted_early(
    steps: int,
) -> None:
    """Before its lock is seen (2 steps), and between its unlock and its last access (4)."""
    system = system_of(SCENARIOS["fast-one-period"], STAGES[15])
    assert one_period(system, *["reader-a"] * steps)[-1] == "synchronize_rcu"


FAULTS = {
    "one-scan": ("fast-two-periods", checks.TOO_SHORT),
    "no-flip": ("fast-one-period", checks.TOO_SHORT),
    "no-barrier-between-sums": ("fast-one-period", checks.TOO_SHORT),
    "unlock-not-counted": ("fast-one-period", checks.NEVER_ENDING),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_srcu_are_faults_of_srcu_fast(fault: str) -> None:
    scenario, check = FAULTS[fault]
    rules: Rules = replace(STAGES[15], faults=frozenset({fault}))
    finding = search(system_of(SCENARIOS[scenario], rules)).finding
    assert finding is not None
    assert finding.check == check
