"""The model's own error, estimated from errors of which it is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibrate.discrepancy import LEAST, estimate


def test_both_parts_are_found_again() -> None:
    random = np.random.default_rng(1)
    count = 4000
    shares = np.where(np.arange(count) % 4 == 0, 0.0, random.random(count))
    leverage = random.random(count) * 0.8
    own = np.hypot((1 - shares) * 0.02, shares * 0.15)
    left_out = random.normal(size=count) * own / np.sqrt(1 - leverage)
    found = estimate(left_out, leverage, shares)
    assert found.uncontended == pytest.approx(0.02, rel=0.06)
    assert found.contended == pytest.approx(0.15, rel=0.06)


def test_uncontended_cells_alone_are_their_root_mean_square() -> None:
    found = estimate(np.array([0.03, -0.04, 0.05]), np.zeros(3), np.zeros(3))
    assert found.uncontended == pytest.approx(np.sqrt(50 / 3) / 100, rel=1e-2)


def test_a_point_that_taught_much_counts_less() -> None:
    # Left out it errs by 0.2, of which three quarters of the variance are the parameters'.
    found = estimate(np.full(5, 0.2), np.full(5, 0.75), np.ones(5))
    assert found.contended == pytest.approx(0.1, rel=1e-2)


def test_no_errors_are_no_proof_of_none() -> None:
    found = estimate(np.zeros(4), np.zeros(4), np.array([0, 0, 0.5, 1]))
    assert found.uncontended == found.contended == LEAST
