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
from sweep.letter.published import (
    COVER_LETTER,
    LETTER_SETTING,
    CellKey,
    PublishedFigure,
)
from sweep.letter.summary import Summary
from sweep.report.published_lines import (
    Cell,
    Known,
    as_figure,
    is_of,
    known_figures,
    lines_of,
    stands_beside,
    summaries,
)
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
    """One bench, design and number of CPUs, in every column; None without a figure there.

    `published` is the figure that stands in the published column: a cell with several has as many
    lines. Other columns are on the lines of their own RCU.
    """

    bench: str
    design: str
    cpus: int
    figures: tuple[Compared | None, ...]
    published: PublishedFigure | None = None


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

    @property
    def later(self) -> dict[tuple[str, str], dict[str, Summary]]:
        """Errors and coverage by column and group of published figures beyond the letter's."""
        found: dict[tuple[str, str], list[tuple[PublishedFigure, CellKey, Figure]]] = {}
        for cell in self.cells:
            one = cell.published
            if one is None or one.group == COVER_LETTER:
                continue
            for column, figure in zip(self.columns, cell.figures, strict=True):
                if figure is not None and is_of(one, column.setting) and column.name != PUBLISHED:
                    named = (one, (cell.design, cell.bench, cell.cpus), figure)
                    found.setdefault((column.name, one.group), []).append(named)
        return {key: dict(summaries(figures)) for key, figures in found.items()}

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
            "later": [
                {
                    "column": column,
                    "group": group,
                    "summary": {k: asdict(v) for k, v in all.items()},
                }
                for (column, group), all in self.later.items()
            ],
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
    """The rows of a run that a figure is published of, beside it. Raises UsageError without any."""
    known = known_figures(design)
    alike = {name: value for name, value in LETTER_SETTING.items() if name != "rcu"}
    rows = frame.filter(*in_setting(alike))
    designs = designs_of(rows["flavour"])
    named = [
        any(one.rcu == rcu for one in known.get((bench, designs[flavour], cpus), ()))
        for bench, flavour, cpus, rcu in rows.select(*CELL_KEY, "rcu").iter_rows()
    ]
    rows = rows.filter(pl.Series(named, dtype=pl.Boolean))
    if rows.is_empty():
        raise UsageError(
            "nothing to compare: no cell of this run has a bench, flavour and CPU count of a "
            f"published figure and {said(LETTER_SETTING, [*LETTER_SETTING], ', ')}; "
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
            columns.append((Column(name, name, LETTER_SETTING), {}))
            continue
        found = _columns(name, frame)
        if beside:
            found = [(_with_letter(*column, baselines), column[1]) for column in found]
        columns += found
    known = known_figures(design) if beside else {}
    lines = _lines(columns, known)
    cells = {cell for cell, _ in lines}
    benches = in_order(BENCHES, (bench for bench, _, _ in cells))
    designs = in_order(FLAVOURS, (name for _, name, _ in cells))
    lines.sort(key=lambda line: _place(line[0], benches, designs))
    return Comparison(
        tuple(column for column, _ in columns),
        tuple(_cell(cell, one, known.get(cell, ()), columns) for cell, one in lines),
    )


def _place(cell: Cell, benches: Sequence[str], designs: Sequence[str]) -> tuple[int, int, int]:
    return benches.index(cell[0]), designs.index(cell[1]), cell[2]


def _lines(
    columns: Sequence[tuple[Column, Mapping[Cell, Figure]]], known: Known
) -> list[tuple[Cell, PublishedFigure | None]]:
    """Every cell of a run or of the letter, as often as it has a published figure, or once."""
    found: list[tuple[Cell, PublishedFigure | None]] = []
    cells = dict.fromkeys(cell for _, figures in columns for cell in figures) | dict.fromkeys(known)
    for cell in cells:
        settings = [column.setting for column, figures in columns if cell in figures]
        ones = lines_of(cell, known.get(cell, ()), settings)
        found += [(cell, one) for one in ones]
        if settings and not ones:
            found.append((cell, None))
    return found


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


def _cell(
    cell: Cell,
    one: PublishedFigure | None,
    known: Sequence[PublishedFigure],
    columns: Sequence[tuple[Column, Mapping[Cell, Figure]]],
) -> ComparedCell:
    bench, name, cpus = cell
    figures: list[Figure | None] = []
    for column, found in columns:
        if column.source == PUBLISHED:
            figures.append(as_figure(one) if one else None)
        else:
            beside = one is None or stands_beside(one, known, column.setting)
            figures.append(found.get(cell) if beside else None)
    first = figures[0]
    made: list[Compared | None] = []
    for at, ((column, _), figure) in enumerate(zip(columns, figures, strict=True)):
        if figure is None:
            made.append(None)
            continue
        error = figure.mean / first.mean - 1 if at and first is not None and first.mean else None
        fitted, covers = False, None
        if one and column.source != PUBLISHED and is_of(one, column.setting):
            fitted = one.fitted and column.setting.get("source") == SIMULATED
            if figure.low is not None and figure.high is not None:
                covers = figure.low <= one.mhits_per_s <= figure.high
        made.append(Compared(**asdict(figure), error=error, calibration=fitted, covers=covers))
    return ComparedCell(bench, name, cpus, tuple(made), one)
