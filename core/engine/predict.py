"""A cell's prediction: what the machine gives, and how sure that is."""

from __future__ import annotations

import time
from dataclasses import replace
from math import exp, hypot, log
from statistics import NormalDist, stdev

from core.churn.simulate import simulate_churn
from core.engine.cell import Cell, CellResult
from core.engine.gang import Gang
from core.engine.simulate import simulate

CONFIDENCE = 0.9
"""How probable it is, as far as the model knows, that the truth lies in the interval."""

MEMBER_SAMPLES = 2
"""Samples that a member is simulated for, at most: members differ more than samples do."""

Interval = tuple[float, float]


def predict(cell: Cell, gang: Gang | None = None) -> CellResult:
    """Simulate `cell` on `gang`, then the members of its ensemble in this process.

    The ensemble changes nothing but the interval, which is None if the cell asks for none, its
    machine has fewer than two members, or one of them completes no hit. A cell with a workload has
    none either, and is simulated in this process. Raises as `simulate` and `simulate_churn` do.
    """
    if cell.workload is not None:
        return simulate_churn(cell)
    began = time.perf_counter()
    plain = simulate(replace(cell, ensemble=0), gang)
    low, high = _interval(cell, plain.hits_per_s) or (None, None)
    return replace(
        plain,
        cell_id=cell.cell_id,
        wall_seconds=time.perf_counter() - began,
        predicted_low=low,
        predicted_high=high,
    )


def log_interval(rate: float, rates: list[float], discrepancy: float) -> Interval:
    """The 90 % interval of a rate, `rates` being what the members give (two at least).

    In the log, what the truth is and what the best parameters predict differ by a normal deviate
    whose variance is that of the members plus `discrepancy` squared: the model's parameters are
    unknown, and the best ones do not make it true (Kennedy & O'Hagan, J. R. Statist. Soc. B 63,
    2001).
    """
    deviation = hypot(stdev(map(log, rates)), discrepancy)
    factor = exp(NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * deviation)
    return rate / factor, rate * factor


def contended_share(cell: Cell, rate: float) -> float:
    """Share of a hit's time in `cell` that it would not take on a single CPU, 0 to 1.

    `rate` is the cell's, hits per second of all CPUs, above 0.
    """
    if cell.cpus == 1:
        return 0.0
    alone = simulate(_briefly(replace(cell, cpus=1, processes=1))).hits_per_s
    return max(0.0, 1 - rate / (cell.cpus * alone)) if alone else 0.0


def discrepancy(cell: Cell, share: float) -> float:
    """Standard deviation of the model's own error in the log of a hit's time.

    A hit's time has two parts, uncontended and contended (`share` of it); each errs by its own
    factor, independently. Needs a machine with a calibration.
    """
    calibration = cell.machine.calibration
    assert calibration is not None
    error = calibration.discrepancy
    return hypot((1 - share) * error.uncontended, share * error.contended)


def _interval(cell: Cell, rate: float) -> Interval | None:
    members = cell.machine.members[: cell.ensemble]
    if len(members) < 2 or rate == 0:
        return None
    rates = [simulate(_briefly(replace(cell, machine=member))).hits_per_s for member in members]
    if not all(rates):
        return None
    return log_interval(rate, rates, discrepancy(cell, contended_share(cell, rate)))


def _briefly(cell: Cell) -> Cell:
    duration = min(cell.duration_ps, (MEMBER_SAMPLES - 1) * cell.sample_ps)
    return replace(cell, ensemble=0, duration_ps=duration)
