"""The curves of a comparison as rows of the report's charts: no line holds two settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.errors import UsageError
from sweep.letter.published import COVER_LETTER, PublishedFigure
from sweep.report.compare import PUBLISHED, Column, Compared, Comparison
from sweep.report.tables import USUAL
from sweep.spec.axes import AXES, REQUIRED
from sweep.store.disturbed import mark
from sweep.store.settings import said, telling

MOST = 40
"""Panels of curves that a page has room for."""

BASELINE = "baseline"
"""The kind of a curve that is a law fitted to the published figures; others are a row's source."""

Row = dict[str, Any]

Place = tuple[Any, ...]
"""The values of _SHARED."""

_SHARED = [name for name in AXES if name not in (*REQUIRED, "seed", "machine")]
"""Axes in which all curves of a panel agree."""


@dataclass(frozen=True)
class Source:
    """What a curve is of beside its design: a run's setting, published, or a baseline."""

    name: str
    kind: str


@dataclass(frozen=True)
class Panel:
    """The curves of one bench in one setting; `rows` are points, in million hits per second."""

    bench: str
    setting: str
    rows: list[Row]

    @property
    def title(self) -> str:
        """The bench, and what is not as usual or differs from other panels."""
        return f"{self.bench}, {self.setting}" if self.setting else self.bench


def kind(column: Column) -> str:
    """One of the schema's SOURCES, or PUBLISHED."""
    return str(column.setting.get("source", PUBLISHED))


def sources(panels: Sequence[Panel]) -> list[Source]:
    """What the curves of all panels are of: published first, baselines last."""
    found = [Source(row["source"], row["kind"]) for panel in panels for row in panel.rows]
    last = {PUBLISHED: 0, BASELINE: 2}
    return sorted(dict.fromkeys(found), key=lambda source: last.get(source.kind, 1))


def panels(comparison: Comparison) -> list[Panel]:
    """A panel for each bench and setting that curves share. Raises UsageError if they are many."""
    placed: dict[Place, list[Row]] = {}
    for place, row in _points(comparison):
        placed.setdefault(place, []).append(row)
    values = [dict(zip(_SHARED, place, strict=True)) for place in placed]
    differing = telling(values)
    made = []
    for setting, rows in zip(values, placed.values(), strict=True):
        unusual = [n for n in setting if n in differing or setting[n] != USUAL.get(n)]
        for bench in dict.fromkeys(row["bench"] for row in rows):
            of_bench = _with_efficiency(_wanted([r for r in rows if r["bench"] == bench]))
            if of_bench:
                made.append(Panel(bench, said(setting, unusual, ", "), of_bench))
    if len(made) > MOST:
        raise UsageError(
            f"a report has room for {MOST} panels of a bench and a setting, these runs have "
            f"{len(made)}: choose by --only, as in --only {_example(differing, values)}"
        )
    return made


def _points(comparison: Comparison) -> Iterator[tuple[Place, Row]]:
    """Where each figure, and what baselines give beside it, is drawn, and its row.

    Rates are in million hits per second; `error` is against the first column, or against what is
    published. None for cells that nobody hits.
    """
    drawn: set[tuple[Place, str, str, str, int]] = set()
    for at, column in enumerate(comparison.columns):
        for cell in comparison.cells:
            figure = cell.figures[at]
            if figure is None or not figure.mean:
                continue
            name, place = column.name, _place(column.setting)
            if column.source == PUBLISHED and cell.published is not None:
                name = _published_name(cell.published)
                place = _place({**column.setting, "rcu": cell.published.rcu})
            # A figure stands beside each that is published of its cell; it is one point.
            key = place, name, cell.bench, cell.design, cell.cpus
            if key not in drawn:
                drawn.add(key)
                row = _row(Source(name, kind(column)), cell.bench, cell.design, cell.cpus, figure)
                yield place, row
    laws: dict[tuple[str, str, str, int], tuple[Place, Row]] = {}
    for column in comparison.columns:
        for baseline in column.letter.baselines if column.letter else ():
            for c in baseline.cells:
                laws[baseline.name, c.bench, c.flavour, c.cpus] = (
                    _place(column.setting),
                    {
                        "source": baseline.name,
                        "kind": BASELINE,
                        "bench": c.bench,
                        "design": c.flavour,
                        "cpus": c.cpus,
                        "mhits": c.predicted,
                        "error": c.error,
                    },
                )
    yield from laws.values()


def _wanted(rows: Sequence[Row]) -> list[Row]:
    """Without what is published of designs that no run has here."""
    ours = {row["design"] for row in rows if row["kind"] not in (PUBLISHED, BASELINE)}
    return [row for row in rows if row["design"] in ours]


def _with_efficiency(rows: Sequence[Row]) -> list[Row]:
    """Rows with the rate per CPU, and that over the same curve's on one CPU, None without one."""
    single = {(row["source"], row["design"]): row["mhits"] for row in rows if row["cpus"] == 1}
    made = []
    for row in rows:
        alone, each = single.get((row["source"], row["design"])), row["mhits"] / row["cpus"]
        made.append({**row, "per_cpu": each, "efficiency": each / alone if alone else None})
    return made


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


def _row(source: Source, bench: str, design: str, cpus: int, figure: Compared) -> Row:
    return {
        "source": source.name,
        "kind": source.kind,
        "bench": bench,
        "design": design,
        "cpus": cpus,
        "mhits": figure.mean,
        "stddev": figure.stddev,
        "low": figure.low,
        "high": figure.high,
        "replicates": figure.replicates,
        "error": figure.error,
        "calibration": figure.calibration,
        "covers": figure.covers,
        "disturbed": bool(mark(figure.cpu_share)),
    }


def _published_name(one: PublishedFigure) -> str:
    """The letter's is plain; the others are told apart by group and message."""
    return PUBLISHED if one.group == COVER_LETTER else f"{PUBLISHED}, {one.group}: {one.source}"


def _place(setting: Mapping[str, Any]) -> Place:
    return tuple(setting.get(name, AXES[name].default) for name in _SHARED)


def _example(differing: Sequence[str], values: Sequence[Mapping[str, Any]]) -> str:
    return f"{differing[0]}={values[0][differing[0]]}" if differing else "bench=uprobe-nop"
