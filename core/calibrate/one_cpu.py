"""What a hit costs on one CPU: cycles of named stretches of work, from figures of one CPU.

Without another CPU a hit's time is linear in the cycles of its stretches. The fit makes the largest
relative error least (Chebyshev's criterion), and among its solutions the mean one: figures of one
design differ by up to 4 % from month to month, and none should be missed by more than it has to be.
That is a linear programme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from core.calibrate.parameters import Parameter
from core.calibrate.points import FloatArray
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Machine
from core.machine.topology import clock_period_ps

WORK = "execution.work_cycles."

ONE_CPU = tuple(
    Parameter(WORK + name, low, high, (low + high) / 2)
    for name, low, high in (
        ("trap_entry", 200, 700),
        ("prepare_uretprobe", 20, 250),
        ("srcu_lite_counter", 5, 30),
        ("debug_trap_entry", 400, 3000),
        ("return_instance_free_rcu", 25, 600),
        ("return_instance_pool", 2, 40),
    )
)
"""Stretches that are fitted on one CPU. What only two of them together have is split by the others'
estimates."""

MEAN = 0.01
"""What the mean error counts beside the largest."""

ROUNDS = 3
"""How often the linear programme is solved."""


@dataclass(frozen=True)
class Figure:
    """A published hit of one CPU: `hits_per_s` of `bench` under a flavour and an RCU."""

    bench: str
    flavour: str
    rcu: str
    hits_per_s: float


def on_one_cpu(
    machine: Machine, figures: Sequence[Figure], parameters: Sequence[Parameter] = ONE_CPU
) -> Machine:
    """`machine` with the cycles of `parameters` that make the figures' relative errors least.

    What it had of them before does not count: it starts from the parameters' own, and goes on from
    what it finds, for a barrier hides a little of what follows it. Its calibration stays. Raises as
    `simulate`.
    """
    found = machine.with_numbers({p.path: p.rounded(p.start) for p in parameters})
    for _ in range(ROUNDS):
        found = _nearer(found, figures, parameters)
    return found.with_calibration(machine.calibration)


def _nearer(
    machine: Machine, figures: Sequence[Figure], parameters: Sequence[Parameter]
) -> Machine:
    """`machine` with the best cycles as far as its hits' times are linear in them."""
    ns = np.array([1e9 / figure.hits_per_s for figure in figures])
    had = np.array([machine.number(p.path) for p in parameters])
    period_ns = clock_period_ps(machine, 1) / 1000
    cells = [_cell(machine, figure) for figure in figures]
    counts = np.array([_counts(cell, parameters) for cell in cells])
    modelled = np.array([ns_of_a_hit(machine, figure) for figure in figures])
    slopes = counts * period_ns
    found = _least(slopes / ns[:, None], (ns - modelled + slopes @ had) / ns, parameters)
    values = {p.path: p.rounded(v) for p, v in zip(parameters, found.tolist(), strict=True)}
    return machine.with_numbers(values)


def _least(slopes: FloatArray, wanted: FloatArray, parameters: Sequence[Parameter]) -> FloatArray:
    """Values within bounds for which `slopes @ values` misses `wanted` by least, see the module."""
    figures, names = slopes.shape
    # Variables: the values, how much each figure is missed by, and the most of these.
    one, most = np.eye(figures), np.ones((figures, 1))
    above = np.hstack([slopes, -one, 0 * most])
    below = np.hstack([-slopes, -one, 0 * most])
    worst = np.hstack([0 * slopes, one, -most])
    found = linprog(
        [*np.zeros(names), *np.full(figures, MEAN / figures), 1],
        A_ub=np.vstack([above, below, worst]),
        b_ub=np.concatenate([wanted, -wanted, np.zeros(figures)]),
        bounds=[*((p.low, p.high) for p in parameters), *[(0, None)] * (figures + 1)],
    )
    values: FloatArray = found.x[:names]
    return values


def errors(machine: Machine, figures: Sequence[Figure]) -> FloatArray:
    """Modelled over published rate, less 1; shape (figures,)."""
    ns = np.array([ns_of_a_hit(machine, figure) for figure in figures])
    found: FloatArray = 1e9 / (ns * [figure.hits_per_s for figure in figures]) - 1
    return found


def ns_of_a_hit(machine: Machine, figure: Figure) -> float:
    """Modelled ns of the figure's hit on one CPU; its rate is not looked at."""
    return 1e9 / simulate(_cell(machine, figure)).hits_per_s


def _counts(cell: Cell, parameters: Sequence[Parameter]) -> list[int]:
    """How often a hit does the work of each parameter."""
    [path] = cell.paths
    done = Counter(op.work for call in path for op in call.operations)
    return [done[parameter.path.removeprefix(WORK)] for parameter in parameters]


def _cell(machine: Machine, figure: Figure) -> Cell:
    us = 10**6
    # No jitter: it has no effect on a mean, but for its noise.
    execution = machine.execution.model_copy(update={"jitter": 0.0})
    still = machine.model_copy(update={"execution": execution}).with_calibration(None)
    return Cell(
        bench=figure.bench,
        flavour=figure.flavour,
        cpus=1,
        probes=1,
        spread="shared",
        machine=still,
        seed=0,
        replicate=0,
        warmup_ps=20 * us,
        duration_ps=0,
        sample_ps=1000 * us,
        rcu=figure.rcu,
    )
