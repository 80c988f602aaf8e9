"""Where the CPUs' time went, of all cells of a run: what `sweep.store.store` keeps beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.store.folder import ATTRIBUTION, Folder, Location
from sweep.store.journal import read_journal
from sweep.store.parts import scan_parts
from sweep.store.scan import runs_at, scan
from sweep.store.schema import ATTRIBUTION_SCHEMA, SHARE_KEY, share_rows

if TYPE_CHECKING:
    import polars as pl


def scan_attribution(location: Location) -> pl.LazyFrame:
    """The shares of the cells that `scan(location)` gives; the columns of `ATTRIBUTION_SCHEMA`.

    One row for each share, in no particular order; none for cells simulated before shares were
    kept. Raises UsageError if there is no run.
    """
    import polars as pl

    # In this order, and at once: what moves to a file meanwhile is seen twice and never missed.
    cells = scan(location).select("cell_id").collect().lazy()
    shares = pl.concat([_scan_run(run) for run in runs_at(location)])
    return shares.unique(SHARE_KEY, keep="first", maintain_order=True).join(
        cells, on="cell_id", how="semi"
    )


def _scan_run(run: Folder) -> pl.LazyFrame:
    import polars as pl

    entries = read_journal(run.journal).entries
    rows = [share for entry in entries for share in share_rows(*entry)]
    waiting = pl.LazyFrame(rows, schema=_schema())
    return pl.concat([scan_parts(run, ATTRIBUTION), waiting])


def _schema() -> pl.Schema:
    import polars as pl

    return pl.DataFrame(ATTRIBUTION_SCHEMA.empty_table()).schema
