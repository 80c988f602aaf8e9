"""Measurements beside predictions, with rows made by hand."""

from __future__ import annotations

import pytest
from frames import row
from tiny import FakeExecutor, fake_result

from core.cell import Cell
from sweep.plan.beyond import beyond
from sweep.report.beside_live import Beside, beside, render


def cell(**axes: object) -> Cell:
    return beyond({"machine": "host", **axes}).cells[0]


def test_each_row_is_beside_its_cell_of_this_host() -> None:
    axes = [{"bench": "uprobe-nop", "flavour": f, "cpus": 1} for f in ("v6.14", "v6.12")]
    rows = [row(**a, source="live", machine="host", cpu_share=1.0) for a in axes]
    found = beside(rows, 0, FakeExecutor())
    assert [one.predicted for one in found] == [fake_result(cell(**a)).hits_per_s for a in axes]
    assert [one.row for one in found] == rows


def test_the_error_and_what_is_outside() -> None:
    measured = row(hits_per_s=2e6, cpu_share=1.0)
    inside, outside = Beside(measured, 3e6, 1e6, 4e6), Beside(measured, 3e6, 2.5e6, 4e6)
    assert (inside.error, inside.inside, outside.inside) == (pytest.approx(0.5), True, False)
    assert Beside(measured, 3e6, None, None).inside is None
    text = render([inside, outside])
    assert "+50.0%" in text
    assert [line.endswith("outside") for line in text.splitlines()[2:4]] == [False, True]
