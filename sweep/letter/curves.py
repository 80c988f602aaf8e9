"""Published curves of kernel primitives, and the same simulated."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.calibrate.primitives import ns_per_operation
from core.machine.machine import load_machine, machine_names
from sweep.letter.published import primitive_curves


@dataclass(frozen=True)
class PublishedCurve:
    """The part of a published curve that a shipped machine file is held against.

    `primitive` and `published_on` name it in results/published/primitive_curves.csv; used are its
    CPU counts from `from_cpus` to `to_cpus`, or to its end.
    """

    name: str
    primitive: str
    published_on: str
    machine: str
    from_cpus: int = 1
    to_cpus: int | None = None


@dataclass(frozen=True)
class CurvePoint:
    """Nanoseconds per operation and thread; error is simulated / published - 1."""

    cpus: int
    published: float
    simulated: float
    error: float


@dataclass(frozen=True)
class CurveErrors:
    """A curve point by point. Without a machine file of its name there are no points.

    `left_out` are CPU counts that were asked for and are more than the machine has.
    """

    curve: PublishedCurve
    points: tuple[CurvePoint, ...]
    left_out: tuple[int, ...] = ()

    @property
    def mean_error(self) -> float | None:
        """Mean absolute error, as a fraction; None without points."""
        return float(np.mean([abs(p.error) for p in self.points])) if self.points else None


def simulate_curves(curves: Sequence[PublishedCurve], threads: int = 2) -> tuple[CurveErrors, ...]:
    """Simulate every used CPU count of the curves whose machine ships with the project.

    Raises KeyError for a curve that is not published.
    """
    with ThreadPoolExecutor(threads) as pool:
        return tuple(_errors(curve, pool) for curve in curves)


def _errors(curve: PublishedCurve, pool: ThreadPoolExecutor) -> CurveErrors:
    if curve.machine not in machine_names():
        return CurveErrors(curve, ())
    machine = load_machine(curve.machine)
    asked = {
        cpus: ns
        for cpus, ns in primitive_curves(curve.primitive, curve.published_on).items()
        if cpus >= curve.from_cpus and (curve.to_cpus is None or cpus <= curve.to_cpus)
    }
    figures = {cpus: ns for cpus, ns in asked.items() if cpus <= machine.cpus}
    simulated = pool.map(lambda cpus: ns_per_operation(machine, curve.primitive, cpus), figures)
    points = (
        CurvePoint(cpus, ns, ours, ours / ns - 1)
        for (cpus, ns), ours in zip(figures.items(), simulated, strict=True)
    )
    return CurveErrors(curve, tuple(points), tuple(cpus for cpus in asked if cpus > machine.cpus))
