"""Measured rows whose threads did not have their CPUs: too low, and never averaged with others."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sweep.errors import UsageError
from sweep.store.schema import UNSHARED


def disturbed() -> pl.Expr:
    """Of rows of `SCHEMA`: whether others had the CPUs; never where that is not known."""
    return (pl.col("cpu_share") < UNSHARED).fill_null(value=False)


def without_disturbed(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """`frame` less the disturbed rows of each `key` that has undisturbed ones."""
    return frame.filter(~disturbed() | disturbed().all().over(key))


def mark(cpu_share: float | None) -> str:
    """What to print after a figure: "" unless it is a disturbed one's."""
    if cpu_share is None or cpu_share >= UNSHARED:
        return ""
    return f"  ! had {cpu_share:.0%} of its CPUs"


def disturbed_note(frame: pl.DataFrame, name: str) -> str | None:
    """What to say of the disturbed rows of the run called `name`; None if there are none."""
    rows = frame.filter(disturbed())
    if rows.is_empty():
        return None
    worst = rows.sort("cpu_share").row(0, named=True)
    return (
        f"{name}: {len(rows)} of {len(frame)} measurements were disturbed, so they are too low: "
        f"{worst['bench']} on {worst['cpus']} CPUs had {worst['cpu_share']:.0%} of them"
    )


def refuse_disturbed(frame: pl.DataFrame, name: str) -> None:
    """Raises UsageError if a row of the run called `name` is disturbed."""
    if said := disturbed_note(frame, name):
        raise UsageError(said)
