"""Cells that failed: the columns of the table `failures`, and the command that runs one again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa

from core.cell import Cell
from sweep.executors.base import Outcome
from sweep.spec.axes import ORDER
from sweep.spec.durations import format_duration
from sweep.spec.parameters import parameters
from sweep.spec.spec import AUTO, AUTO_PRECISION, Spec, usual
from sweep.store.schema import CELL, TIMES, Column, Row, cell_columns, schema_of

FAILURE_VERSION = 1
"""Raised whenever a column is added, dropped or means something else."""

FAILURE_COLUMNS = (
    *CELL,
    Column("error", pa.string()),
    Column("rerun", pa.string()),
    Column("failed_at", pa.string()),
    Column("schema_version", pa.int64()),
)
FAILURE_SCHEMA = schema_of(FAILURE_COLUMNS)
"""Every file of failures has these columns, in this order.

Those up to `model_version` are the cell's own, as in `SCHEMA`. `error` is the traceback of its last
attempt, `rerun` a line for the shell that simulates this cell alone, `failed_at` an ISO date (UTC).
"""


def failure_row(outcome: Outcome, run_id: str, called: Mapping[str, str]) -> Row:
    """The row of a cell that failed; `called` has what the spec calls axes of it."""
    cell = outcome.cell
    return {
        **cell_columns(cell, run_id),
        "error": outcome.error or "no reason was given",
        "rerun": rerun_command(cell, called),
        "failed_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "schema_version": FAILURE_VERSION,
    }


def rerun_command(cell: Cell, called: Mapping[str, str]) -> str:
    """The line that simulates `cell` alone; `called` has what the spec calls axes of it.

    Needs neither the spec nor the run. What a spec has by default is left away.
    """
    named = parameters(cell)
    asked = {axis: named[axis] for axis in (*ORDER, "ensemble")}
    asked.update(called)
    if not asked["replicate"]:
        del asked["replicate"]
    times = {name: getattr(cell, f"{name}_ps") for name in TIMES}
    if cell.precision is not None:
        times["duration"] = AUTO
        if cell.precision != AUTO_PRECISION:
            asked["precision"] = cell.precision
    settings = [
        f"{axis}={str(value).lower() if isinstance(value, bool) else value}"
        for axis, value in asked.items()
        if axis not in Spec.model_fields or value != _only(usual(axis, times["duration"]))
    ]
    settings += [
        f"{name}={format_duration(ps)}"
        for name, ps in times.items()
        if ps != usual(name, times["duration"])
    ]
    return shlex.join(["uprobe-sweep", "rerun", *settings])


def last_line(error: str) -> str:
    """What a traceback comes to: its last line."""
    return (error.strip().splitlines() or [""])[-1]


def _only(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value
