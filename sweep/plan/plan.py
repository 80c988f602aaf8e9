"""From a spec to its cells."""

from __future__ import annotations

import hashlib
import json
from itertools import product
from typing import Any

from core.cell import Cell
from sweep.machines.named import named_machine
from sweep.spec.axes import AXES, ORDER
from sweep.spec.designs import named_flavour
from sweep.spec.parameters import cell_at
from sweep.spec.spec import Spec


def plan(spec: Spec) -> list[Cell]:
    """Every cell of `spec`, once, without the replicates that its precision may ask for later.

    The order is that of nested loops over ORDER, each axis in the spec's own order. So the curve
    over CPUs of one configuration is a contiguous piece. Raises UsageError for a machine's or a
    design's file gone since.
    """
    replicates = {"replicate": range(spec.first_replicates)}
    machines = {"machine": [named_machine(name) for name in spec.machine]}
    flavours = {"flavour": [named_flavour(name) for name in spec.flavour]}
    values = {**dict(spec), **machines, **flavours, **replicates}
    points = product(*(values[axis] for axis in ORDER))
    return [_cell(spec, dict(zip(ORDER, point, strict=True))) for point in points]


def _cell(spec: Spec, point: dict[str, Any]) -> Cell:
    return cell_at(
        point,
        warmup_ps=spec.warmup,
        duration_ps=spec.duration,
        sample_ps=spec.sample,
        ensemble=spec.ensemble,
    )


def run_id(spec: Spec) -> str:
    """The spec's name and 8 hex digits of the hash of what it asks for.

    The order of an axis' values does not count, nor how a time is written.
    """
    precision = {"precision", "max_replicates"} if spec.precision is None else set()
    asked = spec.model_dump(exclude={"name", *precision})
    asked.update({axis: sorted(asked[axis]) for axis in AXES})
    digest = hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4)
    return f"{spec.name}-{digest.hexdigest()}"
