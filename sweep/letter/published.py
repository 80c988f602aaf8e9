"""The cover letter's figures, and which of them the model was fitted on.

Read only to compare and to draw: nothing here is reachable from `core`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML

from sweep.spec.axes import AXES, REQUIRED

CellKey = tuple[str, str, int]
"""Flavour, bench, CPUs: what names one of the letter's lines."""

LETTER_KEY = ("flavour", "bench", "cpus")
"""The same, as columns of a run."""

LETTER_MACHINE = "xeon-gold-6138"
LETTER_SETTING = {
    **{name: axis.default for name, axis in AXES.items() if name not in (*REQUIRED, "seed")},
    "machine": LETTER_MACHINE,
}
"""What all lines of the letter have in common, by axis: else an axis is left at its default."""

PUBLISHED = Path(__file__).parent / "figures"
"""In the repository a link to its folder `results/published`."""

COVER_LETTER = "cover letter"
LATER = ("mmap_lock_only", "one_cpu")
"""Groups of figures from later messages: nothing shared but mmap_lock, and one CPU alone."""
ALL_FITTED = "one_cpu"
"""The group whose figures costs were all fitted on; of the others, `calibration_cells` says."""

CELLS = resources.files("core") / "calibrate" / "cells.yaml"

_COLUMNS = {
    "flavour": pl.String,
    "bench": pl.String,
    "cpus": pl.Int64,
    "mhits_per_s": pl.Float64,
    "mhits_per_s_stddev": pl.Float64,
    "mhits_per_s_per_cpu": pl.Float64,
}


def published() -> pl.DataFrame:
    """The letter's 42 lines in its own order, one a row.

    Columns: flavour, bench, cpus; mhits_per_s, its _stddev and its _per_cpu share, all in million
    hits per second.
    """
    return pl.read_csv(PUBLISHED / "cover_letter.csv", schema=_COLUMNS)


def published_mhits() -> dict[CellKey, float]:
    """Million hits per second of each line of the letter, in its order."""
    columns = ("flavour", "bench", "cpus", "mhits_per_s")
    return {
        (flavour, bench, cpus): mhits
        for flavour, bench, cpus, mhits in published().select(columns).iter_rows()
    }


def primitive_curves(primitive: str, machine: str) -> dict[int, float]:
    """A published curve of `results/published/primitive_curves.csv`: ns per operation by CPUs.

    Raises KeyError if there is no such curve.
    """
    rows = pl.read_csv(PUBLISHED / "primitive_curves.csv").filter(
        pl.col("primitive") == primitive, pl.col("machine") == machine
    )
    if rows.is_empty():
        raise KeyError(f"{primitive} on {machine}")
    return dict(rows.select("cpus", "ns_per_op_per_thread").iter_rows())


def later_figures(name: str) -> pl.DataFrame:
    """Figures of the letter's machine and author from later messages, one a row.

    `name` is one of LATER. Columns: `machine`, `flavour`, `bench`, `rcu`, `owner_beside_count` and
    `cpus` say what of, as in a run; mhits_per_s and its _stddev (which may be null) are in million
    hits per second; `source` is the message.
    """
    return pl.read_csv(
        PUBLISHED / f"{name}.csv", schema_overrides={"mhits_per_s_stddev": pl.Float64}
    )


@dataclass(frozen=True)
class PublishedFigure:
    """A hit's published rate on LETTER_MACHINE, in million hits per second; stddev as printed.

    `group` is COVER_LETTER or one of LATER; `fitted`: costs were fitted on it.
    """

    group: str
    flavour: str
    bench: str
    rcu: str
    cpus: int
    mhits_per_s: float
    stddev: float | None
    source: str
    fitted: bool


def published_figures() -> tuple[PublishedFigure, ...]:
    """All of them, the letter's first; some cells have several, from one group or from two."""
    letter = published().with_columns(
        group=pl.lit(COVER_LETTER), rcu=pl.lit(LETTER_SETTING["rcu"]), source=pl.lit(COVER_LETTER)
    )
    frames = [letter, *(later_figures(name).with_columns(group=pl.lit(name)) for name in LATER)]
    named = calibration_cells()
    columns = ("group", "flavour", "bench", "rcu", "cpus", "mhits_per_s", "source")
    stddev = pl.col("mhits_per_s_stddev").alias("stddev")
    return tuple(
        PublishedFigure(**row, fitted=row["group"] == ALL_FITTED or _key(row) in named)
        for frame in frames
        for row in frame.select(*columns, stddev).iter_rows(named=True)
    )


def _key(row: Mapping[str, Any]) -> CellKey:
    return row["flavour"], row["bench"], row["cpus"]


def calibration_cells() -> frozenset[CellKey]:
    """The cells that costs were fitted on; empty where core/calibrate names none.

    Raises ValueError if the file is not a list of [flavour, bench, cpus].
    """
    return _cells_in(CELLS.read_text()) if CELLS.is_file() else frozenset()


@cache
def _cells_in(text: str) -> frozenset[CellKey]:
    cells = YAML(typ="safe", pure=True).load(text)
    match cells:
        case list() if all(_is_cell(cell) for cell in cells):
            return frozenset((flavour, bench, cpus) for flavour, bench, cpus in cells)
    raise ValueError(f"{CELLS} is not a list of [flavour, bench, cpus]")


def _is_cell(cell: object) -> bool:
    match cell:
        case [str(), str(), int()]:
            return True
    return False
