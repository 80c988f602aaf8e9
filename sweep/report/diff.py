"""What changed between two runs, cell by cell: by how much, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import exp, log, sqrt
from statistics import fmean, stdev
from typing import Any

import polars as pl

from core.predict import CONFIDENCE
from sweep.errors import UsageError
from sweep.spec.axes import AXES
from sweep.store.disturbed import without_disturbed
from sweep.store.schema import SIMULATED
from sweep.store.settings import MHITS, keys, said

SIGNIFICANT = 0.05
"""The most that the false discovery rate of the cells called changed may be."""

ENOUGH = 4
"""Repeats of each side from which ranks can tell them apart at all."""

FREE = ("flavour", "machine")
"""Axes that a cell and its other need not have in common, where each run has one value."""

PAIRED, RANKS, SAMPLES, SAME, NONE = ("paired t", "rank test", "Welch on samples", "identical", "")


@dataclass(frozen=True)
class Test:
    """Two-sided: `p` None where nothing can be tested; `low` and `high` are the change's 90 %
    interval; `effect` is the change over the standard deviation (Cohen's d)."""

    name: str
    p: float | None = None
    low: float | None = None
    high: float | None = None
    effect: float | None = None


@dataclass(frozen=True)
class Changed:
    """A cell of both runs: million hits per second, and after / before - 1.

    `adjusted` is p for all cells at once (Benjamini and Hochberg, 1995).
    """

    cell: Mapping[str, Any]
    before: float
    after: float
    change: float | None
    test: Test
    adjusted: float | None = None

    def is_beyond(self, threshold: float) -> bool:
        """Whether the change is larger than that, and not by chance as far as can be tested."""
        if self.change is None:
            return self.before != self.after
        chance = self.adjusted is not None and self.adjusted > SIGNIFICANT
        return abs(self.change) > threshold and not chance


@dataclass(frozen=True)
class Difference:
    """Cells of both, those of one only, and in what all of one run differ from all of the other."""

    cells: tuple[Changed, ...]
    only_before: tuple[Mapping[str, Any], ...]
    only_after: tuple[Mapping[str, Any], ...]
    runs: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def beyond(self, threshold: float, slower: bool = False) -> list[Changed]:
        """The cells that changed by more; if `slower`, those that became slower."""
        found = [cell for cell in self.cells if cell.is_beyond(threshold)]
        return [cell for cell in found if not slower or cell.after < cell.before]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "runs": {name: list(pair) for name, pair in self.runs.items()},
            "cells": [asdict(cell) for cell in self.cells],
            "only_before": [dict(cell) for cell in self.only_before],
            "only_after": [dict(cell) for cell in self.only_after],
        }


def difference(before: pl.DataFrame, after: pl.DataFrame) -> Difference:
    """The cells of two runs held against each other; repeats of a cell are put together.

    A cell's other has the same value of every axis, but for a design or a machine of which each run
    has one. Raises UsageError for runs without a cell in common, and for several measurements of
    one cell that differ in more than their random numbers.
    """
    free = [n for n in FREE if before[n].n_unique() == 1 == after[n].n_unique()]
    axes = [name for name in AXES if name != "seed" and name not in free]
    sides = [_by_cell(side, axes, which) for side, which in ((before, "first"), (after, "second"))]
    common = [cell for cell in sides[0] if cell in sides[1]]
    if not common:
        raise UsageError(
            f"nothing to hold against each other: no cell has the same {', '.join(axes)} in both; "
            "`uprobe-sweep compare` takes any runs"
        )
    named = {cell: dict(zip(axes, cell, strict=True)) for side in sides for cell in side}
    cells = [_changed(named[cell], sides[0][cell], sides[1][cell]) for cell in common]
    only = [tuple(named[cell] for cell in sides[at] if cell not in sides[1 - at]) for at in (0, 1)]
    return Difference(tuple(_adjusted(cells)), only[0], only[1], _runs(before, after, axes))


def _by_cell(
    rows: pl.DataFrame, axes: Sequence[str], which: str
) -> dict[tuple[Any, ...], pl.DataFrame]:
    found = {}
    for part in rows.sort(axes).partition_by(axes, maintain_order=True):
        part = without_disturbed(part, axes)
        cell = tuple(part[name][0] for name in axes)
        if differing := [n for n in keys(part.columns) if part[n].n_unique() > 1]:
            values = ", ".join(f"{n}={v}" for n in differing[:1] for v in part[n].unique().sort())
            where = said(dict(zip(axes, cell, strict=True)), ("bench", "flavour", "cpus"), ", ")
            raise UsageError(
                f"the {which} run has {where} with several {differing[0]}: choose by --only "
                f"{values}"
            )
        found[cell] = part
    return found


def _runs(
    before: pl.DataFrame, after: pl.DataFrame, axes: Sequence[str]
) -> dict[str, tuple[Any, Any]]:
    """Keys, axes that cells are found by aside, with values that the other run has none of."""
    found = {}
    for name in keys(before.columns):
        if name in axes or name not in after.columns:
            continue
        one, other = (sorted(map(str, side[name].unique())) for side in (before, after))
        if one != other:
            found[name] = (", ".join(one), ", ".join(other))
    return found


def _changed(cell: Mapping[str, Any], before: pl.DataFrame, after: pl.DataFrame) -> Changed:
    old, new = (fmean(side["hits_per_s"]) / MHITS for side in (before, after))
    return Changed(cell, old, new, new / old - 1 if old else None, _test(before, after))


def _test(before: pl.DataFrame, after: pl.DataFrame) -> Test:
    """The test that the repeats allow: in pairs, of ranks, or of samples by mean and deviation."""
    sides = before, after
    if any((side["hits_per_s"] <= 0).any() for side in sides):
        return Test(NONE)
    drawn = ["seed", "replicate"]
    simulated = all((side["source"] == SIMULATED).all() for side in sides)
    both = before.join(after, on=drawn, suffix="_after") if simulated else before.clear()
    if len(both) and (both["hits_per_s"] == both["hits_per_s_after"]).all():
        return Test(SAME, 1.0, 0.0, 0.0, 0.0)
    if len(both) > 1:
        return _paired((both["hits_per_s_after"] / both["hits_per_s"]).log().to_list())
    if min(map(len, sides)) >= ENOUGH:
        return _ranks(*([log(rate) for rate in side["hits_per_s"]] for side in sides))
    return _samples(*sides)


def _paired(logs: list[float]) -> Test:
    from scipy.stats import ttest_1samp

    mean, deviation = fmean(logs), stdev(logs)
    if deviation == 0:
        return Test(PAIRED, 0.0, exp(mean) - 1, exp(mean) - 1)
    found = ttest_1samp(logs, 0.0)
    interval = found.confidence_interval(CONFIDENCE)
    ends = exp(interval.low) - 1, exp(interval.high) - 1
    return Test(PAIRED, float(found.pvalue), *ends, mean / deviation)


def _ranks(before: list[float], after: list[float]) -> Test:
    """Mann and Whitney's test; the interval is that of Hodges and Lehmann's shift, bootstrapped."""
    import numpy as np
    from scipy.stats import bootstrap, mannwhitneyu

    def shift(one: Any, other: Any, axis: int = -1) -> Any:
        return np.median(other, axis=axis) - np.median(one, axis=axis)

    p = float(mannwhitneyu(before, after).pvalue)
    spread = sqrt((np.var(before, ddof=1) + np.var(after, ddof=1)) / 2)
    if spread == 0:
        return Test(RANKS, p)
    interval = bootstrap(
        (before, after),
        shift,
        confidence_level=CONFIDENCE,
        n_resamples=1999,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    effect = float((np.mean(after) - np.mean(before)) / spread)
    return Test(RANKS, p, exp(interval.low) - 1, exp(interval.high) - 1, effect)


def _samples(before: pl.DataFrame, after: pl.DataFrame) -> Test:
    """Welch's test from the means and deviations of the samples inside the repeats."""
    from scipy.stats import t, ttest_ind_from_stats

    sums = []
    for side in (before, after):
        count = int(side["samples"].sum())
        deviation = sqrt(fmean(side["hits_per_s_stddev"] ** 2))
        sums.append((fmean(side["hits_per_s"]), deviation, count))
    (m1, s1, n1), (m2, s2, n2) = sums
    if min(n1, n2) < 2 or s1 == s2 == 0:
        return Test(NONE)
    p = float(ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=False).pvalue)
    v1, v2 = s1**2 / n1, s2**2 / n2
    freedom = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    half = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * sqrt(v1 + v2)
    change = m2 - m1
    effect = change / sqrt((s1**2 + s2**2) / 2)
    return Test(SAMPLES, p, (change - half) / m1, (change + half) / m1, effect)


def _adjusted(cells: Sequence[Changed]) -> list[Changed]:
    from scipy.stats import false_discovery_control

    tested = [at for at, cell in enumerate(cells) if cell.test.p is not None]
    made = list(cells)
    if tested:
        found = false_discovery_control([cells[at].test.p for at in tested])
        for at, p in zip(tested, found, strict=True):
            made[at] = replace(cells[at], adjusted=float(p))
    return made
