"""How wrong the model is where its parameters are right: its discrepancy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from core.calibrate.points import FloatArray
from core.machine.machine import Discrepancy

LEAST, MOST = 1e-3, 1.0
"""Standard deviations looked among: hits counted resolve the one, the other is a factor of e."""


def estimate(left_out: FloatArray, leverage: FloatArray, shares: FloatArray) -> Discrepancy:
    """The discrepancy that makes the errors at cells left out most likely.

    `left_out` is the error in the log of each cell as if the parameters were fitted without it,
    `leverage` how much it taught them, `shares` what of its hit's time is contended; shape
    (cells,). With v = ((1 - share) uncontended)^2 + (share contended)^2 the variance of a cell's
    discrepancy, that of its left-out error is v / (1 - leverage): without it less is known.
    """
    squares = left_out**2 * (1 - leverage)

    def surprise(logs: FloatArray) -> float:
        uncontended, contended = np.exp(logs)
        variances = ((1 - shares) * uncontended) ** 2 + (shares * contended) ** 2
        return float(np.sum(np.log(variances) + squares / variances))

    bounds = [(np.log(LEAST), np.log(MOST))] * 2
    start = np.full(2, np.log(0.1))
    best = minimize(surprise, start, bounds=bounds, method="L-BFGS-B")
    uncontended, contended = np.exp(best.x)
    return Discrepancy(
        uncontended=round(float(uncontended), 4), contended=round(float(contended), 4)
    )
