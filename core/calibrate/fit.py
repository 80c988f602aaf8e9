"""One stage of a calibration: the parameters that make the model's errors smallest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from scipy.optimize import OptimizeResult, differential_evolution

from core.calibrate.parameters import Parameter, with_values
from core.calibrate.points import FloatArray, Points
from core.machine.machine import Machine

POPULATION = 4
"""Members of the population per parameter."""

Each = Callable[[Callable[[Machine], FloatArray], Iterable[Machine]], Iterable[FloatArray]]
"""`map`, or that of a pool of processes: the order is kept."""


@dataclass(frozen=True)
class Step:
    """How far a stage is: `done` of at most `total` steps, and the best loss if there is one."""

    stage: str
    done: int
    total: int
    loss: float | None = None


Report = Callable[[Step], None]


def silent(step: Step) -> None:
    """Report nothing."""


P_co = TypeVar("P_co", bound=Points, covariant=True)


@dataclass(frozen=True)
class Stage(Generic[P_co]):
    """What is fitted, on what, and for how many generations at most."""

    name: str
    points: P_co
    parameters: tuple[Parameter, ...]
    generations: int


def fit(
    stage: Stage[Points], machine: Machine, each: Each = map, report: Report = silent
) -> FloatArray:
    """Values, as a machine file writes them, of the stage's parameters; shape (parameters,).

    The rest is `machine`'s. They minimize mean absolute plus half the root mean square of the
    weighted errors, by differential evolution. Deterministic, whatever `each` is.
    """
    weights = stage.points.weights

    def losses(population: FloatArray) -> FloatArray:
        """Loss of each column of an array of shape (parameters, columns)."""
        machines = [
            with_values(machine, dict(zip(stage.parameters, column, strict=True)))
            for column in population.T.tolist()
        ]
        errors = weights * np.array(list(each(stage.points.errors, machines)))
        losses: FloatArray = np.abs(errors).mean(axis=1) + 0.5 * np.sqrt((errors**2).mean(axis=1))
        return losses

    def generation(intermediate_result: OptimizeResult) -> None:
        best = float(intermediate_result.fun)
        report(Step(stage.name, intermediate_result.nit, stage.generations, best))

    report(Step(stage.name, 0, stage.generations))
    best = differential_evolution(
        losses,
        [(p.low, p.high) for p in stage.parameters],
        maxiter=stage.generations,
        popsize=POPULATION,
        rng=0,
        polish=False,
        updating="deferred",
        vectorized=True,
        callback=generation,
    )
    return np.array(
        [p.rounded(x) for p, x in zip(stage.parameters, best.x.tolist(), strict=True)], np.float64
    )
