"""The laws that the simulation is held against: planted parameters, figures by hand, bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.letter.baselines import BASELINES, Baseline, Station, Usl, fit_station, fit_usl
from sweep.letter.claims import dips
from sweep.letter.published import published_mhits

CPUS = (1, 2, 4, 8, 16, 32, 64)
FRACTIONS = st.floats(0, 1)
TIMES = st.floats(0.01, 100)


def test_usl_by_hand() -> None:
    # 3 * 4 / (1 + 0.5 * 3 + 0.125 * 12)
    assert Usl(3, 0.5, 0.125)(4) == pytest.approx(3)
    assert Usl(3, 0.5, 0.125)(1) == 3


@given(gamma=TIMES, alpha=FRACTIONS, beta=st.floats(0, 0.1))
def test_usl_rises_to_one_peak_and_falls_from_there(
    gamma: float, alpha: float, beta: float
) -> None:
    law = Usl(gamma, alpha, beta)
    peak = math.sqrt((1 - alpha) / beta) if beta else math.inf
    for cpus in range(1, 100):
        before, after = law(cpus), law(cpus + 1)
        if cpus + 1 <= peak:
            assert after >= before * (1 - 1e-12)
        if cpus >= peak:
            assert after <= before * (1 + 1e-12)


@given(gamma=TIMES, alpha=st.floats(0.01, 1))
def test_usl_without_coherency_is_amdahls_law(gamma: float, alpha: float) -> None:
    law = Usl(gamma, alpha, 0)
    assert law(10**9) == pytest.approx(gamma / alpha, rel=1e-6)
    assert Usl(gamma, 0, 0)(64) == pytest.approx(64 * gamma)


@settings(deadline=None, max_examples=30)
@given(gamma=st.floats(0.5, 10), alpha=st.floats(0.01, 0.9), beta=st.floats(0.001, 0.1))
def test_planted_usl_is_found(gamma: float, alpha: float, beta: float) -> None:
    planted = Usl(gamma, alpha, beta)
    found = fit_usl({cpus: planted(cpus) for cpus in CPUS})
    assert (found.gamma, found.alpha, found.beta) == pytest.approx((gamma, alpha, beta), rel=1e-3)


def test_parameters_of_a_superlinear_curve_stay_at_0() -> None:
    found = fit_usl({1: 1.0, 2: 3.0, 4: 8.0})
    assert found.alpha == pytest.approx(0, abs=1e-6)
    assert found.beta == pytest.approx(0, abs=1e-6)
    # Least squares of a line through the origin: (1 + 6 + 32) / (1 + 4 + 16).
    assert found.gamma == pytest.approx(39 / 21, rel=1e-4)


def test_two_points_fit_no_usl() -> None:
    with pytest.raises(ValueError, match="need three points, got 2"):
        fit_usl({1: 1.0, 2: 1.5})


def test_usl_is_the_least_squares_of_throughput() -> None:
    curve = {cpus: published_mhits()["srcu", "uprobe-nop", cpus] for cpus in CPUS}
    found = fit_usl(curve)

    def loss(law: Usl) -> float:
        return sum((law(cpus) - x) ** 2 for cpus, x in curve.items())

    for factor in (0.98, 1.02):
        assert loss(Usl(found.gamma * factor, found.alpha, found.beta)) > loss(found)
        assert loss(Usl(found.gamma, found.alpha * factor, found.beta)) > loss(found)
        assert loss(Usl(found.gamma, found.alpha, found.beta * factor)) > loss(found)


def test_mva_by_hand() -> None:
    # Z = D = 1. N = 1: R = 1, X = 1/2, Q = 1/2. N = 2: R = 3/2, X = 2 / (5/2), Q = 6/5.
    # N = 3: R = 11/5, X = 3 / (16/5).
    station = Station(1, 1)
    assert [station(cpus) for cpus in (1, 2, 3)] == pytest.approx([1 / 2, 4 / 5, 15 / 16])
    # Z = 2, D = 1: X = 1/3, Q = 1/3; R = 4/3, X = 3/5, Q = 4/5; R = 9/5, X = 15/19.
    assert [Station(2, 1)(cpus) for cpus in (1, 2, 3)] == pytest.approx([1 / 3, 3 / 5, 15 / 19])


@given(think=st.floats(0, 100), demand=TIMES, cpus=st.integers(1, 100))
def test_mva_keeps_its_asymptotic_bounds(think: float, demand: float, cpus: int) -> None:
    station = Station(think, demand)
    throughput = station(cpus)
    assert throughput <= min(1 / demand, cpus / (think + demand)) * (1 + 1e-9)
    assert throughput >= cpus / (think + cpus * demand) * (1 - 1e-9)
    assert station(cpus + 1) >= throughput * (1 - 1e-12)


@settings(deadline=None, max_examples=30)
@given(think=TIMES, share=st.floats(0.02, 0.98))
def test_planted_station_is_found(think: float, share: float) -> None:
    planted = Station(think, think * share / (1 - share))
    found = fit_station({cpus: planted(cpus) for cpus in CPUS})
    assert found.demand == pytest.approx(planted.demand, rel=1e-3)
    assert found.think + found.demand == pytest.approx(planted.think + planted.demand)


def test_a_station_meets_the_1_cpu_figure() -> None:
    assert fit_station({1: 4.0, 2: 5.0, 4: 5.5})(1) == pytest.approx(4)
    with pytest.raises(ValueError, match="there is none"):
        fit_station({2: 5.0})


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
def test_no_baseline_falls_and_rises_again(baseline: Baseline) -> None:
    letter = published_mhits()
    predicted = baseline.predict(letter)
    assert list(predicted) == list(letter)
    for flavour, bench in {cell[:2] for cell in letter}:
        assert dips(letter, flavour, bench)
        assert not dips(predicted, flavour, bench)


def test_a_baseline_sees_its_own_cpu_counts_and_column_only() -> None:
    few = next(baseline for baseline in BASELINES if baseline.most_cpus == 8)
    letter = published_mhits()
    other = {
        cell: mhits * (2 if cell[2] > 8 or cell[0] != "srcu" else 1)
        for cell, mhits in letter.items()
    }
    column = [cell for cell in letter if cell[0] == "srcu"]
    predicted, unmoved = few.predict(other), few.predict(letter)
    assert [predicted[c] for c in column] == [unmoved[c] for c in column]
    assert few.is_fitted_on(("srcu", "uprobe-nop", 8))
    assert not few.is_fitted_on(("srcu", "uprobe-nop", 16))
