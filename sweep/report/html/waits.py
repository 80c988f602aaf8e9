"""How long writers wait to attach and detach: rows of the report's charts of latency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from sweep.report.compare import designs_of
from sweep.report.html.curves import Row
from sweep.report.picture_kinds import CENTRAL
from sweep.store.settings import CELL_KEY, said, settings, telling
from sweep.store.stress_columns import TIMED

TITLES = {
    "attach": "attaching a link",
    "detach": "detaching a link",
    "grace": "waiting for a grace period",
}
WHOLE = "detaching all probes"
TOTAL = "in all"
"""From the begin of the first detach to the end of the last, of cells that detach a batch."""


@dataclass(frozen=True)
class Wait:
    """The waits of one kind in one setting."""

    title: str
    rows: list[Row]


def waits(runs: Mapping[str, pl.DataFrame]) -> list[Wait]:
    """Waits by what is timed, bench and setting; none of runs without writers.

    Of repeats p50 and p99 are the mean of their own, which is no quantile of all waits; of maxima
    and of times in all the largest is taken; milliseconds.
    """
    made: dict[str, list[Row]] = {}
    for name, frame in runs.items():
        found, designs = settings(frame, CELL_KEY), designs_of(frame["flavour"])
        differing = telling([setting.values for setting in found])
        for values, rows in found:
            shown = said(values, differing, ", ")
            for what, row in _rows(name, rows, designs):
                heading = ", ".join(filter(None, (what, row["bench"], shown)))
                made.setdefault(heading, []).append(row)
    return [Wait(title, rows) for title, rows in made.items()]


def _rows(name: str, rows: pl.DataFrame, designs: Mapping[str, str]) -> Iterator[tuple[str, Row]]:
    """What is timed, and a row for each cell and quantile."""
    columns = {
        (TITLES[what], quantile): column
        for what, columns in TIMED.items()
        for quantile, column in columns.items()
    }
    columns |= {(WHOLE, TOTAL): "detach_total_s"} if (rows["batch"] > 0).any() else {}
    for (title, quantile), column in columns.items():
        pooled = pl.col(column).mean() if quantile in CENTRAL else pl.col(column).max()
        timed = rows.filter(pl.col(column).is_not_null())
        found = timed.group_by(CELL_KEY, maintain_order=True).agg(pooled)
        for bench, flavour, cpus, seconds in found.sort("cpus").iter_rows():
            yield (
                title,
                {
                    "source": name,
                    "bench": bench,
                    "design": designs[flavour],
                    "cpus": cpus,
                    "quantile": quantile,
                    "ms": 1000 * seconds,
                },
            )
