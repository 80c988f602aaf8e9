"""The two stages of a calibration: primitives first, then a few cells. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from core.calibrate.parameters import FROM_CELLS, FROM_PRIMITIVES, Parameter, with_values
from core.calibrate.primitives import ns_per_operation
from core.engine.cell import Cell
from core.engine.simulate import simulate
from core.hardware.machine import Machine

Curve = Mapping[int, float]
"""CPUs to ns per operation and thread."""

Figures = Mapping[tuple[str, str, int], float]
"""(flavour, bench, CPUs) to hits per second."""

WARMUP_PS = 100 * 10**6
SAMPLE_PS = 300 * 10**6
POPULATION = 4
"""Members of the population per parameter."""


def fit_primitives(
    machine: Machine, curves: Mapping[str, Curve], idle_ns: float, generations: int = 20
) -> Machine:
    """`machine` with what single primitives fix.

    `idle_ns` is the published latency of an idle line in the same socket; it weighs as 3 points.
    """

    def errors(model: Machine) -> NDArray[np.float64]:
        idle = model.coherence.request_ns + model.coherence.transfer_ns
        points = [
            np.log(ns_per_operation(model, name, cpus) / ns)
            for name, curve in curves.items()
            for cpus, ns in curve.items()
        ]
        return np.array([*points, 3 * np.log(idle / idle_ns)])

    return _fit(machine, FROM_PRIMITIVES, errors, generations)


def fit_cells(machine: Machine, figures: Figures, generations: int = 40) -> Machine:
    """`machine` with what whole hits fix; uncontended cells weigh three times as much."""

    def errors(model: Machine) -> NDArray[np.float64]:
        return np.array(
            [
                np.log(simulate(_cell(model, *key)).hits_per_s / published)
                * (3 if key[2] == 1 else 1)
                for key, published in figures.items()
            ]
        )

    return _fit(machine, FROM_CELLS, errors, generations)


def with_costs(machine: Machine, other: Machine) -> Machine:
    """`machine` with the costs of `other`."""
    return machine.model_copy(update={"coherence": other.coherence, "execution": other.execution})


def _cell(machine: Machine, flavour: str, bench: str, cpus: int) -> Cell:
    return Cell(
        bench=bench,
        flavour=flavour,
        cpus=cpus,
        probes=1,
        spread="shared",
        machine=machine,
        seed=0,
        replicate=0,
        warmup_ps=WARMUP_PS,
        duration_ps=0,
        sample_ps=SAMPLE_PS,
    )


def _fit(
    machine: Machine,
    parameters: Sequence[Parameter],
    errors: Callable[[Machine], NDArray[np.float64]],
    generations: int,
) -> Machine:
    """Minimize mean absolute plus half the root mean square of the logarithmic errors."""

    def model(values: NDArray[np.float64]) -> Machine:
        return with_values(machine, dict(zip(parameters, values.tolist(), strict=True)))

    def loss(values: NDArray[np.float64]) -> float:
        e = errors(model(values))
        return float(np.abs(e).mean() + 0.5 * np.sqrt(np.square(e).mean()))

    with ThreadPoolExecutor() as pool:
        best = differential_evolution(
            loss,
            [(p.low, p.high) for p in parameters],
            maxiter=generations,
            popsize=POPULATION,
            rng=0,
            polish=False,
            updating="deferred",
            workers=cast(Callable[..., object], pool.map),
        )
    return model(best.x)
