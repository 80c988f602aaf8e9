"""A run beside the letter: every cell, how far off it is, and the letter's own claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np
import polars as pl

from sweep.claims import CLAIMS, Figures, measured, rise
from sweep.errors import UsageError
from sweep.published import (
    LETTER_MACHINE,
    LETTER_PROBES,
    LETTER_SPREAD,
    CellKey,
    calibration_cells,
    published_mhits,
)

MHITS = 1e6

UNIFORM = ("model_version", "machine_digest", "warmup_s", "duration_s", "sample_s")
"""What all compared rows have in common: an average over these would hide a difference."""


@dataclass(frozen=True)
class Row:
    """One cell, in million hits per second; error is simulated / published - 1."""

    bench: str
    flavour: str
    cpus: int
    published: float
    simulated: float
    error: float
    calibration: bool


@dataclass(frozen=True)
class Summary:
    """Absolute errors of some cells, as fractions; `p90` interpolates linearly between ranks.

    All but `cells` are None where there are none.
    """

    cells: int
    median: float | None = None
    p90: float | None = None
    worst: float | None = None
    worst_cell: CellKey | None = None

    @classmethod
    def of(cls, rows: list[Row]) -> Summary:
        """The summary of `rows`; of equally bad ones the first is the worst."""
        if not rows:
            return cls(0)
        errors = np.abs([row.error for row in rows])
        worst = rows[int(errors.argmax())]
        return cls(
            cells=len(rows),
            median=float(np.median(errors)),
            p90=float(np.quantile(errors, 0.9)),
            worst=float(errors.max()),
            worst_cell=(worst.flavour, worst.bench, worst.cpus),
        )


@dataclass(frozen=True)
class Rise:
    """Throughput at 64 CPUs / at 32, of a column where the letter's rises.

    `simulated` and `present` are None where the run lacks one of the two cells.
    """

    bench: str
    flavour: str
    published: float
    simulated: float | None
    present: bool | None


@dataclass(frozen=True)
class Claim:
    """A headline of the letter: as its text puts it, as its tables have it, and simulated.

    In `unit`, "M/s" or "%". `simulated` is None where the run lacks a cell that the claim needs.
    """

    name: str
    unit: str
    letter: str
    published: float
    simulated: float | None


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

    @property
    def summary(self) -> dict[str, Summary]:
        """Errors of all cells, of those that costs were fitted on, and of those held out."""
        return {
            "all": Summary.of(list(self.rows)),
            "calibration": Summary.of([row for row in self.rows if row.calibration]),
            "held-out": Summary.of([row for row in self.rows if not row.calibration]),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `summary` and every field; a cell is (flavour, bench, cpus)."""
        return {"summary": {k: asdict(v) for k, v in self.summary.items()}, **asdict(self)}


def letter_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of the letter's setting: its machine, and all CPUs on one probe.

    Raises UsageError if they differ in one of UNIFORM.
    """
    rows = frame.filter(
        pl.col("machine") == LETTER_MACHINE,
        pl.col("probes") == LETTER_PROBES,
        pl.col("spread") == LETTER_SPREAD,
    )
    for column in UNIFORM:
        versions = sorted(map(str, set(rows[column])))
        if len(versions) > 1:
            raise UsageError(
                f"cells of this run differ in {column} ({', '.join(versions)}): "
                "run the spec again into an empty folder"
            )
    return rows


def compare(frame: pl.DataFrame) -> Comparison:
    """Hold the rows of a run that the letter has a line for against it.

    Seeds and replicates of a cell are averaged. Raises UsageError if the run has no such row, and
    as `letter_rows` does.
    """
    rows = letter_rows(frame)
    letter = published_mhits()
    hits: dict[CellKey, list[float]] = {}
    for *cell, value in rows.select("flavour", "bench", "cpus", "hits_per_s").iter_rows():
        if tuple(cell) in letter:
            hits.setdefault(tuple(cell), []).append(value / MHITS)
    if not hits:
        raise UsageError(
            f"nothing to compare: no cell of this run has machine={LETTER_MACHINE}, "
            f"probes={LETTER_PROBES}, spread={LETTER_SPREAD} and a bench, flavour and CPU count "
            "of the letter"
        )
    simulated = {cell: fmean(values) for cell, values in hits.items()}
    return Comparison(
        rows=tuple(_rows(letter, simulated)),
        missing=tuple(cell for cell in letter if cell not in simulated),
        left_out=len(frame) - sum(map(len, hits.values())),
        rises=tuple(_rises(letter, simulated)),
        claims=tuple(
            Claim(c.name, c.unit, c.letter, c.measure(letter), measured(c.measure, simulated))
            for c in CLAIMS
        ),
    )


def _rows(letter: Figures, simulated: Figures) -> Iterator[Row]:
    fitted = calibration_cells()
    for cell, figure in letter.items():
        if cell in simulated:
            flavour, bench, cpus = cell
            error = simulated[cell] / figure - 1
            yield Row(bench, flavour, cpus, figure, simulated[cell], error, cell in fitted)


def _rises(letter: Figures, simulated: Figures) -> Iterator[Rise]:
    for flavour, bench in dict.fromkeys((flavour, bench) for flavour, bench, _ in letter):
        published = rise(letter, flavour, bench)
        if published > 1:
            ours = measured(partial(rise, flavour=flavour, bench=bench), simulated)
            present = None if ours is None else ours > 1
            yield Rise(bench, flavour, published, ours, present)
