"""How many cells a group is given at once, and what becomes of them if it dies."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import fake_result, tiny_spec

from core.cell import Cell, CellResult
from sweep.executors import interconnect_actor
from sweep.executors.actor_group import MOST_CELLS, ActorGroup, Attempt, GroupLostError
from sweep.executors.interconnect_actor import InterconnectActor
from sweep.executors.scheduler import ATTEMPTS, Scheduler, Wishes
from sweep.plan.plan import plan

CELLS = plan(tiny_spec(cpus=range(1, 41)))


@pytest.fixture
def scheduler() -> Scheduler:
    """Two groups, and forty cells that wait."""
    made = Scheduler(Wishes(), priority=1, say=lambda _: None)
    groups: Any = [SimpleNamespace(), SimpleNamespace()]
    made.groups = groups
    made._queue = deque(Attempt(cell) for cell in CELLS)
    return made


def numbers(attempts: Any) -> list[int]:
    return [attempt.cell.cpus for attempt in attempts]


def group(cells: list[Cell]) -> ActorGroup:
    made = ActorGroup.__new__(ActorGroup)
    made.attempts, made.offer, made.done = [Attempt(cell) for cell in cells], 1, 0
    return made


def test_no_group_is_left_without_in_the_end(scheduler: Scheduler) -> None:
    given = []
    while scheduler._queue:
        given.append(len(scheduler._next(MOST_CELLS)))
    assert given == [10, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert sum(given) == len(CELLS)


def test_cells_that_lost_a_group_together_are_simulated_alone(scheduler: Scheduler) -> None:
    lost = GroupLostError(ValueError("gone"))
    taken = scheduler._next(3)
    assert numbers(taken) == [1, 2, 3]
    assert scheduler._after_death(taken, lost) == []
    assert [attempt.deaths for attempt in taken] == [0, 0, 0]
    for number in (1, 2, 3):
        assert numbers(scheduler._next(3)) == [number]
    assert numbers(scheduler._next(3)) == [4, 5, 6]


def test_a_cell_that_loses_every_group_alone_fails(scheduler: Scheduler) -> None:
    lost = GroupLostError(ValueError("gone"))
    for _ in range(ATTEMPTS - 1):
        assert scheduler._after_death(scheduler._next(1), lost) == []
    [failed] = scheduler._after_death(scheduler._next(1), lost)
    assert (failed.cell, failed.result) == (CELLS[0], None)
    assert failed.error == f"an actor died in each of {ATTEMPTS} attempts; the last: gone"
    assert numbers(scheduler._next(1)) == [2]


def test_a_group_is_offered_more_while_it_does_all_in_time() -> None:
    offers = []
    small = group([])
    for came in (1, 2, 4, 3, 6, 64):
        small.attempts = [Attempt(cell) for cell in (CELLS * 2)[: max(came, small.offer)]]
        cells = [attempt.cell for attempt in small.attempts]
        outcomes, left = small._ended([(fake_result(cell), None) for cell in cells[:came]])
        assert [outcome.cell for outcome in outcomes] == cells[:came]
        assert [attempt.cell for attempt in left] == cells[came:]
        offers.append(small.offer)
    assert offers == [2, 4, 8, 3, 12, MOST_CELLS]
    assert small.done == 80


def test_an_interconnect_begins_none_that_would_be_late(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(interconnect_actor.time, "monotonic", lambda: next(clock))

    def simulated(cell: Cell, *hosts: object) -> CellResult:
        if cell.cpus == 2:
            raise ArithmeticError("two")
        return fake_result(cell)

    monkeypatch.setattr(interconnect_actor, "predict", simulated)
    actor = InterconnectActor.__new__(InterconnectActor)
    actor._actors, actor._cpus_per_actor, actor._up = [None], 100, 1
    actor._cpus = actor._threads = None  # type: ignore[assignment]
    first, second, third = actor.simulate(CELLS, 2)
    assert first[0] is not None
    assert first[0].cell_id == CELLS[0].cell_id
    assert second[0] is None
    assert second[1] is not None
    assert second[1].endswith("ArithmeticError: two\n")
    assert third[1] is None
    # A cell is simulated however long a batch may take.
    assert len(actor.simulate(CELLS, 0)) == 1
