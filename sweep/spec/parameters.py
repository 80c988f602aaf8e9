"""What names a cell: its axes in the order of a plan, and its parameters as data."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from core.cell import Cell
from sweep.spec.churn import DEFAULTS, axes

ORDER = (
    "bench",
    "flavour",
    "rcu",
    "owner_beside_count",
    "machine",
    "spread",
    "probes",
    "processes",
    *DEFAULTS,
    "seed",
    "replicate",
    "cpus",
)
"""The axes of a plan, those that change slowest first."""


def parameters(cell: Cell) -> dict[str, Any]:
    """The id and everything else that names `cell`, ready for JSON: the machine is its name."""
    named = {field.name: getattr(cell, field.name) for field in fields(cell)}
    del named["workload"]
    named |= axes(cell.workload)
    return {"cell_id": cell.cell_id, **named, "machine": cell.machine.name}
