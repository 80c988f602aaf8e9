"""Precision instead of duration: which replicates are wanted, and which cells stay too unsure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.cell import Cell
from sweep.plan.interval import of_mean
from sweep.plan.plan import Grid, plan
from sweep.spec.spec import Spec


@dataclass(frozen=True)
class Unsure:
    """A cell whose mean over `replicates`, all it may have, is not known well enough.

    `cell` is the first of them; `half_width` is that of the 95 % interval, as a share of the mean.
    """

    cell: Cell
    replicates: int
    half_width: float


def half_width(values: Sequence[float]) -> float:
    """Half the 95 % interval (Student's) of the mean of `values`, as a share of it.

    0 if they are all alike, infinite for a single one, or a mean of 0 of values that differ.
    """
    mean, _, high = of_mean(values)
    if high is None:
        return math.inf
    return (high - mean) / mean if mean else (0.0 if high == mean else math.inf)


def replicates_wanted(values: Sequence[float], precision: float, most: int) -> int:
    """How many replicates a cell should have, of which `values` are the first; no more if enough.

    The half width falls with the root of their number. It is itself an estimate, so the number at
    most doubles at a time.
    """
    count = len(values)
    wide = half_width(values)
    if wide <= precision or count >= most:
        return count
    enough = 2 * count if math.isinf(wide) else math.ceil(count * (wide / precision) ** 2)
    return min(max(count + 1, min(enough, 2 * count)), most)


def cells_wanted(spec: Spec, rates: Mapping[str, float]) -> Sequence[Cell]:
    """The cells of `spec` as far as is known from the `rates` of those that are finished, by id.

    First those of the plan. What follows is the same whatever order cells finish in and however
    often a run is broken off: each step looks at the first replicates only, all of them. A cell
    that has a replicate to do, or one that failed, asks for no more.
    """
    if spec.repeats_for is None:
        return Grid(spec)
    cells = plan(spec)
    for first in _first_replicates(cells):
        reached, _ = _reached(first, spec, rates)
        cells += [replace(first, replicate=n) for n in range(spec.first_replicates, reached)]
    return cells


def unsure(spec: Spec, rates: Mapping[str, float]) -> Iterator[Unsure]:
    """The cells that have all replicates they may have, and not the precision."""
    if spec.repeats_for is None:
        return
    for first in _first_replicates(plan(spec)):
        count, values = _reached(first, spec, rates)
        if len(values) == count and (wide := half_width(values)) > spec.repeats_for:
            yield Unsure(first, count, wide)


def unsure_by_themselves(spec: Spec, half_widths: Mapping[str, float]) -> Iterator[Unsure]:
    """The cells of a spec with `duration: auto` that were broken off before their precision.

    `half_widths` is how well each finished cell's own mean is known, by id.
    """
    if spec.cell_precision is None:
        return
    for cell in plan(spec):
        if (wide := half_widths.get(cell.cell_id, 0.0)) > spec.cell_precision:
            yield Unsure(cell, 1, wide)


def _first_replicates(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.replicate == 0]


def _reached(first: Cell, spec: Spec, rates: Mapping[str, float]) -> tuple[int, list[float]]:
    """How many replicates the cell is to have by now, and what those that are finished gave."""
    assert spec.repeats_for is not None
    count = 0
    wanted = spec.first_replicates
    values: list[float] = []
    while wanted > count:
        count = wanted
        ids = (replace(first, replicate=n).cell_id for n in range(len(values), count))
        values += [rates[cell_id] for cell_id in ids if cell_id in rates]
        if len(values) == count:
            wanted = replicates_wanted(values, spec.repeats_for, spec.max_replicates)
    return count, values
