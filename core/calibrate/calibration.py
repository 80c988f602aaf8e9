"""The whole calibration: one fit of a machine's costs, then how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.calibrate import discrepancy
from core.calibrate.ensemble import (
    FRACTIONS,
    Errors,
    intervals,
    jacobian,
    left_out,
    likeliest,
    members,
    posterior,
    prior,
    unseen_errors,
)
from core.calibrate.fit import Each, Report, Stage, Step, fit, silent
from core.calibrate.parameters import Parameter, values_of, with_values
from core.calibrate.points import Cells, FloatArray, Points, Primitives, Together
from core.machine.machine import Calibration, Machine

MEMBERS = 16
CANDIDATES = 4 * MEMBERS
"""Drawn for them, of which those are kept that fit best."""

REPLICATES = 8
"""Simulations behind each error of a cell that intervals rest on."""


@dataclass(frozen=True)
class Task:
    """Which parameters of `machine` are fitted, on which figures."""

    machine: Machine
    parameters: tuple[Parameter, ...]
    primitives: Primitives
    cells: Cells
    steps: int = 10
    starts: int = 1


def calibrate(task: Task, each: Each = map, report: Report = silent) -> Machine:
    """The task's machine with values, intervals and members. Deterministic.

    Nothing depends on fitted values that the machine had before.
    """
    points = Together((task.primitives, task.cells))
    stage = Stage("fit", points, task.parameters, task.steps, task.starts)
    values = fit(stage, task.machine, each, report)
    fitted = with_values(task.machine, _named(task, values))
    return with_uncertainty(replace(task, machine=fitted), each, report)


def with_uncertainty(task: Task, each: Each = map, report: Report = silent) -> Machine:
    """The task's machine, fitted, with intervals, discrepancy and members; nothing else changes."""
    best = np.array(list(values_of(task.machine, task.parameters).values()), dtype=np.float64)
    cells = replace(task.cells, replicates=REPLICATES)
    total = 2 * len(best) + 1 + CANDIDATES + len(FRACTIONS) * len(cells.figures)
    each = _counted(each, total, report)

    def of(points: Points) -> Errors:
        def errors(rows: Sequence[FloatArray]) -> FloatArray:
            machines = (with_values(task.machine, _named(task, row)) for row in rows)
            return np.array(list(each(points.errors, machines))) * points.weights

        return errors

    asked = of(Together((task.primitives, cells)))
    found = asked([best])[0]
    slopes = jacobian(asked, best, task.parameters)
    before = prior(task.parameters)
    known = posterior(slopes, found, best, before)
    drawn = members(known.parameters, task.parameters, CANDIDATES)
    errors = of(Together((task.primitives, task.cells)))(list(drawn))
    kept = likeliest(errors, MEMBERS)
    ours = range(len(found) - len(cells.figures), len(found))
    without = [left_out(slopes, found, best, known, before, row, task.parameters) for row in ours]
    tried = asked([step for steps in without for step in steps]).reshape(len(ours), -1, len(found))
    unseen = unseen_errors(np.insert(tried, 0, found, axis=1), ours) / cells.weights
    spread = errors[kept, ours.start :].std(axis=0, ddof=1) / cells.weights
    low, high = intervals(known.parameters, best, task.parameters)
    return task.machine.with_calibration(
        Calibration(
            curves=tuple(task.primitives.curves),
            cells=tuple(cells.figures),
            discrepancy=discrepancy.estimate(unseen, spread, cells.shares(task.machine)),
            intervals={
                p.path: (p.rounded(a), p.rounded(b))
                for p, a, b in zip(task.parameters, low.tolist(), high.tolist(), strict=True)
            },
            members=tuple(_by_path(_named(task, row)) for row in drawn[kept]),
        )
    )


def _named(task: Task, row: FloatArray) -> dict[Parameter, float]:
    return dict(zip(task.parameters, row.tolist(), strict=True))


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


def _by_path(values: Mapping[Parameter, float]) -> dict[str, int | float]:
    return {parameter.path: parameter.rounded(value) for parameter, value in values.items()}
