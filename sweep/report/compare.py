"""Any runs in one table, published figures among them: simulated, live and from logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from core.kernel.flavours import FLAVOURS, parse_flavour
from core.kernel.hot_path import BENCHES
from sweep.errors import UsageError
from sweep.letter.comparison import LetterComparison, beside_letter
from sweep.letter.published import LETTER_SETTING, CellKey, published, published_mhits
from sweep.report.tables import in_order
from sweep.spec.axes import AXES
from sweep.store.schema import SIMULATED
from sweep.store.settings import (
    CELL_KEY,
    Figure,
    figures,
    in_setting,
    said,
    settings,
    telling,
)

if TYPE_CHECKING:
    from sweep.letter.baselines import Baseline

PUBLISHED = "published"
"""What names the letter's own figures among runs."""

Cell = tuple[str, str, int]
"""Bench, design, CPUs."""


@dataclass(frozen=True)
class Compared(Figure):
    """A cell in one column. `error` is mean / that of the first column - 1.

    It is None in the first column, and where that has no figure. `calibration` says that costs were
    fitted on the cell, `covers` that the published figure is inside the prediction's interval; None
    without one, and beside no published figure.
    """

    error: float | None = None
    calibration: bool = False
    covers: bool | None = None


@dataclass(frozen=True)
class Column:
    """The rows of one setting of a source; `letter` if that is the letter's and it is there too.

    `paths` are digests of simulated paths by bench and design.
    """

    name: str
    source: str
    setting: Mapping[str, Any]
    letter: LetterComparison | None = None
    paths: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def other_paths(self, others: Iterable[Column]) -> list[str]:
        """Designs that had another path, in the same setting, in one of the other columns."""
        found: dict[str, None] = {}
        for other in others:
            axes = [name for name in AXES if name in self.setting and name != "machine"]
            if any(self.setting[name] != other.setting.get(name) for name in axes):
                continue
            for (bench, name), words in self.paths.items():
                if words != other.paths.get((bench, name), words):
                    found[name] = None
        return list(found)


@dataclass(frozen=True)
class ComparedCell:
    """One bench, design and number of CPUs, in every column; None without a figure there."""

    bench: str
    design: str
    cpus: int
    figures: tuple[Compared | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Cells by line, columns as given: `cells[i].figures[j]` is of `columns[j]`.

    `left_out` counts rows of a run beside the letter alone that the letter has no line for.
    """

    columns: tuple[Column, ...]
    cells: tuple[ComparedCell, ...]
    left_out: int = 0

    @property
    def letter(self) -> dict[str, LetterComparison]:
        """What columns come to beside the letter, by their name."""
        return {column.name: column.letter for column in self.columns if column.letter}

    @property
    def one_path(self) -> list[tuple[str, ...]]:
        """Designs on lines of their own that are one path on every bench that was simulated."""
        paths: dict[str, set[tuple[str, frozenset[str]]]] = {}
        for column in self.columns:
            for (bench, name), words in column.paths.items():
                paths.setdefault(name, set()).add((bench, words))
        alike: dict[frozenset[tuple[str, frozenset[str]]], list[str]] = {}
        for name, found in sorted(paths.items()):
            alike.setdefault(frozenset(found), []).append(name)
        return [tuple(names) for names in alike.values() if len(names) > 1]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `columns`, `settings` and `cells`; beside the letter `letter`, by column.

        Of one column beside the letter, what is in `letter` stands at the top as well.
        """
        beside = {name: one.to_dict() for name, one in self.letter.items()}
        [alone] = beside.values() if len(self.columns) == 2 and len(beside) == 1 else [{}]
        return {
            "columns": [column.name for column in self.columns],
            "settings": [dict(column.setting) for column in self.columns],
            "other_paths": {
                column.name: column.other_paths(self.columns[:at])
                for at, column in enumerate(self.columns)
            },
            "one_path": self.one_path,
            "cells": [asdict(cell) for cell in self.cells],
            "left_out": self.left_out,
            **({"letter": beside} if beside else {}),
            **alone,
        }


def design(flavour: str) -> str:
    """One name for all flavours that are the same patches: v6.18 is nop5."""
    try:
        patches = parse_flavour(flavour).patches
    except (KeyError, ValueError):
        return flavour
    named = {known.patches: name for name, known in FLAVOURS.items()}
    return named.get(patches, flavour)


def beside_published(
    name: str, frame: pl.DataFrame, baselines: Sequence[Baseline] = ()
) -> Comparison:
    """The rows of a run that the letter has a line for beside it. Raises UsageError without any."""
    lines = {(bench, flavour, cpus) for flavour, bench, cpus in published_mhits()}
    rows = frame.filter(*in_setting(LETTER_SETTING))
    designs = designs_of(rows["flavour"])
    named = [
        (bench, designs[flavour], cpus) in lines
        for bench, flavour, cpus in rows.select(CELL_KEY).iter_rows()
    ]
    rows = rows.filter(pl.Series(named, dtype=pl.Boolean))
    if rows.is_empty():
        raise UsageError(
            "nothing to compare: no cell of this run has a bench, flavour and CPU count of the "
            f"letter and {said(LETTER_SETTING, [*LETTER_SETTING], ', ')}; "
            "name a second RUN, or `published`, to hold any run against it"
        )
    found = compare({PUBLISHED: None, name: rows}, baselines)
    return replace(found, left_out=len(frame) - len(rows))


def compare(
    runs: Mapping[str, pl.DataFrame | None], baselines: Sequence[Baseline] = ()
) -> Comparison:
    """`runs` by name, None for the published figures, in one table; errors are against the first.

    A run of several settings is a column for each: nothing is averaged but repeats of a cell.
    Designs are matched by their patches. What is of the letter's setting is held against it, if it
    is there. Cells that only one column has are kept. Raises UsageError if no two runs share a
    cell.
    """
    found = together(runs, baselines)
    _refuse_strangers(found)
    return found


def together(
    runs: Mapping[str, pl.DataFrame | None], baselines: Sequence[Baseline] = ()
) -> Comparison:
    """As `compare`, of one run too, and of runs that have nothing in common."""
    columns: list[tuple[Column, dict[Cell, Figure]]] = []
    beside = any(frame is None for frame in runs.values())
    for name, frame in runs.items():
        if frame is None:
            columns.append(_published(name))
            continue
        found = _columns(name, frame)
        if beside:
            found = [(_with_letter(*column, baselines), column[1]) for column in found]
        columns += found
    cells = {cell for _, found in columns for cell in found}
    benches = in_order(BENCHES, (bench for bench, _, _ in cells))
    designs = in_order(FLAVOURS, (name for _, name, _ in cells))
    ordered = sorted(cells, key=lambda c: (benches.index(c[0]), designs.index(c[1]), c[2]))
    return Comparison(
        tuple(column for column, _ in columns), tuple(_cell(cell, columns) for cell in ordered)
    )


def _published(name: str) -> tuple[Column, dict[Cell, Figure]]:
    found = {
        (bench, flavour, cpus): Figure(mean, stddev, None, None, None, 1)
        for flavour, bench, cpus, mean, stddev, _ in published().iter_rows()
    }
    return Column(name, name, LETTER_SETTING), found


def _columns(name: str, frame: pl.DataFrame) -> list[tuple[Column, dict[Cell, Figure]]]:
    """The rows of a run by setting; what tells these apart is in the columns' names."""
    named = frame.with_columns(
        flavour=pl.col("flavour").replace_strict(
            designs_of(frame["flavour"]), return_dtype=pl.String
        )
    )
    found = settings(named, CELL_KEY)
    differing = telling([setting.values for setting in found])
    return [
        (
            Column(" ".join([name, *_parts(values, differing)]), name, values, paths=_paths(rows)),
            figures(rows),
        )
        for values, rows in found
    ]


def _paths(rows: pl.DataFrame) -> dict[tuple[str, str], frozenset[str]]:
    known = rows.filter(pl.col("path_digest").is_not_null())
    found = known.group_by("bench", "flavour").agg(pl.col("path_digest").unique())
    return {(bench, name): frozenset(words) for bench, name, words in found.iter_rows()}


def _parts(values: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [said(values, [name]) for name in names if name in values]


def designs_of(flavours: Iterable[str]) -> dict[str, str]:
    """The design of each; two flavours of one run are never one."""
    present = set(flavours)
    named = {flavour: design(flavour) for flavour in present}
    designs = list(named.values())
    return {f: name if designs.count(name) == 1 else f for f, name in named.items()}


def _refuse_strangers(comparison: Comparison) -> None:
    columns = comparison.columns
    for cell in comparison.cells:
        pairs = zip(columns, cell.figures, strict=True)
        if len({column.source for column, figure in pairs if figure}) > 1:
            return
    raise UsageError(
        f"nothing to compare: no two of {', '.join(column.name for column in columns)} have "
        "a bench, design and number of CPUs in common"
    )


def _with_letter(
    column: Column, found: Mapping[Cell, Figure], baselines: Sequence[Baseline]
) -> Column:
    if any(column.setting[name] != value for name, value in LETTER_SETTING.items()):
        return column
    fitted = None if column.setting["source"] == SIMULATED else frozenset[CellKey]()
    named = {(flavour, bench, cpus): figure for (bench, flavour, cpus), figure in found.items()}
    beside = beside_letter(named, baselines, fitted)
    return replace(column, letter=beside) if beside.rows else column


def _cell(cell: Cell, columns: Sequence[tuple[Column, Mapping[Cell, Figure]]]) -> ComparedCell:
    bench, name, cpus = cell
    first = columns[0][1].get(cell)
    made: list[Compared | None] = []
    for at, (column, found) in enumerate(columns):
        if (figure := found.get(cell)) is None:
            made.append(None)
            continue
        error = figure.mean / first.mean - 1 if at and first is not None and first.mean else None
        rows = column.letter.rows if column.letter else ()
        beside = next((row for row in rows if row.cell == (name, bench, cpus)), None)
        marks = (beside.calibration, beside.within) if beside else (False, None)
        made.append(Compared(**asdict(figure), error=error, calibration=marks[0], covers=marks[1]))
    return ComparedCell(bench, name, cpus, tuple(made))
