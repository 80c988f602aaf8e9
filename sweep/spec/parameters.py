"""Between the axes of a spec and a cell: the cell at a point of a grid, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from core.cell import Cell
from core.kernel.design import Design
from core.workload import STRESS, Workload
from sweep.spec.axes import DISTURBING


def cell_at(point: Mapping[str, Any], **rest: Any) -> Cell:
    """The cell with a value of `point` for every axis, and the other fields of Cell in `rest`.

    Of a flavour that is a design, the cell has its name and the design.
    """
    of_cell = {axis: value for axis, value in point.items() if axis not in DISTURBING}
    flavour = of_cell["flavour"]
    design = flavour if isinstance(flavour, Design) else None
    of_cell["flavour"] = design.name if design else flavour
    return Cell(**of_cell, **rest, workload=workload(point), design=design)


def workload(point: Mapping[str, Any]) -> Workload | None:
    """The workload of a cell whose axes are `point`; None if nothing disturbs its one consumer."""
    asked = {axis: point[axis] for axis in DISTURBING}
    if asked == DISTURBING and point["bench"] != STRESS:
        return None
    return Workload(**asked)


def parameters(cell: Cell) -> dict[str, Any]:
    """The id and everything else that names `cell`, ready for JSON: the machine is its name."""
    named = {field.name: getattr(cell, field.name) for field in fields(cell)}
    del named["workload"], named["design"]
    named |= DISTURBING if cell.workload is None else asdict(cell.workload)
    return {
        "cell_id": cell.cell_id,
        **named,
        "machine": cell.machine.name,
        "path_digest": cell.path_digest,
    }
