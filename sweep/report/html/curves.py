"""The curves of a comparison as rows of the report's charts: no line holds two settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.errors import UsageError
from sweep.report.compare import PUBLISHED, Column, Compared, Comparison
from sweep.report.tables import USUAL
from sweep.spec.axes import AXES, REQUIRED
from sweep.store.disturbed import mark
from sweep.store.schema import SIMULATED
from sweep.store.settings import said, telling

MOST = 40
"""Panels of curves that a page has room for."""

BASELINE = "baseline"
"""The kind of a curve that is a law fitted to the published figures; others are a row's source."""

Row = dict[str, Any]

_SHARED = [name for name in AXES if name not in (*REQUIRED, "seed", "machine")]
"""Axes in which all curves of a panel agree."""


@dataclass(frozen=True)
class Source:
    """What a curve is of beside its design: a run's setting, published, or a baseline."""

    name: str
    kind: str


@dataclass(frozen=True)
class Panel:
    """The curves of one bench in one setting; `rows` are points, see `points`."""

    bench: str
    setting: str
    rows: list[Row]

    @property
    def title(self) -> str:
        """The bench, and what is not as usual or differs from other panels."""
        return f"{self.bench}, {self.setting}" if self.setting else self.bench


def sources(comparison: Comparison) -> list[Source]:
    """The comparison's columns in order, then the baselines of those beside the letter."""
    found = [Source(column.name, kind(column)) for column in comparison.columns]
    names = {b.name: None for one in comparison.letter.values() for b in one.baselines}
    return [*found, *(Source(name, BASELINE) for name in names)]


def kind(column: Column) -> str:
    """One of the schema's SOURCES, or PUBLISHED."""
    return str(column.setting.get("source", PUBLISHED))


def panels(comparison: Comparison) -> list[Panel]:
    """A panel for each bench and setting that curves share. Raises UsageError if they are many."""
    placed = [_place(column) for column in comparison.columns]
    apart = list(dict.fromkeys(placed))
    values = [dict(zip(_SHARED, place, strict=True)) for place in apart]
    differing = telling(values)
    made = []
    for place, setting in zip(apart, values, strict=True):
        unusual = [n for n in setting if n in differing or setting[n] != USUAL.get(n)]
        rows = points(comparison, [at == place for at in placed])
        for bench in dict.fromkeys(row["bench"] for row in rows):
            of_bench = [row for row in rows if row["bench"] == bench]
            made.append(Panel(bench, said(setting, unusual, ", "), of_bench))
    if len(made) > MOST:
        raise UsageError(
            f"a report has room for {MOST} panels of a bench and a setting, these runs have "
            f"{len(made)}: choose by --only, as in --only {_example(differing, values)}"
        )
    return made


def points(comparison: Comparison, chosen: Sequence[bool]) -> list[Row]:
    """A row for each figure of the chosen columns, and for what baselines give beside them.

    None for cells that nobody hits.
    Rates are in million hits per second; `efficiency` is the rate per CPU over that of the same
    curve on one CPU, None where it lacks that. `error` is against the first column.
    """
    columns = [(at, c) for at, c in enumerate(comparison.columns) if chosen[at]]
    # The last wins: of a cell's several published figures the first is drawn.
    by_cell = {
        (at, cell.bench, cell.design, cell.cpus): _row(
            column, cell.bench, cell.design, cell.cpus, figure
        )
        for at, column in columns
        for cell in reversed(comparison.cells)
        if (figure := cell.figures[at]) is not None and figure.mean
    }
    rows = list(reversed(by_cell.values()))
    laws: dict[tuple[str, str, str, int], Row] = {}
    for _, column in columns:
        for baseline in column.letter.baselines if column.letter else ():
            for c in baseline.cells:
                laws[baseline.name, c.bench, c.flavour, c.cpus] = {
                    "source": baseline.name,
                    "kind": BASELINE,
                    "bench": c.bench,
                    "design": c.flavour,
                    "cpus": c.cpus,
                    "mhits": c.predicted,
                    "error": c.error,
                }
    rows += laws.values()
    single = {_curve(row): row["mhits"] for row in rows if row["cpus"] == 1}
    for row in rows:
        alone = single.get(_curve(row))
        row["per_cpu"] = row["mhits"] / row["cpus"]
        row["efficiency"] = row["per_cpu"] / alone if alone else None
    return rows


def errors(comparison: Comparison) -> list[Row]:
    """A row for each cell of a column beside the letter: its error, and how it is marked."""
    return [
        {
            "source": name,
            "bench": row.bench,
            "design": row.flavour,
            "cpus": row.cpus,
            "published": row.published,
            "simulated": row.simulated,
            "error": row.error,
            "low": row.low,
            "high": row.high,
            "within": row.within,
            "calibration": row.calibration,
        }
        for name, letter in comparison.letter.items()
        for row in letter.rows
    ]


def _row(column: Column, bench: str, design: str, cpus: int, figure: Compared) -> Row:
    return {
        "source": column.name,
        "kind": kind(column),
        "bench": bench,
        "design": design,
        "cpus": cpus,
        "mhits": figure.mean,
        "stddev": figure.stddev,
        "low": figure.low,
        "high": figure.high,
        "replicates": figure.replicates,
        "error": figure.error,
        "calibration": figure.calibration and kind(column) == SIMULATED,
        "covers": figure.covers,
        "disturbed": bool(mark(figure.cpu_share)),
    }


def _curve(row: Row) -> tuple[str, str, str]:
    return row["source"], row["bench"], row["design"]


def _place(column: Column) -> tuple[Any, ...]:
    return tuple(column.setting.get(name, AXES[name].default) for name in _SHARED)


def _example(differing: Sequence[str], values: Sequence[Mapping[str, Any]]) -> str:
    return f"{differing[0]}={values[0][differing[0]]}" if differing else "bench=uprobe-nop"
