"""Schedules as text, replayed; and random larger scenarios."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from core.kernel.rules import Rules
from core.kernel.stages import CHECKED_LEASE, STAGES
from core.modelcheck.scenario import Action, Scenario, system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.schedule import (
    Finding,
    ScheduleError,
    TooManyStatesError,
    read_schedule,
    replay,
    schedule_text,
    walk,
)
from core.modelcheck.world import ENTRY, RETURN

NAMES = st.sampled_from(["hit", "unregister", "rcu0", "call-timer"])


@given(st.lists(NAMES).map(tuple))
def test_text_gives_the_schedule_back(schedule: tuple[str, ...]) -> None:
    assert read_schedule(schedule_text(schedule)) == schedule


def test_a_run_is_counted() -> None:
    assert schedule_text(("a", "a", "b", "a")) == "a*2 b a"


@pytest.mark.parametrize("text", ["hit*0", "hit*", "*3", "Hit", "hit*99999"])
def test_a_word_that_is_none(text: str) -> None:
    with pytest.raises(ScheduleError, match="is not NAME"):
        read_schedule(text)


def test_a_step_that_is_not_possible_is_named() -> None:
    system = system_of(SCENARIOS["hit-unregister"], STAGES[5])
    with pytest.raises(ScheduleError, match="step 2: rcu0 cannot step, hit, unregister can"):
        replay(system, "hit rcu0")


RULES = [*(rules for rules in STAGES.values() if not rules.leases), CHECKED_LEASE]


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Up to four threads on two probes; thread i registers and unregisters consumer i only."""
    threads: list[tuple[str, tuple[Action, ...]]] = []
    consumers: list[tuple[int, int]] = []
    setup: list[Action] = []
    for me in range(draw(st.integers(2, 4))):
        consumers.append((draw(st.integers(0, 1)), draw(st.integers(ENTRY, ENTRY | RETURN))))
        registered = draw(st.booleans())
        if registered:
            setup.append(("register", (me,)))
        key = draw(st.integers(0, 1))
        actions: list[Action] = []
        fresh = not registered
        for what in draw(
            st.lists(st.sampled_from(["call", "mmap", "change"]), min_size=1, max_size=4)
        ):
            if what != "change":
                actions.append((what, (key,)))
            elif registered:
                actions.append(("unregister", (me,)))
                registered = False
            elif fresh:
                actions.append(("register", (me,)))
                registered, fresh = True, False
        threads.append((f"t{me}", tuple(actions) or (("call", (key,)),)))
    return Scenario("random", tuple(consumers), tuple(setup), tuple(threads))


@settings(max_examples=150, deadline=None)
@given(scenarios(), st.sampled_from(RULES), st.integers(0, 2**32 - 1))
def test_random_larger_scenarios_hold(scenario: Scenario, rules: Rules, seed: int) -> None:
    system = system_of(scenario, rules)
    for number in range(4):
        drawn = random.Random(f"{seed} {number}")
        found = walk(system, lambda n, drawn=drawn: drawn.randrange(n))  # type: ignore[misc]
        if isinstance(found, Finding):
            note(f"seed {seed}, walk {number}, stage {rules.stage}: {found.text}")
            note(f"replays: {schedule_text(found.schedule)}")
        assert not isinstance(found, Finding)


def test_a_walk_finds_the_hole_of_stage_10_and_its_schedule_replays() -> None:
    system = system_of(SCENARIOS["call-unregister"], STAGES[10])
    drawn = random.Random(0)
    findings = (walk(system, drawn.randrange) for _ in range(5000))
    found = next(found for found in findings if isinstance(found, Finding))
    last = replay(system, schedule_text(found.schedule))[-1].violation
    assert last is not None
    assert last.check == found.check


def test_a_walk_without_end_is_an_error() -> None:
    with pytest.raises(TooManyStatesError, match="3 steps"):
        walk(system_of(SCENARIOS["mmap"], STAGES[5]), lambda n: 0, limit=3)
