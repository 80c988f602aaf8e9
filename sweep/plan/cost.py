"""What a plan will cost, from what cells of past runs took."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from core.cell import PS_PER_SECOND, SAMPLES_OF_START, Cell
from sweep.errors import UsageError
from sweep.plan.cells import counted
from sweep.plan.weight import simulated_ps
from sweep.spec.axes import ORDER
from sweep.spec.parameters import parameters
from sweep.store.folder import Location
from sweep.store.scan import scan
from sweep.store.schema import SIMULATED

NAMES = (
    *(name for name in ORDER if name not in ("seed", "replicate", "cpus")),
    "ensemble",
    "path_digest",
    "machine_digest",
)
"""Columns of which another value makes a past cell one step less alike."""

DOUBLING = 4.0
"""Steps that twice the CPUs count: nothing else changes what a simulated second costs as much."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one core that cells take, on a host like that of the past runs.

    Of the `cells`, `measured` were simulated before but for seed, replicate and duration; the
    others are taken to cost what the past cells do that are most alike.
    """

    core_seconds: float
    cells: int
    measured: int

    def wall_seconds(self, cores: int | None = None) -> float:
        """The same over `cores`, by default those this process may use, if all have work."""
        return self.core_seconds / (cores or len(os.sched_getaffinity(0)))


def estimate(cells: Sequence[Cell], past: pl.DataFrame) -> Cost | None:
    """What `cells` will cost, from the rows of a past run or several; None without any.

    A simulated second of a cell costs what one did in the past cell that is most alike: the median,
    if several are. Warm-up counts as simulated time. What the driver itself takes is left out.
    """
    starts = pl.col("samples") / SAMPLES_OF_START
    warmups = pl.when(pl.col("precision").is_null()).then(1).otherwise(starts) * pl.col("warmup_s")
    simulated = warmups + pl.col("samples") * pl.col("sample_s")
    known = past.group_by(*NAMES, "cpus").agg((pl.col("wall_seconds") / simulated).median())
    if known.is_empty():
        return None
    columns = [known[name].to_numpy() for name in NAMES]
    log_cpus = np.log2(np.maximum(known["cpus"].to_numpy(), 1))
    costs = known["wall_seconds"].to_numpy()
    total, measured = 0.0, 0
    for (*names, cpus), seconds in _simulated_seconds(cells).items():
        steps = DOUBLING * np.abs(log_cpus - np.log2(max(cpus, 1)))
        for column, name in zip(columns, names, strict=True):
            steps = steps + (column != name)
        nearest = steps <= steps.min() + 1e-9
        total += seconds.sum * float(np.median(costs[nearest]))
        measured += seconds.cells if steps.min() == 0 else 0
    return Cost(total, len(cells), measured)


def past_cells(*locations: Location) -> pl.DataFrame:
    """The cells of the runs at `locations`; those are left out where there are none."""
    columns = [
        *NAMES,
        "cpus",
        "warmup_s",
        "samples",
        "sample_s",
        "precision",
        "wall_seconds",
        "cell_id",
    ]
    found = []
    for location in locations:
        try:
            simulated = scan(location).filter(pl.col("source") == SIMULATED)
            found.append(simulated.select(columns))
        except UsageError:
            continue
    if not found:
        return pl.DataFrame(schema=columns)
    return pl.concat(found).unique("cell_id").collect()


@dataclass
class _Seconds:
    sum: float = 0.0
    cells: int = 0


def _simulated_seconds(cells: Sequence[Cell]) -> Mapping[tuple[Any, ...], _Seconds]:
    """Simulated seconds of all cells that agree in NAMES and the number of CPUs."""
    found: dict[tuple[Any, ...], _Seconds] = {}
    for cell, count in counted(cells):
        named = parameters(cell)
        named["machine_digest"] = cell.machine.digest
        names = (named[name] for name in NAMES)
        seconds = found.setdefault((*names, cell.cpus), _Seconds())
        seconds.sum += count * simulated_ps(cell) / PS_PER_SECOND
        seconds.cells += count
    return found
