"""The registry of axes and what is derived from it."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace

import pytest
from tiny import tiny_spec

from core.cell import Cell
from core.engine.spread import SPREADS
from core.workload import Workload
from sweep.plan.plan import plan
from sweep.spec.axes import AXES, DISTURBING, OF_PATH, ORDER, REQUIRED
from sweep.spec.parameters import parameters
from sweep.spec.spec import Spec
from sweep.store.schema import CELL, SCHEMA

TIMES = {"warmup_ps", "duration_ps", "sample_ps"}
NOT_VARIED = {*TIMES, "replicate", "ensemble", "edits", "workload", "design", "precision"}
"""Fields of a cell that a spec has beside its axes, or (edits) none."""


def test_every_field_of_a_cell_and_of_its_workload_is_an_axis() -> None:
    of_cell = {field.name for field in fields(Cell)} - NOT_VARIED
    of_workload = {field.name for field in fields(Workload)}
    assert of_cell.isdisjoint(of_workload)
    assert of_cell | of_workload == set(AXES)
    assert of_workload == set(DISTURBING)


@pytest.mark.parametrize("field", [*fields(Cell), *fields(Workload)], ids=lambda field: field.name)
def test_the_default_of_an_axis_is_that_of_its_field(field) -> None:  # type: ignore[no-untyped-def]
    if field.name in AXES and field.default is not MISSING:
        assert AXES[field.name].default == field.default


def test_defaults_are_values_that_may_be_written() -> None:
    for name, axis in AXES.items():
        if name not in REQUIRED:
            assert axis.check(name, None, axis.default) == axis.default
            assert type(axis.default) is axis.type


def test_a_spec_has_a_field_for_every_axis_and_requires_what_has_no_default() -> None:
    assert {name for name, field in Spec.model_fields.items() if field.is_required()} == set(
        REQUIRED
    )
    assert all(Spec.model_fields[n].default == (AXES[n].default,) for n in {*AXES} - {*REQUIRED})


def test_rows_have_a_column_for_every_axis() -> None:
    types = {str: "string", int: "int64", bool: "bool"}
    assert {n: str(SCHEMA.field(n).type) for n in AXES} == {
        name: types[axis.type] for name, axis in AXES.items()
    }
    assert set(ORDER) <= {column.name for column in CELL}


def test_a_cell_gives_its_point_back() -> None:
    spec = tiny_spec(
        bench="uprobe-nop",
        flavour="srcu",
        cpus=2,
        rcu="srcu",
        owner_beside_count="true",
        probes=9,
        spread="zipf",
        consumers=7,
        stalls=3,
        seed=5,
    )
    [cell] = plan(spec)
    named = parameters(cell)
    assert {name: (named[name],) for name in AXES} == {name: getattr(spec, name) for name in AXES}


def test_two_cells_of_one_path_differ_in_no_axis_that_it_follows_from() -> None:
    assert OF_PATH == ("bench", "flavour", "rcu", "owner_beside_count")
    [cell] = plan(tiny_spec(cpus=1))
    other = replace(cell, spread=SPREADS[-1], probes=8, processes=2, seed=7, cpus=2)
    assert cell.path_digest == other.path_digest
