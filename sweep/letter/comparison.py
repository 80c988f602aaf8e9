"""A run beside the letter: every cell, how far off it is, and the letter's own claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from sweep.errors import UsageError
from sweep.letter.claims import Claim, Figures, Rise, claims, rises
from sweep.letter.published import (
    LETTER_SETTING,
    CellKey,
    calibration_cells,
    published_mhits,
)
from sweep.letter.summary import Summary

if TYPE_CHECKING:
    from sweep.letter.baselines import Rival

MHITS = 1e6

UNIFORM = ("model_version", "machine_digest", "warmup_s", "duration_s", "sample_s")
"""What all compared rows have in common: an average over these would hide a difference."""

LOW, HIGH = "predicted_low", "predicted_high"
"""Columns of a run that has them: the 90 % interval of a prediction, in hits per second."""


@dataclass(frozen=True)
class Row:
    """One cell, in million hits per second; error is simulated / published - 1.

    `simulated`, `low` and `high` (the prediction's 90 % interval, None without one) are means over
    the cell's `replicates`, seeds counted too. `within_run_stddev` is over the samples of a run,
    the root of the mean variance; `between_replicates_stddev` over the replicates' means, None for
    a single one.
    """

    bench: str
    flavour: str
    cpus: int
    published: float
    simulated: float
    error: float
    calibration: bool
    low: float | None
    high: float | None
    replicates: int
    within_run_stddev: float
    between_replicates_stddev: float | None

    @property
    def cell(self) -> CellKey:
        """Flavour, bench, CPUs."""
        return self.flavour, self.bench, self.cpus

    @property
    def within(self) -> bool | None:
        """Whether the published figure is inside the interval; None without one."""
        if self.low is None or self.high is None:
            return None
        return self.low <= self.published <= self.high


@dataclass(frozen=True)
class RivalCell:
    """What a rival gives for a cell that the run has, in million hits per second.

    Error is predicted / published - 1; `fitted` says that the rival has seen the figure.
    """

    bench: str
    flavour: str
    cpus: int
    published: float
    predicted: float
    error: float
    fitted: bool


@dataclass(frozen=True)
class RivalComparison:
    """A rival beside the letter; its rises are what it gives, not what the run simulated."""

    name: str
    cells: tuple[RivalCell, ...]
    rises: tuple[Rise, ...]

    @property
    def summary(self) -> dict[str, Summary]:
        """Errors of all cells, and of those that the rival was not fitted on."""
        errors = {(c.flavour, c.bench, c.cpus): c.error for c in self.cells}
        unseen = {(c.flavour, c.bench, c.cpus): c.error for c in self.cells if not c.fitted}
        return {"all": Summary.of(errors), "not fitted": Summary.of(unseen)}


@dataclass(frozen=True)
class Comparison:
    """A run beside the letter, everything in the letter's order.

    `missing` are the letter's cells that the run lacks; `left_out` counts the run's rows that the
    letter has no line for.
    """

    rows: tuple[Row, ...]
    missing: tuple[CellKey, ...]
    left_out: int
    rises: tuple[Rise, ...]
    claims: tuple[Claim, ...]
    rivals: tuple[RivalComparison, ...] = ()

    @property
    def summary(self) -> dict[str, Summary]:
        """Errors and coverage of all cells, those that costs were fitted on, those held out."""
        return {
            "all": _summary(self.rows),
            "calibration": _summary([row for row in self.rows if row.calibration]),
            "held-out": _summary([row for row in self.rows if not row.calibration]),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `summary` and every field; a cell is (flavour, bench, cpus)."""
        rivals = [{"summary": _plain(r.summary), **asdict(r)} for r in self.rivals]
        return {"summary": _plain(self.summary), **asdict(self), "rivals": rivals}


def letter_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of the letter's setting: its machine, and all CPUs on one probe.

    Raises UsageError if they differ in one of UNIFORM.
    """
    rows = frame.filter(*(pl.col(axis) == value for axis, value in LETTER_SETTING.items()))
    for column in UNIFORM:
        versions = sorted(map(str, set(rows[column])))
        if len(versions) > 1:
            raise UsageError(
                f"cells of this run differ in {column} ({', '.join(versions)}): "
                "run the spec again into an empty folder"
            )
    return rows


def compare(frame: pl.DataFrame, rivals: Sequence[Rival] = ()) -> Comparison:
    """Hold the rows of a run that the letter has a line for against it.

    Seeds and replicates of a cell are averaged; a frame may lack LOW and HIGH or have nulls there.
    `rivals` are fitted on the whole letter and held to the cells that the run has. Raises
    UsageError if the run has no such row, and as `letter_rows` does.
    """
    letter = published_mhits()
    found = _cells(letter_rows(frame))
    simulated = {cell: found[cell]["simulated"] for cell in letter if cell in found}
    if not simulated:
        raise UsageError(
            "nothing to compare: no cell of this run has a bench, flavour and CPU count of the "
            f"letter and {', '.join(f'{axis}={value}' for axis, value in LETTER_SETTING.items())}; "
            "name a second RUN, or `published`, to hold any run against it"
        )
    rows = tuple(_rows(letter, {cell: found[cell] for cell in simulated}))
    return Comparison(
        rows=rows,
        missing=tuple(cell for cell in letter if cell not in simulated),
        left_out=len(frame) - sum(row.replicates for row in rows),
        rises=tuple(rises(letter, simulated)),
        claims=tuple(claims(letter, simulated)),
        rivals=tuple(_rival(rival, letter, simulated) for rival in rivals),
    )


def _cells(rows: pl.DataFrame) -> dict[CellKey, dict[str, Any]]:
    """The figures of `Row` by cell, from a frame with or without intervals."""
    absent = [pl.lit(None, pl.Float64).alias(c) for c in (LOW, HIGH) if c not in rows.columns]
    whole = pl.col(LOW).is_not_null() & pl.col(HIGH).is_not_null()
    averaged = (
        rows.with_columns(absent)
        .group_by("flavour", "bench", "cpus")
        .agg(
            pl.len().alias("replicates"),
            simulated=pl.col("hits_per_s").mean(),
            low=pl.col(LOW).filter(whole).mean(),
            high=pl.col(HIGH).filter(whole).mean(),
            within_run_stddev=pl.col("hits_per_s_stddev").pow(2).mean().sqrt(),
            between_replicates_stddev=pl.col("hits_per_s").std(),
        )
    )
    cells: dict[CellKey, dict[str, Any]] = {}
    for flavour, bench, cpus, replicates, *hits in averaged.iter_rows():
        mhits = [None if x is None else x / MHITS for x in hits]
        figures = dict(zip(averaged.columns[4:], mhits, strict=True))
        cells[flavour, bench, cpus] = {"replicates": replicates, **figures}
    return cells


def _rows(letter: Figures, found: Mapping[CellKey, dict[str, Any]]) -> Iterator[Row]:
    fitted = calibration_cells()
    for cell, figures in found.items():
        flavour, bench, cpus = cell
        error = figures["simulated"] / letter[cell] - 1
        yield Row(
            bench, flavour, cpus, letter[cell], error=error, calibration=cell in fitted, **figures
        )


def _rival(rival: Rival, letter: Figures, simulated: Figures) -> RivalComparison:
    predicted = rival.predict(letter)
    cells = []
    for cell in simulated:
        flavour, bench, cpus = cell
        figure, ours = letter[cell], predicted[cell]
        fitted = rival.is_fitted_on(cell)
        cells.append(RivalCell(bench, flavour, cpus, figure, ours, ours / figure - 1, fitted))
    return RivalComparison(rival.name, tuple(cells), tuple(rises(letter, predicted)))


def _summary(rows: Sequence[Row]) -> Summary:
    within = [row.within for row in rows if row.within is not None]
    return Summary.of({row.cell: row.error for row in rows}, within)


def _plain(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    return {name: asdict(summary) for name, summary in summaries.items()}
