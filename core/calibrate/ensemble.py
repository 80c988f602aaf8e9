"""How well fitted parameters are known: a Laplace approximation, and an ensemble drawn from it.

Near the best fit the errors are taken for linear in the parameters and normal, the parameters for
normal beforehand; then they are normal afterwards too (Tarantola, Inverse Problem Theory, 2005,
section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats.qmc import MultivariateNormalQMC

from core.calibrate.parameters import Parameter
from core.calibrate.points import FloatArray
from core.predict import CONFIDENCE

STEP = 0.1
"""Of a parameter's range, to either side: errors are noisy, smaller steps would measure noise."""

RESOLUTION = 1e-3
"""No error is known better than this, however well the model fits: it counts some thousand hits."""

FRACTIONS = (0.5, 1.0)
"""Of a step, where the errors are looked at."""

SEED = 0

Errors = Callable[[Sequence[FloatArray]], FloatArray]
"""From points of shape (parameters,) to weighted errors, a row a point: (points, errors)."""


@dataclass(frozen=True)
class Gaussian:
    """What is known of parameters: `mean`, shape (n,), and `covariance`, (n, n)."""

    mean: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class Posterior:
    """What is known after looking at errors, and how much each error taught.

    `scale` is the errors' standard deviation; `leverage`, shape (errors,), the share of an error
    that the parameters follow if it changes: the diagonal of the hat matrix.
    """

    parameters: Gaussian
    scale: float
    leverage: FloatArray


def prior(parameters: Sequence[Parameter]) -> Gaussian:
    """Mean and variance that each parameter would have if evenly spread over its bounds."""
    low, high = _bounds(parameters)
    return Gaussian((low + high) / 2, np.diag((high - low) ** 2 / 12))


def jacobian(errors: Errors, best: FloatArray, parameters: Sequence[Parameter]) -> FloatArray:
    """Derivatives of the errors at `best` by the parameters, shape (errors, parameters).

    By differences across a fifth of a parameter's range around `best`, all of it inside the bounds,
    and between values that a machine file can hold. One call of `errors`.
    """
    points: list[FloatArray] = []
    widths: list[float] = []
    for index, parameter in enumerate(parameters):
        low, high = _ends(parameter, float(best[index]))
        for value in (low, high):
            point = best.copy()
            point[index] = value
            points.append(point)
        widths.append(high - low)
    rows = errors(points)
    derivatives: FloatArray = ((rows[1::2] - rows[0::2]) / np.array(widths)[:, None]).T
    return derivatives


def posterior(
    jacobian: FloatArray, errors: FloatArray, best: FloatArray, before: Gaussian
) -> Posterior:
    """What is known given the errors at `best`, shape (errors,), where they are smallest.

    The scale of the errors is that of the errors left, by degrees of freedom: their number less the
    trace of the hat matrix, which depends on the scale itself.
    """
    inverse = np.linalg.inv(before.covariance)
    information = jacobian.T @ jacobian
    squares = max(float(errors @ errors), len(errors) * RESOLUTION**2)

    def covariance(variance: float) -> FloatArray:
        found: FloatArray = np.linalg.inv(information / variance + inverse)
        return (found + found.T) / 2

    def leverage(variance: float) -> FloatArray:
        left: FloatArray = np.einsum("ij,jk,ik->i", jacobian, covariance(variance), jacobian)
        return left / variance

    def excess(log_variance: float) -> float:
        variance = math.exp(log_variance)
        freedom = len(errors) - float(leverage(variance).sum())
        # Rounding may leave none where there are fewer errors than parameters.
        return log_variance - math.log(squares / max(freedom, 1e-9))

    least = math.log(squares / len(errors))
    most = least + 1
    while excess(most) < 0:
        most += 1
    variance = math.exp(brentq(excess, least, most))
    after = covariance(variance)
    mean = best + after @ inverse @ (before.mean - best)
    return Posterior(Gaussian(mean, after), math.sqrt(variance), leverage(variance))


def left_out(
    jacobian: FloatArray,
    errors: FloatArray,
    best: FloatArray,
    known: Posterior,
    before: Gaussian,
    row: int,
    parameters: Sequence[Parameter],
) -> list[FloatArray]:
    """Parameters on the way to the best had the error in that row not been seen.

    FRACTIONS of the Gauss-Newton step from `best`, which is best with it, inside the bounds; shape
    (parameters,) each. `known` is the posterior of all errors, `before` what was known without any.
    """
    others = np.delete(jacobian, row, axis=0)
    information = others.T @ others / known.scale**2 + np.linalg.inv(before.covariance)
    step = np.linalg.solve(information, jacobian[row] * errors[row] / known.scale**2)
    low, high = _bounds(parameters)
    moved = [np.clip(best + part * step, low, high).tolist() for part in FRACTIONS]
    return [np.array([p.rounded(v) for p, v in zip(parameters, row, strict=True)]) for row in moved]


def unseen_errors(tried: FloatArray, rows: Sequence[int]) -> FloatArray:
    """The error in each of `rows` where all the others are smallest, shape (rows,).

    `tried` has, for each of them, the errors at some places: shape (rows, places, errors). So a
    step too long for the errors to be linear is not believed.
    """
    squares = (tried**2).sum(axis=2)
    own: FloatArray = np.array([at[:, row] for at, row in zip(tried, rows, strict=True)])
    nearest = np.argmin(squares - own**2, axis=1)
    found: FloatArray = own[np.arange(len(own)), nearest]
    return found


def intervals(known: Gaussian, best: FloatArray, parameters: Sequence[Parameter]) -> FloatArray:
    """Ends of each parameter's 90 % interval, shape (2, parameters).

    It lies inside the bounds and is widened to hold the best value.
    """
    low, high = _bounds(parameters)
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * np.sqrt(np.diag(known.covariance))
    lowest = np.minimum(np.maximum(known.mean - reach, low), best)
    highest = np.maximum(np.minimum(known.mean + reach, high), best)
    return np.stack([lowest, highest])


def members(known: Gaussian, parameters: Sequence[Parameter], count: int) -> FloatArray:
    """Parameters drawn from `known`, shape (count, parameters), clipped to the bounds and rounded.

    A scrambled Sobol sequence: so few members spread far better than independent draws. `count` is
    a power of two.
    """
    low, high = _bounds(parameters)
    sampler = MultivariateNormalQMC(known.mean, known.covariance, rng=SEED)
    drawn = np.clip(sampler.random(count), low, high)
    rows = [[p.rounded(v) for p, v in zip(parameters, row, strict=True)] for row in drawn.tolist()]
    return np.array(rows, dtype=np.float64)


def likeliest(errors: FloatArray, count: int) -> NDArray[np.intp]:
    """Which `count` of parameters drawn have the smallest errors, shape (drawn, errors); in order.

    Rejection, as in approximate Bayesian computation: where errors bend, normal deviates around the
    best fit are often far from any.
    """
    kept: NDArray[np.intp] = np.sort(np.argsort((errors**2).sum(axis=1), kind="stable")[:count])
    return kept


def _bounds(parameters: Sequence[Parameter]) -> tuple[FloatArray, FloatArray]:
    return (
        np.array([p.low for p in parameters], dtype=np.float64),
        np.array([p.high for p in parameters], dtype=np.float64),
    )


def _ends(parameter: Parameter, best: float) -> tuple[float, float]:
    """Two values of `parameter`, a fifth of its range apart, around `best` if there is room."""
    step = STEP * (parameter.high - parameter.low)
    low = min(max(best - step, parameter.low), parameter.high - 2 * step)
    low, high = parameter.rounded(low), parameter.rounded(low + 2 * step)
    if low == high:
        return parameter.rounded(parameter.low), parameter.rounded(parameter.high)
    return low, high
