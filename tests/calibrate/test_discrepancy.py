"""The model's own error, estimated from errors of which it is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibrate.discrepancy import LEAST, estimate


def test_both_parts_are_found_again_beside_the_members_spread() -> None:
    random = np.random.default_rng(1)
    count = 4000
    shares = np.where(np.arange(count) % 4 == 0, 0.0, random.random(count))
    spread = random.random(count) * 0.1 * shares
    own = np.hypot(np.sqrt(1 - shares) * 0.02, np.sqrt(shares) * 0.15)
    unseen = random.normal(size=count) * np.hypot(own, spread)
    found = estimate(unseen, spread, shares)
    assert found.uncontended == pytest.approx(0.02, rel=0.06)
    assert found.contended == pytest.approx(0.15, rel=0.06)


def test_uncontended_cells_alone_are_their_root_mean_square() -> None:
    found = estimate(np.array([0.03, -0.04, 0.05]), np.zeros(3), np.zeros(3))
    assert found.uncontended == pytest.approx(np.sqrt(50 / 3) / 100, rel=1e-2)


def test_errors_that_the_members_have_are_not_the_model_s() -> None:
    shares = np.array([0.0, 1, 1, 1, 1, 1])
    found = estimate(np.full(6, 0.05), np.full(6, 0.1), shares)
    assert found.contended == pytest.approx(LEAST, abs=2e-4)


def test_large_errors_with_little_waiting_say_nothing_of_one_cpu() -> None:
    shares = np.array([0.0, 0, 0.3, 0.3, 0.9, 0.9])
    unseen = np.array([0.02, -0.02, 0.15, -0.15, 0.02, 0.02])
    assert estimate(unseen, np.full(6, 0.01), shares).uncontended == pytest.approx(0.0173, abs=5e-4)


def test_without_a_cell_of_one_cpu_both_are_one() -> None:
    found = estimate(np.array([0.1, -0.1]), np.zeros(2), np.array([0.5, 1]))
    assert found.uncontended == found.contended == pytest.approx(0.1, rel=1e-2)


def test_no_errors_are_no_proof_of_none() -> None:
    found = estimate(np.zeros(4), np.zeros(4), np.array([0, 0, 0.5, 1]))
    assert found.uncontended == pytest.approx(LEAST, abs=2e-4)
    assert found.contended == pytest.approx(LEAST, abs=2e-4)
