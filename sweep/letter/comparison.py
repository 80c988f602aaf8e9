"""Figures beside the letter's: every cell, how far off it is, and the letter's own claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep.letter.claims import Claim, Figures, Rise, claims, rises
from sweep.letter.published import CellKey, calibration_cells, published_mhits
from sweep.letter.summary import Summary
from sweep.store.settings import Figure

if TYPE_CHECKING:
    from sweep.letter.baselines import Baseline


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
    within_run_stddev: float | None
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
class BaselineCell:
    """What a baseline gives for a cell that the run has, in million hits per second.

    Error is predicted / published - 1; `fitted` says that the baseline has seen the figure.
    """

    bench: str
    flavour: str
    cpus: int
    published: float
    predicted: float
    error: float
    fitted: bool


@dataclass(frozen=True)
class BaselineComparison:
    """A baseline beside the letter; its rises are what it gives, not what the run simulated."""

    name: str
    cells: tuple[BaselineCell, ...]
    rises: tuple[Rise, ...]

    @property
    def summary(self) -> dict[str, Summary]:
        """Errors of all cells, and of those that the baseline was not fitted on."""
        errors = {(c.flavour, c.bench, c.cpus): c.error for c in self.cells}
        unseen = {(c.flavour, c.bench, c.cpus): c.error for c in self.cells if not c.fitted}
        return {"all": Summary.of(errors), "not fitted": Summary.of(unseen)}


@dataclass(frozen=True)
class LetterComparison:
    """Figures of one setting beside the letter's, everything in the letter's order.

    `missing` are the letter's cells that they lack.
    """

    rows: tuple[Row, ...]
    missing: tuple[CellKey, ...]
    rises: tuple[Rise, ...]
    claims: tuple[Claim, ...]
    baselines: tuple[BaselineComparison, ...] = ()

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
        baselines = [{"summary": _plain(r.summary), **asdict(r)} for r in self.baselines]
        return {"summary": _plain(self.summary), **asdict(self), "baselines": baselines}


def beside_letter(
    found: Mapping[CellKey, Figure],
    baselines: Sequence[Baseline] = (),
    fitted: frozenset[CellKey] | None = None,
) -> LetterComparison:
    """Hold those of the figures that the letter has a line for against it.

    `baselines` are fitted on the whole letter and held to the same cells. `fitted` are the
    calibration cells; none, for figures that were not simulated.
    """
    letter = published_mhits()
    common = [cell for cell in letter if cell in found]
    simulated = {cell: found[cell].mean for cell in common}
    intervals = {
        cell: (low, high)
        for cell in common
        if (low := found[cell].low) is not None and (high := found[cell].high) is not None
    }
    fitted = calibration_cells() if fitted is None else fitted
    return LetterComparison(
        rows=tuple(_row(cell, letter[cell], found[cell], cell in fitted) for cell in common),
        missing=tuple(cell for cell in letter if cell not in simulated),
        rises=tuple(rises(letter, simulated)),
        claims=tuple(claims(letter, simulated, intervals)),
        baselines=tuple(_baseline(baseline, letter, simulated) for baseline in baselines),
    )


def _row(cell: CellKey, published: float, figure: Figure, calibration: bool) -> Row:
    flavour, bench, cpus = cell
    return Row(
        bench,
        flavour,
        cpus,
        published,
        figure.mean,
        figure.mean / published - 1,
        calibration,
        figure.low,
        figure.high,
        figure.replicates,
        figure.stddev,
        figure.between,
    )


def _baseline(baseline: Baseline, letter: Figures, simulated: Figures) -> BaselineComparison:
    predicted = baseline.predict(letter)
    cells = []
    for cell in simulated:
        flavour, bench, cpus = cell
        figure, ours = letter[cell], predicted[cell]
        fitted = baseline.is_fitted_on(cell)
        cells.append(BaselineCell(bench, flavour, cpus, figure, ours, ours / figure - 1, fitted))
    return BaselineComparison(baseline.name, tuple(cells), tuple(rises(letter, predicted)))


def _summary(rows: Sequence[Row]) -> Summary:
    within = [row.within for row in rows if row.within is not None]
    return Summary.of({row.cell: row.error for row in rows}, within)


def _plain(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    return {name: asdict(summary) for name, summary in summaries.items()}
