"""A cell from independent starts, as many as it takes to know their mean well enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from statistics import fmean, stdev

import numpy as np

from core.cell import SAMPLES_OF_START, Cell, CellResult
from core.engine.cpu_hosts import CpuHosts
from core.engine.simulate import simulate
from core.outcome import Share
from core.two_states import two_states

STUDENT = (
    *(12.70621, 4.30266, 3.18245, 2.77645, 2.57059, 2.44692),
    *(2.36463, 2.30601, 2.26216, 2.22814, 2.20099),
)
"""97.5 % quantiles of Student's distribution, from one degree of freedom on: scipy, which has
them too, takes as long to load as a quarter of a small run."""

FEWEST = 5
"""Starts of a cell, if it may have so many: of cells with several states, a few often agree."""

APART = 2**32
"""From the replicate that a start has the random numbers of to the next one's: no spec has it."""


def replicated(cell: Cell, hosts: CpuHosts | None = None) -> CellResult:
    """A cell with a precision, from as many starts as that takes, or it may have.

    The method of independent replications (Law, Simulation Modeling and Analysis, 5th ed., 9.5):
    each start has phases and a warm-up of its own. So the interval of the mean holds what samples
    of one start do not show: the states that it is not in. The first start is the cell's own, and
    on `hosts`.
    """
    assert cell.precision is not None
    most = max(1, cell.samples // SAMPLES_OF_START)
    runs: list[CellResult] = []
    rates: list[float] = []
    half = 1.0
    while len(runs) < most and (len(runs) < FEWEST or half > cell.precision):
        # Hosts elsewhere are slow to ask; further starts are simulated here, as members are.
        runs.append(simulate(start(cell, len(runs)), None if runs else hosts))
        rates.append(runs[-1].hits_per_s)
        half = half_width(rates)
    mixed = mixture(runs)
    return replace(
        mixed,
        cell_id=cell.cell_id,
        half_width=max(half, min(1.0, 1 / max(mixed.hits, 1))),
        own_stddev=sqrt(fmean(run.hits_per_s_stddev**2 for run in runs)),
        states=two_states(rates),
    )


def start(cell: Cell, number: int) -> Cell:
    """The cell from one start, without a precision."""
    samples = min(cell.samples, SAMPLES_OF_START)
    return replace(
        cell,
        ensemble=0,
        precision=None,
        replicate=cell.replicate + number * APART,
        duration_ps=(samples - 1) * cell.sample_ps,
    )


def half_width(rates: Sequence[float]) -> float:
    """Half the 95 % interval (Student's) of the mean of starts' `rates`, as a share of it.

    1, nothing is known, of a single one or without a hit; of more than twelve a little too wide.
    """
    count = len(rates)
    if count < 2 or not any(rates):
        return 1.0
    quantile = STUDENT[min(count - 1, len(STUDENT)) - 1]
    return min(1.0, quantile * stdev(rates) / sqrt(count) / fmean(rates))


def mixture(runs: Sequence[CellResult]) -> CellResult:
    """The samples, and the time, of runs of one cell as those of one."""
    spent: Counter[Share] = Counter()
    for run in runs:
        for share in run.attribution:
            spent[share._replace(ps=0)] += share.ps
    return replace(
        runs[0],
        hits_per_sample=np.concatenate([run.hits_per_sample for run in runs]),
        line_ops=sum(run.line_ops for run in runs),
        attribution=tuple(share._replace(ps=ps) for share, ps in spent.items()),
    )
