"""Which consumers are hit, all 256 pairs of sets at every stage, against the counting rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from apart import APART
from selftest_counting import (
    KINDS,
    SESSIONS,
    expected_hits,
    expected_returns,
    model_hits,
    model_returns,
)

from core.kernel.rules import Rules
from core.kernel.stages import CHECKED_LEASE, STAGES

PAIRS = list(product(range(16), repeat=2))


@pytest.mark.parametrize("rules", [*STAGES.values(), CHECKED_LEASE], ids=lambda r: r.name)
def test_the_model_hits_whom_the_selftest_expects(rules: Rules) -> None:
    wrong = [
        f"{before:04b} -> {after:04b}"
        for before, after in PAIRS
        if model_hits(rules, before, after) != expected_hits(rules.stage, before, after)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("stage", "before", "after", "hit"),
    [
        (0, 0b0100, 0b0100, 0b0100),
        (0, 0b0100, 0b1000, 0),
        (2, 0b0100, 0b1000, 0b1000),
        (8, 0b0100, 0b1000, 0b1000),
        (10, 0b0100, 0b1000, 0),
        (10, 0b0101, 0b1000, 0b1001),
        (10, 0b0100, 0b1001, 0),
        (10, 0b0100, 0b1100, 0b1100),
        (8, 0b0011, 0b1100, 0b0011),
    ],
)
def test_by_hand(stage: int, before: int, after: int, hit: int) -> None:
    assert expected_hits(stage, before, after) == hit
    assert model_hits(STAGES[stage], before, after) == hit


def test_what_stage_2_and_stage_10_change() -> None:
    changed_at_2 = [p for p in PAIRS if expected_hits(0, *p) != expected_hits(2, *p)]
    changed_at_10 = [p for p in PAIRS if expected_hits(8, *p) != expected_hits(10, *p)]
    # Nobody stays, the return is pending, a return consumer comes: 4 choices a pair of entry bits
    # less those where one stays (3 of 4 a bit), and 4 -> 8 or 8 -> 4 among the return bits.
    assert len(changed_at_2) == 9 * 2
    assert all(not before & after for before, after in changed_at_2)
    # No entry bit before, any after: four, and the swap either way.
    assert changed_at_10 == [(b, a) for b, a in PAIRS if not b & 3 and (b >> 2, a >> 2) in SWAPS]
    assert len(changed_at_10) == 4 * 2


SWAPS = {(1, 2), (2, 1)}


@pytest.mark.parametrize("sessions", [False, True])
@pytest.mark.parametrize("stage", APART)
def test_consumers_with_both_handlers_in_all_256_cases(stage: int, sessions: bool) -> None:
    rules = replace(STAGES[stage], sessions=sessions)
    wrong = [
        f"{before:04b} -> {after:04b}"
        for before, after in PAIRS
        if model_returns(rules, before, after, SESSIONS)
        != expected_returns(rules, before, after, SESSIONS)
    ]
    assert wrong == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_two_ways_to_count_agree_where_both_say_something(stage: int) -> None:
    for before, after in PAIRS:
        hit = before & 0b0011 | expected_returns(STAGES[stage], before, after, KINDS)
        assert hit == expected_hits(stage, before, after)


@pytest.mark.parametrize(
    ("before", "after", "returns"),
    [
        (0b0100, 0b0100, 0b0100),
        (0b0010, 0b0110, 0b0010),  # A session that comes during the call is not called ...
        (0b0010, 0b0011, 0b0010),
        (0b0110, 0b1010, 0b0010),
        (0b0101, 0b0110, 0b0110),  # ... but a return consumer that comes is.
        (0b0001, 0b0100, 0),
    ],
)
def test_sessions_by_hand(before: int, after: int, returns: int) -> None:
    assert STAGES[10].sessions
    assert expected_returns(STAGES[10], before, after, SESSIONS) == returns
    assert model_returns(STAGES[10], before, after, SESSIONS) == returns


def test_what_sessions_change() -> None:
    plain = replace(STAGES[10], sessions=False)
    changed = [
        (before, after)
        for before, after in PAIRS
        if expected_returns(plain, before, after, SESSIONS)
        != expected_returns(STAGES[10], before, after, SESSIONS)
    ]
    assert changed
    assert all(after & ~before & 0b1100 for before, after in changed)
