"""The whole calibration: primitives on one machine, then cells on another, then how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.calibrate import discrepancy
from core.calibrate.ensemble import Errors, beside, intervals, jacobian, members, posterior, prior
from core.calibrate.fit import Each, Report, Stage, Step, fit, silent
from core.calibrate.parameters import Parameter, values_of, with_values
from core.calibrate.points import CellPoints, FloatArray, Points, PrimitivePoints
from core.machine.machine import Calibration, Machine

MEMBERS = 16

REPLICATES = 16
"""Simulations behind each error of a cell that intervals rest on."""

Pair = tuple[Machine, Machine]
"""`bare` and `machine` of Stages, fitted."""


@dataclass(frozen=True)
class Stages:
    """Primitives are fitted on `bare`; then cells on `machine`, which has its other costs too."""

    bare: Machine
    machine: Machine
    primitives: Stage[PrimitivePoints]
    cells: Stage[CellPoints]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the primitives, then those of the cells; one may be in both."""
        return (*self.primitives.parameters, *self.cells.parameters)

    def values(self, row: FloatArray) -> tuple[dict[Parameter, float], dict[Parameter, float]]:
        """What each machine has of `row`, which has shape (parameters,).

        Where both stages fit a parameter, each machine has its own stage's.
        """
        pairs = list(zip(self.parameters, row.tolist(), strict=True))
        count = len(self.primitives.parameters)
        primitives, cells = dict(pairs[:count]), dict(pairs[count:])
        return {**cells, **primitives}, {**primitives, **cells}

    def fitted(self, row: FloatArray) -> Pair:
        """The machines with the values of `row`, and the other costs of `bare`."""
        of_bare, of_machine = self.values(row)
        costs = {"coherence": self.bare.coherence, "execution": self.bare.execution}
        return (
            with_values(self.bare, of_bare),
            with_values(self.machine.model_copy(update=costs), of_machine),
        )

    def row(self, fitted: Pair) -> FloatArray:
        """The row of values behind fitted machines."""
        bare, machine = fitted
        of_bare = values_of(bare, self.primitives.parameters)
        of_machine = values_of(machine, self.cells.parameters)
        return np.array([*of_bare.values(), *of_machine.values()], dtype=np.float64)


def calibrate(stages: Stages, each: Each = map, report: Report = silent) -> Pair:
    """Fit both stages: the machines with values, intervals and members. Deterministic.

    Nothing depends on fitted values that the machines had before: during the first stage, what only
    cells fix is in the middle of its bounds.
    """
    middle = prior(stages.parameters).mean
    count = len(stages.primitives.parameters)
    first = fit(stages.primitives, stages.fitted(middle)[0], each, report)
    held = stages.fitted(np.array([*first, *middle[count:]]))[1]
    second = fit(stages.cells, held, each, report)
    return with_uncertainty(stages, stages.fitted(np.array([*first, *second])), each, report)


def with_uncertainty(
    stages: Stages, fitted: Pair, each: Each = map, report: Report = silent
) -> Pair:
    """Fitted machines with intervals, discrepancy and members; nothing else changes.

    What the first stage leaves known is what is known before the second, which may then narrow the
    intervals of its parameters but moves no value.
    """
    best, every = stages.row(fitted), stages.parameters
    fitted = stages.fitted(best)
    ours = stages.primitives.parameters
    start = best[: len(ours)]
    cells = replace(stages.cells.points, replicates=REPLICATES)
    each = _counted(each, 2 * (len(ours) + len(every) + 1), report)

    def bare(values: FloatArray) -> Machine:
        return with_values(fitted[0], dict(zip(ours, values.tolist(), strict=True)))

    errors = _weighted(stages.primitives.points, bare, each)
    first = posterior(jacobian(errors, start, ours), errors([start])[0], start, prior(ours))

    errors = _weighted(cells, lambda values: stages.fitted(values)[1], each)
    before = beside(first.parameters, prior(stages.cells.parameters))
    found = errors([best])[0]
    second = posterior(jacobian(errors, best, every), found, best, before)

    model_error = discrepancy.estimate(
        found / cells.weights / (1 - second.leverage), second.leverage, cells.shares(fitted[1])
    )
    spans = [stages.values(ends) for ends in intervals(second.parameters, best, every)]
    drawn = [stages.values(row) for row in members(second.parameters, every, MEMBERS)]

    def dressed(index: int) -> Machine:
        lows, highs = (_by_path(ends[index]) for ends in spans)
        calibration = Calibration(
            curves=tuple(stages.primitives.points.ns),
            cells=tuple(cells.figures),
            discrepancy=model_error,
            intervals={path: (low, highs[path]) for path, low in lows.items()},
            members=tuple(_by_path(values[index]) for values in drawn),
        )
        return fitted[index].with_calibration(calibration)

    return dressed(0), dressed(1)


def _weighted(points: Points, machine: Callable[[FloatArray], Machine], each: Each) -> Errors:
    """Weighted errors at `points` of the machines that rows of values make."""

    def errors(rows: Sequence[FloatArray]) -> FloatArray:
        found = list(each(points.errors, map(machine, rows)))
        return np.array(found) * points.weights

    return errors


def _counted(each: Each, total: int, report: Report) -> Each:
    """`each`, reporting how many machines are done of `total`."""
    done = 0

    def counted(
        function: Callable[[Machine], FloatArray], machines: Iterable[Machine]
    ) -> Iterator[FloatArray]:
        nonlocal done
        for found in each(function, machines):
            done += 1
            report(Step("intervals", done, total))
            yield found

    return counted


def _by_path(values: Mapping[Parameter, float]) -> dict[str, float]:
    return {parameter.path: parameter.rounded(value) for parameter, value in values.items()}
