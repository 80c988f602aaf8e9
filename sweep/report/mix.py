"""Any runs in one table: published, simulated, live and from logs, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from core.kernel.flavours import FLAVOURS, parse_flavour
from core.kernel.hot_path import BENCHES
from sweep.errors import UsageError
from sweep.letter.comparison import HIGH, LOW, MHITS, UNIFORM
from sweep.letter.published import published
from sweep.report.tables import in_order
from sweep.store.schema import SIMULATED

PUBLISHED = "published"
"""What names the letter's own figures among runs."""

APART = (
    "source",
    "machine",
    "kernel",
    "attach",
    "rcu",
    "owner_beside_count",
    "probes",
    "processes",
    "spread",
)
"""Columns whose values are never averaged over: each combination is a column of its own."""

Cell = tuple[str, str, int]
"""Bench, design, CPUs."""


@dataclass(frozen=True)
class Figure:
    """A cell in one column, in million hits per second.

    The mean over replicates; `stddev` is that of the samples of a run, `low` and `high` the 90 %
    interval of a prediction, None without one. `error` is mean / that of the first column - 1, None
    in the first column and where it has no figure.
    """

    mean: float
    stddev: float
    low: float | None
    high: float | None
    replicates: int
    error: float | None = None


@dataclass(frozen=True)
class Mix:
    """Cells by line, columns as given: `cells[i].figures[j]` is of column j, None without one."""

    columns: tuple[str, ...]
    cells: tuple[MixedCell, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class MixedCell:
    """One bench, design and number of CPUs, in every column."""

    bench: str
    design: str
    cpus: int
    figures: tuple[Figure | None, ...]


def design(flavour: str) -> str:
    """One name for all flavours that are the same patches: v6.18 is nop5."""
    patches = parse_flavour(flavour).patches
    named = {known.patches: name for name, known in FLAVOURS.items()}
    return named.get(patches, flavour)


def mix(runs: Mapping[str, pl.DataFrame | None]) -> Mix:
    """`runs` by name, None for the published figures, in one table; errors are against the first.

    Designs are matched by their patches. Cells that only one column has are kept, below the others'
    order. Raises UsageError for a run whose simulated rows are of different models, and if no two
    columns share a cell.
    """
    columns: dict[str, dict[Cell, Figure]] = {}
    for name, frame in runs.items():
        for label, rows in _columns(name, frame).items():
            columns[label] = _figures(rows)
    cells = {cell for figures in columns.values() for cell in figures}
    shared = [c for c in cells if sum(c in figures for figures in columns.values()) > 1]
    if not shared:
        raise UsageError(
            f"nothing to compare: no two of {', '.join(columns)} have a bench, design and number "
            "of CPUs in common"
        )
    benches = in_order(BENCHES, (bench for bench, _, _ in cells))
    designs = in_order(FLAVOURS, (name for _, name, _ in cells))
    ordered = sorted(cells, key=lambda c: (benches.index(c[0]), designs.index(c[1]), c[2]))
    return Mix(tuple(columns), tuple(_mixed(cell, list(columns.values())) for cell in ordered))


def _mixed(cell: Cell, columns: Sequence[Mapping[Cell, Figure]]) -> MixedCell:
    first = columns[0].get(cell)
    figures: list[Figure | None] = [first]
    for column in columns[1:]:
        found = column.get(cell)
        if found is not None and first is not None:
            found = Figure(**{**asdict(found), "error": found.mean / first.mean - 1})
        figures.append(found)
    return MixedCell(*cell, tuple(figures))


def _columns(name: str, frame: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """The rows of a run by label; a run that differs in one of APART is several columns."""
    if frame is None:
        letter = published()
        rates = [
            (pl.col("mhits_per_s") * MHITS).alias("hits_per_s"),
            (pl.col("mhits_per_s_stddev") * MHITS).alias("hits_per_s_stddev"),
        ]
        return {name: letter.with_columns(rates)}
    simulated = frame.filter(pl.col("source") == SIMULATED)
    for machine in simulated["machine"].unique():
        rows = simulated.filter(pl.col("machine") == machine)
        for column in UNIFORM:
            if rows[column].n_unique() > 1:
                raise UsageError(f"{name}: cells on {machine} differ in {column}: run it again")
    found = frame.select(APART).unique().sort(APART).rows(named=True)
    differing = [c for c in APART if len({setting[c] for setting in found}) > 1]
    return {
        " ".join([name, *(str(setting[c]) for c in differing)]): frame.filter(
            *(pl.col(c).eq_missing(value) for c, value in setting.items())
        )
        for setting in found
    }


def _figures(rows: pl.DataFrame) -> dict[Cell, Figure]:
    named = {flavour: design(flavour) for flavour in rows["flavour"].unique()}
    absent = [pl.lit(None, pl.Float64).alias(c) for c in (LOW, HIGH) if c not in rows.columns]
    averaged = (
        rows.with_columns(absent, design=pl.col("flavour").replace_strict(named))
        .group_by("bench", "design", "cpus")
        .agg(
            pl.col("hits_per_s").mean() / MHITS,
            pl.col("hits_per_s_stddev").pow(2).mean().sqrt() / MHITS,
            pl.col(LOW, HIGH).mean() / MHITS,
            pl.len(),
        )
    )
    return {
        (bench, name, cpus): Figure(*figures)
        for bench, name, cpus, *figures in averaged.iter_rows()
    }
