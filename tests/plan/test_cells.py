"""Cells of a plan by their ids, made when they are asked for."""

from __future__ import annotations

import gc

import polars as pl
import pytest
from tiny import FakeExecutor, tiny_spec

from core.cell import Cell
from sweep.driver.driver import run, survey
from sweep.plan.cells import Cells, counted
from sweep.plan.cost import NAMES, estimate
from sweep.plan.plan import Grid, plan

SPEC = tiny_spec(
    flavour=["srcu", "baseline"], cpus=[1, 3], seed=[5, 2, 9], probes=[1, 2], replicates=4
)
ALL = plan(SPEC)


def test_a_grid_has_the_cells_of_nested_loops_in_any_order_of_asking() -> None:
    grid = Grid(SPEC)
    assert (len(grid), list(grid)) == (len(ALL), ALL)
    assert [grid[at] for at in range(-len(ALL), len(ALL))] == ALL + ALL
    assert grid[3:40:7] == ALL[3:40:7]
    with pytest.raises(IndexError):
        grid[len(ALL)]
    digits = [(c.probes, c.flavour, c.seed, c.replicate, c.cpus) for c in ALL]
    assert len(set(digits)) == len(ALL) == 96
    assert [c.cpus for c in ALL] == [1, 3] * 48


@pytest.mark.parametrize("cells", [Grid(SPEC), ALL], ids=["grid", "list"])
def test_cells_are_found_by_id_and_left_out_by_id(cells: Grid | list[Cell]) -> None:
    found, by_id = Cells(cells), {cell.cell_id: cell for cell in ALL}
    assert dict(found) == by_id
    assert list(found) == list(by_id)
    assert "0" * 16 not in found
    assert "f" * 16 not in found
    with pytest.raises(KeyError):
        found["0" * 16]
    gone = {cell.cell_id for cell in ALL[::3]}
    left = [cell for cell in ALL if cell.cell_id not in gone]
    assert "no id" not in found
    for ids in (gone, gone | {"0" * 16}, gone | {"no id", "bc810befd34010f:9"}):
        assert list(found.without(ids)) == left
    assert [found.without(gone)[at] for at in (0, 5, -1)] == [left[0], left[5], left[-1]]
    assert list(found.without(gone)[2:5]) == left[2:5]
    assert list(found.without(())) == ALL
    assert not found.without(by_id.keys())


def test_what_is_like_another_costs_as_much_and_is_looked_at_once() -> None:
    past = pl.DataFrame(
        [dict.fromkeys(NAMES, "x") | {"cpus": 1, "wall_seconds": 2.0}]
    ).with_columns(warmup_s=0.0, samples=1, sample_s=1e-3, precision=None)
    left = Cells(Grid(SPEC)).without({ALL[0].cell_id})
    kinds = list(counted(left))
    assert len(kinds) == 8
    assert sum(count for _, count in kinds) == len(left) == 95
    whole, one_by_one = estimate(left, past), estimate(list(left), past)
    assert whole is not None
    assert one_by_one is not None
    assert whole.core_seconds == pytest.approx(one_by_one.core_seconds)
    assert (whole.cells, whole.measured) == (one_by_one.cells, one_by_one.measured)


def test_kinds_have_every_machine_and_path() -> None:
    found = Cells(Grid(SPEC)).kinds()
    assert {(c.machine.name, c.path_digest, c.flavour) for c in found} == {
        (c.machine.name, c.path_digest, c.flavour) for c in ALL
    }


def test_a_survey_keeps_no_cell() -> None:
    before = sum(isinstance(thing, Cell) for thing in gc.get_objects())
    work = survey(tiny_spec(seed=range(2000)))
    to_do = work.to_do()
    gc.collect()
    assert sum(isinstance(thing, Cell) for thing in gc.get_objects()) - before < 10
    assert len(work.cells) == len(to_do) == 4000


def test_a_broken_off_run_of_a_grid_does_the_rest(tmp_path: object) -> None:
    out = str(tmp_path)
    assert run(SPEC, out, FakeExecutor()).done == 96
    wider = SPEC.model_copy(update={"seed": (5, 1, 9)})
    summary = run(type(SPEC)(**wider.model_dump()), out, FakeExecutor())
    assert (summary.done, summary.skipped) == (32, 64)
