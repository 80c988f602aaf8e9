"""Two laws of scaling that know no machine, fitted to the letter: what the simulation must beat.

The Universal Scalability Law is N. J. Gunther, "Guerrilla Capacity Planning" (Springer 2007); mean
value analysis is M. Reiser and S. S. Lavenberg, JACM 27(2), 1980. Each has its own parameters in
each column (flavour and bench) of the letter, where the simulation has one set for all. Both are
fitted by least squares on the throughput. On its logarithm the USL finds no beta in half of the
columns up to 8 CPUs and is 58 % off beyond, where it is 25 % off like this; the station is 31 and
34 % off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize_scalar, nnls

from sweep.letter.claims import Figures
from sweep.letter.published import CellKey

Curve = Mapping[int, float]
"""CPUs to throughput of all of them, in million hits per second."""

FEW_CPUS = 8
"""Up to here a fit that has to extrapolate may look: the peak of most columns."""

GRID = 64


@dataclass(frozen=True)
class Usl:
    """X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1)).

    `gamma` is the throughput of one CPU, in the unit of the curve; `alpha` (contention) and `beta`
    (coherency) have none and are not negative.
    """

    gamma: float
    alpha: float
    beta: float

    def __call__(self, cpus: int) -> float:
        """Throughput of `cpus` CPUs."""
        contention = self.alpha * (cpus - 1) + self.beta * cpus * (cpus - 1)
        return self.gamma * cpus / (1 + contention)


@dataclass(frozen=True)
class Station:
    """A closed network: every CPU thinks for `think`, then needs one shared station for `demand`.

    Both in microseconds where throughput is in million hits per second; service is exponential,
    first come first served. `demand` is above 0.
    """

    think: float
    demand: float

    def __call__(self, cpus: int) -> float:
        """Throughput of `cpus` CPUs, by the exact recursion over the population."""
        queue = throughput = 0.0
        for population in range(1, cpus + 1):
            response = self.demand * (1 + queue)
            throughput = population / (self.think + response)
            queue = throughput * response
        return throughput


def fit_usl(curve: Curve) -> Usl:
    """The law nearest to `curve` in least squares of the throughput.

    Starts from the fit of N / X(N), which is linear in 1, alpha and beta, and therefore has one
    best solution. Raises ValueError for a curve of less than three points.
    """
    if len(curve) < 3:
        raise ValueError(f"three parameters need three points, got {len(curve)}")
    cpus = np.array(list(curve), dtype=float)
    throughput = np.array(list(curve.values()), dtype=float)
    # An error of X is one of N / X times X^2 / N.
    weight = throughput**2 / cpus
    terms = np.stack([np.ones_like(cpus), cpus - 1, cpus * (cpus - 1)], axis=1)
    inverse, *others = nnls(terms * weight[:, None], cpus / throughput * weight)[0]
    gamma = 1 / inverse if inverse > 0 else float((throughput / cpus).max())

    def errors(values: NDArray[np.float64]) -> NDArray[np.float64]:
        loss = terms[:, 1:] @ values[1:]
        return np.asarray(values[0] * cpus / (1 + loss) - throughput)

    start = np.array([gamma, *(gamma * term for term in others)])
    best = least_squares(errors, start, bounds=(0, np.inf), x_scale=(gamma, 0.1, 0.01), xtol=1e-12)
    return Usl(*best.x.tolist())


def fit_station(curve: Curve) -> Station:
    """The network that meets the curve's 1-CPU figure exactly and is nearest to the rest.

    Think time and demand add up to the time of one hit on one CPU; the demand is what is fitted.
    Raises ValueError for a curve without 1 CPU.
    """
    if 1 not in curve:
        raise ValueError("think time and demand follow from the 1-CPU figure: there is none")
    hit = 1 / curve[1]

    def loss(demand: float) -> float:
        station = Station(hit - demand, demand)
        return sum((station(cpus) - x) ** 2 for cpus, x in curve.items())

    grid = np.linspace(0, hit, GRID + 1)[1:]
    nearest = int(np.argmin([loss(demand) for demand in grid]))
    low = grid[nearest - 1] if nearest else hit / GRID**2
    high = grid[min(nearest + 1, GRID - 1)]
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    demand = float(best.x)
    return Station(hit - demand, demand)


@dataclass(frozen=True)
class Baseline:
    """A law and the CPU counts that it is fitted on, up to `most_cpus`; None is all of them."""

    name: str
    fit: Callable[[Curve], Callable[[int], float]]
    most_cpus: int | None = None

    def is_fitted_on(self, cell: CellKey) -> bool:
        """Whether the fit has seen the figure of `cell`."""
        return self.most_cpus is None or cell[2] <= self.most_cpus

    def predict(self, figures: Figures) -> dict[CellKey, float]:
        """What the law gives for each cell of `figures`, fitted column by column on its share.

        Raises as `fit` does.
        """
        laws = {
            column: self.fit(
                {
                    cell[2]: mhits
                    for cell, mhits in figures.items()
                    if cell[:2] == column and self.is_fitted_on(cell)
                }
            )
            for column in {cell[:2] for cell in figures}
        }
        return {cell: laws[cell[:2]](cell[2]) for cell in figures}


BASELINES = (
    Baseline(f"USL, N <= {FEW_CPUS}", fit_usl, FEW_CPUS),
    Baseline("USL, all N", fit_usl),
    Baseline(f"MVA, N <= {FEW_CPUS}", fit_station, FEW_CPUS),
    Baseline("MVA, all N", fit_station),
)
