"""Two states are found where they were planted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from core.two_states import two_states


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("starts", [12, 16])
def test_a_planted_mixture_is_found_with_its_rates(share: float, starts: int) -> None:
    random = np.random.default_rng(1)
    high = np.arange(starts) < share * starts
    rates = np.where(high, 4.6e6, 4.0e6) * np.exp(random.normal(scale=0.005, size=starts))
    found = two_states(random.permutation(rates).tolist())
    assert found is not None
    assert found.low == pytest.approx(4.0e6, rel=0.01)
    assert found.high == pytest.approx(4.6e6, rel=0.01)
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize("deviation", [0.001, 0.01, 0.03, 0.1])
def test_one_state_is_taken_for_two_in_less_than_a_hundredth(deviation: float) -> None:
    random = np.random.default_rng(2)
    samples = np.exp(random.normal(scale=deviation, size=(1000, 12)))
    assert sum(two_states(sample) is not None for sample in samples.tolist()) < 10


def test_rates_spread_evenly_are_one_state() -> None:
    assert two_states(np.linspace(3e6, 5e6, 12).tolist()) is None


def test_one_start_that_stands_apart_is_no_state() -> None:
    assert two_states([4e6] * 11 + [6e6]) is None


def test_states_nearer_than_the_resolution_are_one() -> None:
    assert two_states([1.0] * 6 + [1.02] * 6) is None
    assert two_states([1.0] * 6 + [1.10] * 6) is not None


def test_few_starts_tell_nothing() -> None:
    assert two_states([1.0, 1.0, 2.0]) is None
