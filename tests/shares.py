"""Shares of a hit, made by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
from frames import frame, row

from core.outcome import PRIVATE_WORK, Share
from sweep.store.schema import share_rows

COUNT, OWNER = "mm->mmap_lock.count", "mm->mmap_lock.owner"
LOCK, UNLOCK = "mmap_read_lock", "mmap_read_unlock"
SHARES = (
    Share("", PRIVATE_WORK, "", "", 100_000),
    Share(LOCK, "locked", COUNT, "same cache", 30_000),
    Share(LOCK, "locked", COUNT, "other socket", 20_000),
    Share(LOCK, "store", OWNER, "same cache", 15_000),
    Share(UNLOCK, "locked", COUNT, "same core", 25_000),
    Share("smp_mb", "barrier", "", "same core", 10_000),
)
"""200 ns of CPU time in all."""


def frames(*cells: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells of 2 hits, and for each that has `times` SHARES that often."""
    times = [cell.pop("times", 1) for cell in cells]
    rows = [row(cell_id=str(i), hits=2, **cell) for i, cell in enumerate(cells)]
    shares = [
        share
        for made, factor in zip(rows, times, strict=True)
        for share in share_rows(made, [s._replace(ps=factor * s.ps) for s in SHARES if factor])
    ]
    return frame(*rows), pl.DataFrame(shares, infer_schema_length=None)
