from __future__ import annotations

import pytest

from sweep.plan.interval import Interval, of_mean, of_members


def test_students_interval_by_hand() -> None:
    # Mean 2, standard deviation 1, two degrees of freedom: t = 4.30265 at 97.5 %.
    half = 4.30265 / 3**0.5
    assert of_mean([1, 2, 3]) == pytest.approx(Interval(2, 2 - half, 2 + half), rel=1e-5)


def test_another_level() -> None:
    # t = 1 at 75 % with one degree of freedom, so half the chance is within one standard error.
    assert of_mean([1, 3], level=0.5) == pytest.approx(Interval(2, 1, 3))


def test_one_value_says_nothing_of_its_spread() -> None:
    assert of_mean([5.0]) == Interval(5, None, None)


def test_members_give_an_interval_around_the_plain_value() -> None:
    # Standard deviation 2 of (8, 10, 12); 1.645 of them either way, around the first.
    low, high = 11 - 1.6449 * 2, 11 + 1.6449 * 2
    assert of_members([11, 8, 10, 12]) == pytest.approx((11, low, high), rel=1e-4)
