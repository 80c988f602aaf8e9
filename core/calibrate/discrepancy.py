"""How wrong the model is where its parameters are right: its discrepancy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from core.calibrate.points import FloatArray
from core.machine.machine import Discrepancy

LEAST, MOST = 1e-3, 1.0
"""Standard deviations looked among: hits counted resolve the one, the other is a factor of e."""


def estimate(unseen: FloatArray, spread: FloatArray, shares: FloatArray) -> Discrepancy:
    """The discrepancy that makes the errors at cells not seen most likely.

    `unseen` is the error in the log of each cell where the parameters were fitted without it,
    `spread` the standard deviation of the ensemble's members there, `shares` what of its hit's time
    is contended; shape (cells,). An error's variance is that of the members, which an interval has
    in it anyway, and (1 - share) uncontended^2 + share contended^2. Cells that meet nobody tell the
    first, the others the second; without the former both are one.
    """
    alone = shares == 0
    squares, members = unseen**2, spread**2

    def likeliest(own: Callable[[float], FloatArray], cells: NDArray[np.bool_]) -> float:
        def surprise(log: float) -> float:
            variances = (members + own(float(np.exp(2 * log))))[cells]
            return float(np.sum(np.log(variances) + squares[cells] / variances))

        bounds = (np.log(LEAST), np.log(MOST))
        return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))

    whole = np.ones_like(shares)
    uncontended = likeliest(lambda own: own * whole, alone if alone.any() else ~alone)
    contended = uncontended
    if alone.any() and not alone.all():
        known = (1 - shares) * uncontended**2
        contended = likeliest(lambda own: known + shares * own, ~alone)
    return Discrepancy(uncontended=round(uncontended, 4), contended=round(contended, 4))
