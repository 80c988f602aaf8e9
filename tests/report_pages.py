"""Runs made by hand, as a report takes them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sweep.report.html.gather import Given, gather
from sweep.report.html.material import Material

HOSTILE = "</script><script>document.title='caught'</script>\u2028<img src=x onerror=alert(1)>'\""
"""A name that must be shown and never run."""


def given(cells: pl.DataFrame, name: str = "run", shares: pl.DataFrame | None = None) -> Given:
    """A run as it is read, without a run.json."""
    empty = pl.DataFrame(schema={"cell_id": pl.String})
    return Given(name, Path(name), {}, cells, empty if shares is None else shares, [])


def material(*runs: Given) -> Material:
    """What a report of these runs is made of."""
    return gather(runs, beside=False)[0]
