"""A spec's cells without a run folder."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sweep.errors import UsageError
from sweep.executors.in_process import InProcessExecutor
from sweep.plan.plan import plan, run_id
from sweep.spec.spec import Spec
from sweep.store.schema import SCHEMA, row

if TYPE_CHECKING:
    import polars as pl


def predict(spec: Spec) -> pl.DataFrame:
    """Simulate every cell of `spec` in this process; a row each, with the columns of `sweep.scan`.

    Rows are in the order of the grid. Rates such as `hits_per_s` are per second; times are in the
    unit that a column's name ends in. A spec with an `ensemble` has `predicted_low` and
    `predicted_high`. Stores nothing: `sweep.run` does, and goes on where it was interrupted.

    Raises UsageError for a spec with a precision, whose cells depend on what is stored, and
    RuntimeError with the traceback of a cell that fails.
    """
    import polars as pl

    if spec.repeats_for is not None:
        raise UsageError("a spec with a precision needs a run folder: see sweep.run")
    cells, rows = plan(spec), {}
    with closing(InProcessExecutor()) as executor:
        for outcome in executor.run(cells):
            if outcome.result is None:
                raise RuntimeError(outcome.error)
            rows[outcome.cell.cell_id] = row(outcome.cell, outcome.result, run_id(spec))
    in_order = [rows[cell.cell_id] for cell in cells]
    return pl.DataFrame(in_order, schema=pl.DataFrame(SCHEMA.empty_table()).schema)
