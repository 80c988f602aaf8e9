"""The Laplace approximation against linear problems, whose posterior is known in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibrate.ensemble import (
    Errors,
    Gaussian,
    intervals,
    jacobian,
    left_out,
    likeliest,
    members,
    posterior,
    prior,
    unseen_errors,
)
from core.calibrate.parameters import Parameter
from core.calibrate.points import FloatArray

PARAMETERS = (Parameter("a", -10, 30, 10), Parameter("b", 0, 8, 4), Parameter("c", 100, 900, 500))
LINEAR = np.random.default_rng(5).normal(size=(12, 3)) * [0.05, 0.2, 0.001]
DATA = LINEAR @ [7.0, 3.0, 400.0] + np.random.default_rng(6).normal(scale=0.03, size=12)
BEST: FloatArray = np.linalg.lstsq(LINEAR, DATA)[0]


def linear(matrix: FloatArray, data: FloatArray) -> Errors:
    def errors(points: Sequence[FloatArray]) -> FloatArray:
        return np.array([matrix @ point - data for point in points])

    return errors


def test_a_linear_problem_has_its_analytic_posterior() -> None:
    errors = linear(LINEAR, DATA)
    before = prior(PARAMETERS)
    slopes = jacobian(errors, BEST, PARAMETERS)
    assert slopes == pytest.approx(LINEAR)
    left = errors([BEST])[0]
    found = posterior(slopes, left, BEST, before)
    variance = found.scale**2
    information = np.linalg.inv(before.covariance)
    covariance = np.linalg.inv(LINEAR.T @ LINEAR / variance + information)
    mean = covariance @ (LINEAR.T @ DATA / variance + information @ before.mean)
    assert found.parameters.covariance == pytest.approx(covariance)
    assert found.parameters.mean == pytest.approx(mean)
    hat = LINEAR @ covariance @ LINEAR.T / variance
    assert found.leverage == pytest.approx(np.diag(hat))
    assert variance == pytest.approx(left @ left / (12 - np.trace(hat)))
    # Three parameters that the data fix nearly alone: all but three degrees of freedom are left.
    assert variance == pytest.approx(left @ left / 9, rel=0.05)


def test_leverage_gives_the_error_of_a_point_left_out() -> None:
    found = posterior(LINEAR, LINEAR @ BEST - DATA, BEST, prior(PARAMETERS))
    before, variance = prior(PARAMETERS), found.scale**2
    information = np.linalg.inv(before.covariance)

    def fitted(rows: FloatArray, data: FloatArray) -> FloatArray:
        precision = rows.T @ rows / variance + information
        fit: FloatArray = np.linalg.solve(
            precision, rows.T @ data / variance + information @ before.mean
        )
        return fit

    left = LINEAR @ fitted(LINEAR, DATA) - DATA
    for i in range(12):
        others = np.arange(12) != i
        without = LINEAR[i] @ fitted(LINEAR[others], DATA[others]) - DATA[i]
        assert left[i] / (1 - found.leverage[i]) == pytest.approx(without)


def test_parameters_without_a_point_are_those_fitted_without_it() -> None:
    before = Gaussian(BEST, np.diag([1e8, 1e8, 1e12]))
    errors = LINEAR @ BEST - DATA
    known = posterior(LINEAR, errors, BEST, before)
    for i in range(12):
        others = np.arange(12) != i
        without = np.linalg.lstsq(LINEAR[others], DATA[others])[0]
        *on_the_way, found = left_out(LINEAR, errors, BEST, known, before, i, PARAMETERS)
        assert found == pytest.approx(without, abs=0.01)
        assert on_the_way[0] == pytest.approx((BEST + without) / 2, abs=0.01)
    # 31 would be best, but the bounds end at 30.
    pulled, ends = np.array([1.0, 0, 0]), np.array([30.0, 3, 400])
    *_, wide = left_out(np.eye(3), pulled, ends, known, before, 0, PARAMETERS)
    assert wide[0] == 30


def test_an_unseen_error_is_where_the_others_are_smallest() -> None:
    tried = np.array([[[1.0, 5, 5], [7, 1, 2], [0, 2, 2]], [[1, 1, 3], [0, 4, 1], [5, 0, 0]]])
    assert unseen_errors(tried, [0, 2]).tolist() == [7, 3]


def test_the_likeliest_are_kept_in_their_order() -> None:
    assert likeliest(np.array([[3.0, 0], [0, 1], [-2, 1], [0.5, 0.5]]), 2).tolist() == [1, 3]


def test_what_nothing_depends_on_is_known_as_before() -> None:
    matrix = LINEAR * [1, 1, 0]
    best = np.array([*BEST[:2], 150.0])
    errors = linear(matrix, DATA)
    found = posterior(
        jacobian(errors, best, PARAMETERS), errors([best])[0], best, prior(PARAMETERS)
    )
    low, high = intervals(found.parameters, best, PARAMETERS)
    reach = 1.6448536 * 800 / np.sqrt(12)
    assert (low[2], high[2]) == pytest.approx((500 - reach, 500 + reach))
    assert found.parameters.covariance[2] == pytest.approx([0, 0, 800**2 / 12])


def test_an_interval_holds_the_best_value_even_at_a_bound() -> None:
    known = Gaussian(np.array([10.0]), np.array([[1.0]]))
    low, high = intervals(known, np.array([30.0]), PARAMETERS[:1])
    assert (low[0], high[0]) == pytest.approx((10 - 1.6448536, 30))


def test_perfect_errors_are_known_to_their_resolution_only() -> None:
    found = posterior(LINEAR, np.zeros(12), BEST, prior(PARAMETERS))
    assert 1e-3 < found.scale < 1.3e-3


def test_more_parameters_than_points_is_no_failure() -> None:
    found = posterior(LINEAR[:2], np.array([0.1, -0.1]), BEST, prior(PARAMETERS))
    assert np.all(found.leverage < 1)
    assert np.all(np.diag(found.parameters.covariance) <= np.diag(prior(PARAMETERS).covariance))


@pytest.mark.parametrize(
    ("best", "ends"),
    [(10.0, (6.0, 14.0)), (-10.0, (-10.0, -2.0)), (29.0, (22.0, 30.0))],
)
def test_differences_span_a_fifth_of_the_range_inside_the_bounds(
    best: float, ends: tuple[float, float]
) -> None:
    seen: list[float] = []

    def errors(points: Sequence[FloatArray]) -> FloatArray:
        seen.extend(float(point[0]) for point in points)
        return np.array([point**2 for point in points])

    slope = jacobian(errors, np.array([best]), PARAMETERS[:1])
    assert tuple(seen) == pytest.approx(ends)
    assert slope[0, 0] == pytest.approx(sum(ends))


def test_a_whole_parameter_of_a_narrow_range_still_moves() -> None:
    narrow = (Parameter("n", 3, 5, 4),)
    best = np.array([4.0])
    assert jacobian(linear(np.eye(1), best), best, narrow) == pytest.approx(np.eye(1))


def test_members_have_mean_and_covariance() -> None:
    wide = tuple(Parameter(name, -1000, 1000, 0) for name in "abc")
    root = np.array([[5.0, 0, 0], [3, 4, 0], [-2, 1, 6]])
    known = Gaussian(np.array([10.0, -20, 30]), root @ root.T)
    drawn = members(known, wide, 1024)
    assert drawn.mean(axis=0) == pytest.approx(known.mean, abs=0.05)
    assert np.cov(drawn.T) == pytest.approx(known.covariance, abs=0.5)
    assert np.array_equal(drawn, members(known, wide, 1024))
    assert np.array_equal(drawn[:16], members(known, wide, 16))


@settings(deadline=None)
@given(
    best=st.tuples(st.floats(-10, 30), st.floats(0, 8), st.integers(100, 900)),
    data=st.lists(st.floats(-5, 5), min_size=6, max_size=6),
    stretch=st.floats(0, 100),
)
def test_nothing_leaves_the_bounds(
    best: tuple[float, float, int], data: list[float], stretch: float
) -> None:
    at = np.array(best, dtype=np.float64)
    errors = linear(stretch * LINEAR[:6], np.array(data))
    found = posterior(jacobian(errors, at, PARAMETERS), errors([at])[0], at, prior(PARAMETERS))
    low, high = intervals(found.parameters, at, PARAMETERS)
    drawn = members(found.parameters, PARAMETERS, 16)
    for index, parameter in enumerate(PARAMETERS):
        assert parameter.low <= low[index] <= at[index] <= high[index] <= parameter.high
        assert np.all((parameter.low <= drawn[:, index]) & (drawn[:, index] <= parameter.high))
        assert all(parameter.rounded(value) == value for value in drawn[:, index].tolist())
    assert np.all(found.leverage < 1)
