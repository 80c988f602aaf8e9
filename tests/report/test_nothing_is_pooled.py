"""Two values of an axis, or of any other key, never share a figure of any output."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from frames import DEFAULTS, frame, row
from shares import frames
from tiny import FakeExecutor, fake_result

from core.machine.machine import load_machine
from sweep.errors import UsageError
from sweep.plan.cost import estimate
from sweep.report import side_by_side_text, stress_text
from sweep.report.by_axis import by_axis
from sweep.report.compare import Comparison, beside_published, compare
from sweep.report.compare_text import render
from sweep.report.diff import difference
from sweep.report.explain import explain
from sweep.report.picture import PUBLISHED, picture
from sweep.report.tables import described, letter_lines
from sweep.spec.axes import AXES
from sweep.spec.parameters import cell_at
from sweep.store import schema
from sweep.store.schema import COLUMNS, POOLED, Role

KEYS = [c.name for c in COLUMNS if c.role in (Role.KEY, Role.PATH)]
TEXTS = {c.name for c in COLUMNS if pa.types.is_string(c.type)}
VALUES = {
    "bench": ("uprobe-nop", "uretprobe-nop", "uprobe-push"),
    "flavour": ("baseline", "srcu", "srcu+ri-rcu"),
    "rcu": ("default", "srcu", "srcu-fast"),
    "machine": ("xeon-gold-6138", "epyc-milan", "generic"),
    "spread": ("shared", "private", "zipf"),
}
"""Of axes and columns of text, first as `row` has it; others are counted from their value there."""

LOW, HIGH = 1e6, 9e6


def values_of(name: str) -> tuple[Any, Any, Any]:
    usual = DEFAULTS[name]
    if name in VALUES:
        return VALUES[name]
    if isinstance(usual, bool):
        return usual, not usual, not usual
    if name in TEXTS:
        return usual, "one", "two"
    return usual, (usual or 0) + 1, (usual or 0) + 2


def pairs() -> Iterator[Any]:
    for name in KEYS:
        usual, one, two = values_of(name)
        for first, second in ((usual, one), (one, two), (one, usual)):
            if first != second:
                yield pytest.param(name, first, second, id=f"{name}-{first}-{second}")


def made(name: str, first: object, second: object, **also: object) -> pl.DataFrame:
    """Two rows that differ in one column, of 1 and 9 million hits per second."""
    return frame(
        row(**{"hits_per_s": LOW, name: first, **also}),
        row(**{"hits_per_s": HIGH, name: second, **also}),
    )


def means(found: Comparison, *sources: str) -> list[float]:
    figures = [
        (column.source, figure)
        for cell in found.cells
        for column, figure in zip(found.columns, cell.figures, strict=True)
        if figure
    ]
    assert all(figure.replicates == 1 for _, figure in figures)
    return sorted(figure.mean for source, figure in figures if source in sources)


def unless_refused(call: Callable[[], Any], why: str) -> Any:
    """What the call gives; None if it is refused, which has to say why."""
    try:
        return call()
    except UsageError as error:
        if why not in str(error):
            raise
        return None


each = pytest.mark.parametrize(("name", "first", "second"), list(pairs()))


def test_every_axis_but_the_seed_and_every_forgotten_column_is_a_key() -> None:
    assert set(AXES) - {"seed"} <= set(KEYS)
    assert {
        *("cell_id", "run_id", "seed", "replicate", "wall_seconds", "schema_version"),
    } == POOLED


@each
def test_tables(name: str, first: object, second: object) -> None:
    cells = made(name, first, second).with_columns(unreaped_bytes=0)
    text = letter_lines(cells.filter(~stress_text.with_writers()))
    if len(disturbed := cells.filter(stress_text.with_writers())):
        text += stress_text.render(disturbed)
    assert "1.000" in text
    assert "9.000" in text
    assert "5.000" not in text


@each
def test_writers(name: str, first: object, second: object) -> None:
    cells = made(name, first, second, **({"stalls": 9} if name != "stalls" else {}))
    lines = stress_text.render(cells.with_columns(unreaped_bytes=0)).splitlines()
    assert len([line for line in lines if "1.000" in line or "9.000" in line]) == 2
    told = {
        tuple(word for word in line.split() if word not in ("1.000", "9.000"))
        for line in lines[-2:]
    }
    assert len(told) == 2, "nothing says which line is which"


@each
def test_compare_beside_the_letter(name: str, first: object, second: object) -> None:
    cells = made(name, first, second)
    found = unless_refused(lambda: beside_published("run", cells), "nothing to compare")
    if found is None:
        return
    assert len(means(found, "run")) + found.left_out == 2
    assert set(means(found, "run")) <= {1.0, 9.0}
    assert [r.replicates for one in found.letter.values() for r in one.rows].count(2) == 0


@each
def test_compare_mixed(name: str, first: object, second: object) -> None:
    cells = made(name, first, second)
    for sources in ({"run": cells, "published": None}, {"run": cells, "again": cells}):
        found = unless_refused(partial(compare, sources), "nothing to compare")
        if found is None:
            continue
        assert means(found, "run") == [1.0, 9.0]
        assert len({column.name for column in found.columns}) == len(found.columns)
        assert "5.000" not in render(found)


@each
def test_explain(name: str, first: object, second: object) -> None:
    cells, shares = frames({name: first}, {name: second})
    points = [point for curve in explain(cells, shares) for point in curve.points]
    assert [point.replicates for point in points] == [1, 1]


@each
def test_diff(name: str, first: object, second: object) -> None:
    cells = made(name, first, second)
    found = unless_refused(lambda: difference(cells, cells), f"with several {name}")
    if found is not None:
        assert sorted(cell.before for cell in found.cells) == [1.0, 9.0]


@each
def test_tables_as_json(name: str, first: object, second: object) -> None:
    rows = [r for table in described(made(name, first, second)) for r in table["rows"]]
    assert sorted(row["hits_per_s"] for row in rows) == [LOW, HIGH]


@each
def test_by_axis(name: str, first: object, second: object) -> None:
    cells = made(name, first, second)
    _, shares = frames({name: first}, {name: second})
    sides = [
        side
        for other in dict.fromkeys((name, "bench"))
        for found in [
            unless_refused(
                partial(by_axis, cells, other, shares.clear(), {}, FakeExecutor()), "nothing to"
            )
        ]
        if found is not None
        and "1.000" in side_by_side_text.render(found)
        and "9.000" in side_by_side_text.render(found)
        for line in found.lines
        for side in line.sides
        if side is not None
    ]
    assert [side.hits_per_s for side in sides if side.hits_per_s not in (LOW, HIGH)] == []
    assert len(sides) == 2


@each
@pytest.mark.parametrize("kind", ["throughput", "latency"])
def test_plot(name: str, first: object, second: object, kind: str) -> None:
    also = {"attach_p50_s": LOW, "attach_p99_s": HIGH}
    for given in ({}, {"probes": 2}, {"stalls": 9}):
        if name not in given:
            cells = made(name, first, second, **given, **also)
            for facet in (None, name):
                check_points(cells, kind, facet)


def check_points(cells: pl.DataFrame, kind: str, facet: str | None) -> None:
    """Each row is a point of its own, or said to be left out."""
    shown = unless_refused(lambda: picture(cells, kind, facet), "nothing to draw")
    if shown is None:
        return
    curves = [c for c in shown.curves if c.source != PUBLISHED and c.quantile != "p99"]
    points = [y for curve in curves for y in curve.y]
    left_out = sum(map(int, re.findall(r"(\d+) result", shown.left_out)))
    assert len(points) + left_out == 2
    if kind == "throughput":
        assert set(points) <= {1.0, 9.0}
    looks = [
        (at, n, c.design, c.source, x)
        for at, row in enumerate(shown.rows)
        for n, panel in enumerate(row)
        for c in panel.curves
        if c in curves
        for x in c.x
    ]
    assert len({*looks}) == len(looks), "nothing says which point is which"
    assert len({*shown.settings}) == len(shown.settings)


@pytest.mark.parametrize("name", [name for name in AXES if name != "seed"])
def test_cost(name: str) -> None:
    point = {axis: VALUES[axis][0] if axis in VALUES else DEFAULTS[axis] for axis in AXES}
    times = {"replicate": 0, "warmup_ps": 0, "duration_ps": 10**6, "sample_ps": 10**6}
    machines = {"machine": load_machine(point["machine"])}
    one = cell_at({**point, **machines}, **times)
    value = values_of(name)[1]
    changed = {name: load_machine(value) if name == "machine" else value}
    two = cell_at({**point, **machines, **changed}, **times)
    past = frame(
        *(
            {**schema.row(cell, fake_result(cell), ""), "wall_seconds": w}
            for cell, w in ((one, 1.0), (two, 9.0))
        )
    )
    for cell, seconds in ((one, 1.0), (two, 9.0)):
        cost = estimate([cell], past)
        assert cost is not None
        assert (cost.core_seconds, cost.measured) == (pytest.approx(seconds), 1)
