"""Hits taken through a window by hand: what they hold, what they may meet, what is found wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.engine.pipeline import RETURN
from core.stress.inside import inside
from core.stress.programs import ENTERED, FOUND, LEFT, TAKEN, UNWALKED, WALKED, WALKING
from core.stress.records import (
    CALLED_GONE,
    DONE,
    FINE,
    GET,
    LEASE,
    MAX_URETPROBE_DEPTH,
    NOBODY,
    NOT_CALLED,
    TRY_GET,
    USED_FREED,
    HitRules,
    Snapshot,
    View,
)
from core.stress.threads import ThreadGroup, Trigger, Where

UNDER_LOCK = HitRules(True, False, False, GET, True)
UNDER_TRACE = HitRules(False, True, True, TRY_GET, False)
LEASED = HitRules(False, True, True, LEASE, False)


class Group:
    """One thread that calls function 0, and returns from it; the kernel it sees is `view`."""

    def __init__(self, rules: HitRules, items: tuple[int, ...] = (0, RETURN)) -> None:
        self._group = ThreadGroup()
        self._group.reset([Trigger(0, (0, 0), 1, "uniform", 0, 72, 0)])
        self._group._threads.items[0, : len(items)] = items
        self.view = View(
            found=np.array([0]),
            installed=np.array([True]),
            must_call=np.zeros(1, dtype=np.uint64),
            may_call=np.zeros(1, dtype=np.uint64),
            returns=np.zeros(1, dtype=np.uint64),
            alive=np.array([True]),
            freed=np.array([False]),
            entry_list=np.zeros(1, dtype=np.uint64),
            return_list=np.zeros(1, dtype=np.uint64),
            rules=rules,
            srcu_idx=np.array([0, 0]),
        )

    def has(self, bit: int, *, at_return: bool = False) -> None:
        """A consumer is there, and has been for long."""
        mask = np.uint64(1 << bit)
        self.view.must_call[0] |= mask
        self.view.may_call[0] |= mask
        if at_return:
            self.view.returns[0] |= mask
        (self.view.return_list if at_return else self.view.entry_list)[0] |= mask

    def to(self, taken: int, level: int) -> Snapshot:
        return self._group.replay(self.view, Where(np.array([taken]), np.array([level])))

    def expire(self) -> Snapshot:
        return self._group.expire(self.view)

    def wrong(self, snapshot: Snapshot) -> int:
        return int(snapshot.thread["wrong"][0])


def test_a_hit_level_by_level() -> None:
    group = Group(UNDER_LOCK)
    group.has(0)
    assert group.to(1, TAKEN).held.tolist() == [0]
    assert group.to(1, FOUND).held.tolist() == [1]
    assert group.to(1, WALKING).hits.tolist() == [0]
    assert group.to(1, WALKED).hits.tolist() == [1]
    assert group.to(1, UNWALKED).held.tolist() == [1]
    snapshot = group.to(1, LEFT)
    assert (snapshot.held.tolist(), snapshot.walks.tolist(), snapshot.hits.tolist()) == (
        [0],
        [1],
        [1],
    )
    assert group.wrong(snapshot) == FINE


def test_many_hits_of_one_window() -> None:
    group = Group(UNDER_TRACE, (0, RETURN) * 100)
    group.has(0)
    group.has(1, at_return=True)
    snapshot = group.to(199, WALKED)
    # The hundredth call has walked, and its return has not begun.
    assert (snapshot.walks.tolist(), snapshot.return_walks.tolist()) == ([100], [99])
    assert (snapshot.held.tolist(), snapshot.thread["nesting"].tolist()) == ([1], [1])
    assert (snapshot.hits.tolist(), snapshot.locks.sum() - snapshot.unlocks.sum()) == ([199], 1)


@pytest.mark.parametrize(("rules", "held", "leases"), [(UNDER_TRACE, 1, 0), (LEASED, 0, 1)])
def test_what_a_return_instance_holds(rules: HitRules, held: int, leases: int) -> None:
    group = Group(rules)
    group.has(0, at_return=True)
    snapshot = group.to(1, DONE)
    assert (snapshot.held.tolist(), snapshot.leases.sum(), snapshot.ended.sum()) == (
        [held],
        leases,
        0,
    )
    uses = inside(snapshot, chain_rwsem=False).uprobe.tolist()
    assert uses == [0] * leases
    snapshot = group.to(2, DONE)
    assert (snapshot.held.tolist(), snapshot.ended.sum()) == ([0], leases)
    assert inside(snapshot, chain_rwsem=False).uprobe.tolist() == []


SESSIONS = LEASED._replace(sessions=True)


@pytest.mark.parametrize(("rules", "hits"), [(LEASED, 2), (SESSIONS, 1)])
def test_who_comes_during_a_call_is_called_at_its_return_unless_by_sessions(
    rules: HitRules, hits: int
) -> None:
    group = Group(rules)
    group.has(0)
    group.has(1, at_return=True)
    group.to(1, DONE)
    group.view.return_list[0] = group.view.must_call[0] = 0
    group.has(2, at_return=True)
    snapshot = group.to(2, DONE)
    assert (snapshot.hits.tolist(), snapshot.return_walks.tolist()) == ([hits], [1])
    assert group.wrong(snapshot) == FINE


def test_a_session_is_called_at_the_return_of_its_call() -> None:
    group = Group(SESSIONS)
    group.has(1, at_return=True)
    group.to(1, DONE)
    snapshot = group.to(2, DONE)
    assert (snapshot.hits.tolist(), group.wrong(snapshot)) == ([1], FINE)


@pytest.mark.parametrize(("session", "check"), [(0b110, CALLED_GONE), (0b000, NOT_CALLED)])
def test_calls_that_sessions_forbid_or_ask_for_are_checked(session: int, check: int) -> None:
    """A planted record of the entry: one consumer too many, or none."""
    group = Group(SESSIONS)
    group.has(1, at_return=True)
    group.to(1, DONE)
    group.has(2, at_return=True)
    group._group._threads.frame["session"][0, 0] = session
    assert group.wrong(group.to(2, DONE)) == check


def test_a_bit_that_is_taken_again_is_another_consumers() -> None:
    group = Group(SESSIONS)
    group.has(0)
    group.has(1, at_return=True)
    group.to(1, DONE)
    view = group.view
    view.return_list[0] = view.may_call[0] = view.must_call[0] = 0
    group.to(1, DONE)
    group.has(1, at_return=True)
    snapshot = group.to(2, DONE)
    assert (snapshot.hits.tolist(), group.wrong(snapshot)) == ([1], FINE)


@pytest.mark.parametrize("alive", [True, False])
def test_the_timer_makes_a_lease_a_reference_or_ends_it(alive: bool) -> None:
    group = Group(LEASED)
    group.has(0, at_return=True)
    group.to(1, DONE)
    group.view.alive[0] = alive
    if not alive:
        group.view.must_call[0] = 0
    snapshot = group.expire()
    assert (snapshot.held.tolist(), snapshot.ended.sum()) == ([int(alive)], 1)
    snapshot = group.to(2, DONE)
    assert (snapshot.held.tolist(), snapshot.return_walks.tolist()) == ([0], [int(alive)])
    assert (snapshot.ended.sum(), group.wrong(snapshot)) == (1, FINE)


def test_no_more_return_instances_than_the_kernel_allows() -> None:
    deep = 72
    group = Group(UNDER_TRACE, (0,) * deep + (RETURN,) * deep)
    group.has(0, at_return=True)
    assert group.to(deep, DONE).held.tolist() == [MAX_URETPROBE_DEPTH]
    snapshot = group.to(2 * deep, DONE)
    assert (snapshot.held.tolist(), snapshot.return_walks.tolist()) == ([0], [MAX_URETPROBE_DEPTH])
    assert snapshot.thread["instances"].tolist() == [0]


def test_a_lookup_takes_no_uprobe_that_is_dead() -> None:
    group = Group(UNDER_LOCK)
    group.view.alive[0] = False
    snapshot = group.to(1, LEFT)
    assert (snapshot.missed.tolist(), snapshot.held.tolist()) == ([1], [0])


def test_who_enters_late_meets_nobody_who_left_before() -> None:
    group = Group(UNDER_TRACE)
    group.has(0)
    group.to(1, TAKEN)
    group.view.must_call[0] = group.view.entry_list[0] = 0
    snapshot = group.to(1, ENTERED)
    # A grace period that has begun by now waits not for this hit, and need not.
    assert inside(snapshot, chain_rwsem=False).visible.tolist() == [0]


def test_who_was_inside_may_meet_whoever_was_listed_since() -> None:
    group = Group(UNDER_TRACE)
    group.has(0)
    group.to(1, ENTERED)
    group.view.must_call[0] = group.view.entry_list[0] = 0
    walking = inside(group.to(1, FOUND), chain_rwsem=False)
    assert (walking.function.tolist(), walking.visible.tolist()) == ([0], [1])


def test_under_the_rwsem_only_its_holder_meets_anybody() -> None:
    group = Group(UNDER_LOCK)
    group.has(0)
    assert inside(group.to(1, FOUND), chain_rwsem=True).visible.tolist() == []
    assert inside(group.to(1, WALKING), chain_rwsem=True).visible.tolist() == [1]
    assert inside(group.to(1, UNWALKED), chain_rwsem=True).visible.tolist() == []


def test_a_bit_that_is_somebody_elses_by_the_return() -> None:
    group = Group(UNDER_TRACE)
    group.has(0, at_return=True)
    group.to(1, DONE)
    group.view.must_call[0] = group.view.may_call[0] = group.view.return_list[0] = 0
    group.to(1, DONE)
    group.view.returns[0] = 0
    group.has(0)
    assert group.wrong(group.to(2, DONE)) == FINE


def nobody_there(view: View) -> None:
    view.found[0] = NOBODY


def not_listed(view: View) -> None:
    view.entry_list[0] = 0


def no_breakpoint(view: View) -> None:
    view.installed[0] = False


def unregistered(view: View) -> None:
    view.must_call[0] = view.may_call[0] = 0


def freed(view: View) -> None:
    view.freed[0] = True


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (nobody_there, NOT_CALLED),
        (not_listed, NOT_CALLED),
        (no_breakpoint, NOT_CALLED),
        (unregistered, CALLED_GONE),
        (freed, USED_FREED),
    ],
)
@pytest.mark.parametrize("rules", [UNDER_LOCK, UNDER_TRACE, LEASED])
def test_what_is_wrong_is_found(breaks: Any, found: int, rules: HitRules) -> None:
    group = Group(rules)
    group.has(0)
    breaks(group.view)
    assert group.wrong(group.to(1, DONE)) == found


@pytest.mark.parametrize("found", [NOT_CALLED, CALLED_GONE, USED_FREED])
def test_what_is_wrong_at_the_return_is_found(found: int) -> None:
    group = Group(UNDER_TRACE)
    group.has(0, at_return=True)
    group.to(1, DONE)
    if found == NOT_CALLED:
        group.view.return_list[0] = 0
    elif found == CALLED_GONE:
        unregistered(group.view)
    else:
        freed(group.view)
    assert group.wrong(group.to(2, DONE)) == found
