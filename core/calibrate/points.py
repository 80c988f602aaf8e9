"""The data points of a calibration: published figures, and the model's errors at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.calibrate.primitives import ns_per_operation
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Machine
from core.predict import contended_share

FloatArray = NDArray[np.float64]
CellName = tuple[str, str, int]
"""Flavour, bench, CPUs."""

WARMUP_PS = 100 * 10**6
SAMPLE_PS = 300 * 10**6


class Points(Protocol):
    """Figures that parameters are fitted on. Picklable, so that other processes can ask."""

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,)."""

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published time or rate, shape (points,)."""


@dataclass(frozen=True)
class PrimitivePoints:
    """Published ns per operation and thread, by primitive and CPUs, and that of an idle line.

    `idle_ns` is the way of a line that nobody waits for between two cores of a socket; it weighs as
    three points.
    """

    ns: Mapping[tuple[str, int], float]
    idle_ns: float

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,); the idle line is the last."""
        return np.array([*np.ones(len(self.ns)), 3.0])

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published time, shape (points,)."""
        idle = machine.coherence.request_ns + machine.coherence.transfer_ns
        modelled = [ns_per_operation(machine, name, cpus) for name, cpus in self.ns]
        published = np.array([*self.ns.values(), self.idle_ns])
        errors: FloatArray = np.log(np.array([*modelled, idle]) / published)
        return errors


@dataclass(frozen=True)
class CellPoints:
    """Published hits per second by cell; uncontended cells weigh three times as much.

    `replicates` simulations with other random numbers make a figure: some cells differ by 3 to 4 %
    from one to another, however long they are.
    """

    figures: Mapping[CellName, float]
    replicates: int = 1

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,)."""
        return np.array([3.0 if cpus == 1 else 1.0 for _, _, cpus in self.figures])

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published rate, the mean over the replicates; shape (points,)."""
        logs = [np.log(self._rates(machine, index)) for index in range(self.replicates)]
        errors: FloatArray = np.mean(logs, axis=0) - np.log(list(self.figures.values()))
        return errors

    def shares(self, machine: Machine) -> FloatArray:
        """Contended share of a hit's time in each cell, see `core.predict`."""
        rates = self._rates(machine, 0)
        cells = self._cells(machine, 0)
        return np.array([contended_share(c, r) for c, r in zip(cells, rates, strict=True)])

    def _rates(self, machine: Machine, replicate: int) -> Sequence[float]:
        return [simulate(cell).hits_per_s for cell in self._cells(machine, replicate)]

    def _cells(self, machine: Machine, replicate: int) -> Sequence[Cell]:
        return [
            Cell(
                bench=bench,
                flavour=flavour,
                cpus=cpus,
                probes=1,
                spread="shared",
                machine=machine,
                seed=0,
                replicate=replicate,
                warmup_ps=WARMUP_PS,
                duration_ps=0,
                sample_ps=SAMPLE_PS,
            )
            for flavour, bench, cpus in self.figures
        ]
