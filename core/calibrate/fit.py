"""A fit: the parameters that make the model's errors smallest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, least_squares
from scipy.stats.qmc import LatinHypercube

from core.calibrate.parameters import Parameter, with_values
from core.calibrate.points import FloatArray, Points
from core.machine.machine import Machine

STEP = 0.06
"""Of a parameter's range, for derivatives: errors are noisy, smaller steps would measure noise."""

TYPICAL_ERROR = 0.08
"""In the log. Errors beyond count less and less: a model that is wrong somewhere is wrong there."""

ANCHOR = 0.03
"""What an error of a parameter from its start counts, by its range."""

CANDIDATES = 8
"""Places looked at for each further start."""

REACH = 0.2
"""Of a parameter's range: from places anywhere in it the search ends where the loss is large."""

SEED = 0

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


@dataclass(frozen=True)
class Stage:
    """What is fitted, on what, for how many steps at most, and from how many starts.

    The first start is that of the parameters. Others are the likeliest of CANDIDATES times as many
    places around it, a Latin hypercube of up to REACH of each range to either side, the same every
    time.
    """

    name: str
    points: Points
    parameters: tuple[Parameter, ...]
    steps: int = 10
    starts: int = 1


def fit(stage: Stage, machine: Machine, each: Each = map, report: Report = silent) -> FloatArray:
    """Values, as a machine file writes them, of the stage's parameters; shape (parameters,).

    The rest is `machine`'s. They minimize the weighted errors, the large ones by Cauchy's robust
    loss, by a trust region (scipy's least_squares): the best of what the stage's starts lead to.
    Deterministic, whatever `each` is.
    """
    low = np.array([p.low for p in stage.parameters])
    width = np.array([p.high for p in stage.parameters]) - low
    start = (np.array([p.start for p in stage.parameters]) - low) / width
    weights = stage.points.weights
    steps = 0

    def found(rows: Sequence[FloatArray]) -> FloatArray:
        """Errors at places in the unit cube, a row each: (places, errors + parameters)."""
        machines = [
            with_values(machine, dict(zip(stage.parameters, low + width * row, strict=True)))
            for row in rows
        ]
        errors = np.array(list(each(stage.points.errors, machines))) * weights
        anchors = ANCHOR * (np.array(rows) - start)
        return np.concatenate([errors, anchors], axis=1)

    def errors(row: FloatArray) -> FloatArray:
        values: FloatArray = found([row])[0]
        return values

    def derivatives(row: FloatArray) -> FloatArray:
        nonlocal steps
        steps += 1
        lows, highs = np.maximum(row - STEP / 2, 0), np.minimum(row + STEP / 2, 1)
        places = [
            np.where(np.arange(len(row)) == i, end, row)
            for end in (lows, highs)
            for i in range(len(row))
        ]
        both = found([*places, row])
        report(Step(stage.name, min(steps, stage.steps), stage.steps, _loss(both[-1])))
        count = len(row)
        rise: FloatArray = ((both[count : 2 * count] - both[:count]) / (highs - lows)[:, None]).T
        return rise

    def best_from(place: FloatArray) -> OptimizeResult:
        nonlocal steps
        steps = 0
        report(Step(stage.name, 0, stage.steps))
        found = least_squares(
            errors,
            np.clip(place, 0.001, 0.999),
            jac=derivatives,
            bounds=(0, 1),
            loss="cauchy",
            f_scale=TYPICAL_ERROR,
            max_nfev=stage.steps,
            xtol=1e-3,
            ftol=1e-3,
        )
        report(Step(stage.name, stage.steps, stage.steps, _loss(found.fun)))
        return found

    places = [start]
    if stage.starts > 1:
        count = CANDIDATES * (stage.starts - 1)
        cube = LatinHypercube(len(start), rng=SEED).random(count)
        among = np.clip(start + REACH * (2 * cube - 1), 0, 1)
        losses = np.log1p((found(list(among)) / TYPICAL_ERROR) ** 2).sum(axis=1)
        places += list(among[np.argsort(losses, kind="stable")[: stage.starts - 1]])
    best = min(map(best_from, places), key=lambda one: one.cost)
    values = low + width * best.x
    return np.array(
        [p.rounded(x) for p, x in zip(stage.parameters, values.tolist(), strict=True)], np.float64
    )


def _loss(errors: FloatArray) -> float:
    """Mean absolute weighted error."""
    return float(np.abs(errors).mean())
