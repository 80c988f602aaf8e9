"""Costs by kind of transaction: planted ones are found again, and what tells nothing is said."""

from __future__ import annotations

import pytest

from core.calibrate.hand_offs import HAND_OFFS
from core.machine.machine import Machine, load_machine
from sweep.calibration.by_kind import (
    BLIND,
    CLEAN,
    THEN_LOCKED,
    HandOffs,
    by_kind,
    modelled_ns,
    tells,
)
from sweep.live import loops
from sweep.live.timing import Timing

LENDER = load_machine("xeon-gold-6138").with_calibration(None)
DISTANCES = ("same cache", "other socket")
PLANTED = {
    "coherence.load_hold_ns": 90.0,
    "coherence.load_crossing": 1.4,
    "coherence.shared_read_ns": 31.0,
}


def timing(ns: float, share: float = 0.02) -> Timing:
    return Timing(ns, ns * (1 - share), ns * (1 + share), 100, 90)


def handed(machine: Machine) -> HandOffs:
    """What would be timed on `machine`, noiselessly."""
    return {
        kind: {d: timing(modelled_ns(machine, kind, d)) for d in DISTANCES}
        for kind in (BLIND, THEN_LOCKED, CLEAN)
    }


def test_planted_costs_are_found_again() -> None:
    found = by_kind(LENDER, handed(LENDER.with_numbers(PLANTED)))
    assert found.untold == ()
    for path, value in PLANTED.items():
        assert found.machine.number(path) == pytest.approx(value, rel=0.02)
        assert 0 < found.fitted[path] < 0.5


def test_a_hand_off_is_modelled_without_the_operations_themselves() -> None:
    way = LENDER.coherence.one_way_ns
    assert modelled_ns(LENDER, BLIND, "same cache") == pytest.approx(way, abs=1)
    assert modelled_ns(LENDER, CLEAN, "same cache") == LENDER.coherence.shared_read_ns


@pytest.mark.parametrize(
    ("low", "high", "told"), [(40, 60, True), (-5, 60, False), (0, 60, False), (20, 80, False)]
)
def test_a_hand_off_tells_if_it_is_above_nought_and_known(
    low: float, high: float, told: bool
) -> None:
    assert tells(Timing(50, low, high, 100, 90)) is told


def test_what_tells_nothing_leaves_the_lenders_cost_and_is_said() -> None:
    wide = {THEN_LOCKED: {"same cache": Timing(50.0, -10.0, 110.0, 100, 90)}}
    found = by_kind(LENDER, wide)
    assert (found.machine, found.fitted) == (LENDER, {})
    [said] = found.untold
    assert said == f"{THEN_LOCKED}, same cache: 50.0 ns [-10.0, 110.0] tells nothing"


def test_what_no_cost_explains_is_said_too() -> None:
    found = by_kind(LENDER, {THEN_LOCKED: {"same cache": timing(5000.0)}})
    assert found.machine == LENDER
    assert "is beyond what coherence.load_hold_ns can be" in found.untold[0]


def test_the_kinds_are_those_of_the_loops_and_of_the_model() -> None:
    assert [kind.name for kind in loops.HAND_OFFS] == [BLIND, THEN_LOCKED, CLEAN]
    assert {BLIND, THEN_LOCKED} == HAND_OFFS.keys()
