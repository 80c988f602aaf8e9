"""The data points of a calibration: published figures, and the model's errors at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.calibrate.hand_offs import hand_off_ns
from core.calibrate.primitives import ns_per_operation
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Machine
from core.predict import contended_share

FloatArray = NDArray[np.float64]
CellName = tuple[str, str, int]
"""Flavour, bench, CPUs."""

WARMUP_PS = 60 * 10**6
SAMPLE_PS = 240 * 10**6

WEIGHT = 3.0
"""Of what no other CPU disturbs: it is known far better than what happens under load."""

ONE_LINE = 1.5
"""Of contention for a single line, where few mechanisms meet: between that and 1 for whole hits."""

WIDE = 0.5
"""Of what its source gives as a range of a quarter, where the others are known to a tenth."""


class Points(Protocol):
    """Figures that parameters are fitted on. Picklable, so that other processes can ask."""

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,)."""

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published time or rate, shape (points,)."""


@dataclass(frozen=True)
class Primitives:
    """Published figures of single primitives, by name and number of CPUs, or name and distance.

    `curves` has ns per operation and thread, `hand_offs` ns for a line that is idle. `measured_on`
    is the machine that they were seen on: its topology and clocks, with the costs that are asked
    about; None: the machine asked about itself. Hand-offs that are `disputed` weigh WIDE.
    """

    curves: Mapping[tuple[str, int], float]
    hand_offs: Mapping[tuple[str, str], float]
    measured_on: Machine | None = None
    disputed: frozenset[tuple[str, str]] = frozenset()

    @property
    def weights(self) -> FloatArray:
        """What each error counts: the curves' points, then the hand-offs."""
        curves = [WEIGHT if cpus == 1 else ONE_LINE for _, cpus in self.curves]
        idle = [WIDE if name in self.disputed else WEIGHT for name in self.hand_offs]
        return np.array([*curves, *idle])

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published time, shape (points,)."""
        if self.measured_on is not None:
            machine = with_costs_of(self.measured_on, machine)
        modelled = [ns_per_operation(machine, name, cpus) for name, cpus in self.curves]
        modelled += [hand_off_ns(machine, name, distance) for name, distance in self.hand_offs]
        published = np.array([*self.curves.values(), *self.hand_offs.values()])
        errors: FloatArray = np.log(np.array(modelled) / published)
        return errors


@dataclass(frozen=True)
class Cells:
    """Published hits per second by cell. Those on one CPU weigh WEIGHT, `one_line` ONE_LINE.

    `replicates` simulations with other start phases and random numbers make a figure, the mean of
    their logarithms: what the design falls into may depend on how its CPUs start.
    """

    figures: Mapping[CellName, float]
    replicates: int = 2
    one_line: frozenset[CellName] = frozenset()

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,)."""
        contended = [ONE_LINE if cell in self.one_line else 1.0 for cell in self.figures]
        alone = np.array([cpus == 1 for _, _, cpus in self.figures])
        return np.where(alone, WEIGHT, contended)

    def errors(self, machine: Machine) -> FloatArray:
        """Log of modelled over published rate, shape (points,)."""
        errors: FloatArray = self._logs(machine) - np.log(list(self.figures.values()))
        return errors

    def shares(self, machine: Machine) -> FloatArray:
        """Contended share of a hit's time in each cell, see `core.predict`."""
        rates = np.exp(self._logs(machine)).tolist()
        cells = self._cells(machine, 0)
        return np.array([contended_share(c, r) for c, r in zip(cells, rates, strict=True)])

    def _logs(self, machine: Machine) -> FloatArray:
        """Mean log of the simulated rates by cell; one CPU alone is the same again."""
        cells = [self._cells(machine, replicate) for replicate in range(self.replicates)]
        logs: list[float] = []
        for replicas in zip(*cells, strict=True):
            count = 1 if replicas[0].cpus == 1 else self.replicates
            rates = [simulate(cell).hits_per_s for cell in replicas[:count]]
            logs.append(float(np.log(rates).mean()))
        return np.array(logs)

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


@dataclass(frozen=True)
class Together:
    """Points of several kinds, one after the other."""

    parts: tuple[Points, ...]

    @property
    def weights(self) -> FloatArray:
        """What each error counts, shape (points,)."""
        return np.concatenate([part.weights for part in self.parts])

    def errors(self, machine: Machine) -> FloatArray:
        """The errors of all parts, shape (points,)."""
        return np.concatenate([part.errors(machine) for part in self.parts])


def with_costs_of(machine: Machine, lender: Machine) -> Machine:
    """`machine`, its topology and clocks, with what things cost on `lender`."""
    costs = {"coherence": lender.coherence, "execution": lender.execution}
    return machine.with_calibration(None).model_copy(update=costs)
