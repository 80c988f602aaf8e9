"""A run's cells side by side by one axis: `compare RUN --by flavour`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import exp, log
from statistics import fmean
from typing import Any

import polars as pl

from core.cell import Cell
from core.kernel.flavours import FLAVOURS
from core.kernel.releases import RELEASES
from core.outcome import Share
from core.predict import CONFIDENCE
from sweep.driver.driver import Progress
from sweep.errors import UsageError, nearest
from sweep.executors.base import Executor
from sweep.report.side_by_side import (
    REPLICATES,
    UNPAIRED,
    Line,
    Ratio,
    Side,
    SideBySide,
    limit,
    over_repeats,
    paired,
)
from sweep.report.tables import in_order
from sweep.store.disturbed import without_disturbed
from sweep.store.schema import SHARE_KEY, SIMULATED
from sweep.store.settings import in_setting, keys, of_machine, settings

FEWEST = 2
"""Repeats that say something of how sure a ratio is."""


def by_axis(
    frame: pl.DataFrame,
    by: str,
    shares: pl.DataFrame,
    cells: Mapping[str, Cell],
    executor: Executor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> SideBySide:
    """The rows of a run in a column for each value of `by`, ratios to the first.

    Lines are what rows have in common but for `by`: nothing is averaged but repeats. `shares` are
    rows of `sweep.scan_attribution`; `cells` by id are those of the run that can be simulated again
    on the members of their machine's ensemble, for intervals. Others have theirs from repeats, in
    pairs where seeds and replicates agree. Raises UsageError for what is no key, and for less than
    two values.
    """
    known = keys(frame.columns)
    if by not in known:
        raise UsageError(f"--by {by}: rows have no such key: {nearest(by, known)}")
    values = frame[by].unique().to_list()
    if len(values) < 2:
        only = values[0] if values else "nothing"
        raise UsageError(f"--by {by}: all rows have {by}={only}: nothing to hold against it")
    columns = _ordered(by, values)
    lines: list[tuple[dict[str, Any], list[pl.DataFrame]]] = []
    for setting in settings(frame, (by, *of_machine(frame, by))):
        own = (setting.rows.filter(*in_setting({by: value})) for value in columns)
        rows = [without_disturbed(one, (by,)) for one in own]
        lines.append((setting.values, rows))
    times = _shares(shares)
    again = [_again(rows, cells) for _, rows in lines]
    whole = [at for at, made in enumerate(again) if made is not None]
    found: dict[int, tuple[Side, ...]] = {}
    if whole:
        made = [[again[at][n] for at in whole] for n in range(len(columns))]  # type: ignore[index]
        found = dict(zip(whole, paired(made, FEWEST, executor, on_progress), strict=True))
    done = []
    for at, (axes, rows) in enumerate(lines):
        sides = [_side(one, times) for one in rows]
        first = rows[0]
        for n, side in enumerate(sides[1:], start=1):
            if side is None or sides[0] is None or not sides[0].hits_per_s:
                continue
            ratio = found[at][n].ratio if at in found else None
            if ratio is None:
                ratio = _of_repeats(first, rows[n], side.hits_per_s / sides[0].hits_per_s)
            sides[n] = replace(side, ratio=ratio)
        done.append(Line(axes, tuple(sides)))
    return SideBySide(by, tuple(columns), tuple(done))


def _ordered(by: str, values: Sequence[Any]) -> list[Any]:
    if by == "flavour":
        return in_order([*FLAVOURS, *RELEASES], values)
    return sorted(values, key=lambda value: (value is None, value))


def _again(rows: Sequence[pl.DataFrame], cells: Mapping[str, Cell]) -> list[Cell] | None:
    """The first repeat of each column as a cell with an ensemble; None if one cannot be made."""
    made = []
    for one in rows:
        if one.is_empty() or (one["source"] != SIMULATED).any():
            return None
        cell = cells.get(one.sort("seed", "replicate")["cell_id"][0])
        if cell is None or cell.workload is not None:
            return None
        if len(cell.machine.members[: cell.ensemble]) < FEWEST:
            return None
        made.append(cell)
    return made


def _side(rows: pl.DataFrame, times: Mapping[str, list[Share]]) -> Side | None:
    if rows.is_empty():
        return None
    shares = [share for name in rows["cell_id"] for share in times.get(name, [])]
    return Side(fmean(rows["hits_per_s"]), *limit(shares))


def _shares(shares: pl.DataFrame) -> dict[str, list[Share]]:
    found: dict[str, list[Share]] = {}
    for name, *share in shares.select(*SHARE_KEY, "ps").iter_rows():
        found.setdefault(name, []).append(Share(*share))
    return found


def _of_repeats(first: pl.DataFrame, rows: pl.DataFrame, ratio: float) -> Ratio:
    """The ratio with an interval over repeats: of pairs if there are, of both apart otherwise."""
    drawn = ["seed", "replicate"]
    both = first.join(rows, on=drawn, suffix="_after") if _drawn(first) and _drawn(rows) else None
    if both is not None and len(both) >= FEWEST and (both["hits_per_s"] > 0).all():
        logs = (both["hits_per_s_after"] / both["hits_per_s"]).log().to_list()
        return over_repeats(ratio, logs, REPLICATES)
    if min(len(first), len(rows)) < FEWEST or not ratio:
        return Ratio(ratio)
    from scipy.stats import ttest_ind

    logs = [[log(rate) for rate in one["hits_per_s"]] for one in (rows, first)]
    interval = ttest_ind(*logs, equal_var=False).confidence_interval(CONFIDENCE)
    return Ratio(ratio, exp(interval.low), exp(interval.high), UNPAIRED)


def _drawn(rows: pl.DataFrame) -> bool:
    """Whether the rows are of random numbers that a seed names."""
    return bool((rows["source"] == SIMULATED).all())
