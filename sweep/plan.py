"""From a spec to its cells."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from itertools import product
from typing import Any

from core.engine.cell import Cell
from sweep.axes import AXES, named_machine
from sweep.spec import Spec


def plan(spec: Spec) -> list[Cell]:
    """Every cell of `spec`, once.

    The order is that of nested loops over bench, flavour, machine, spread, probes, seed, replicate
    and, innermost, cpus; each axis in the spec's own order. So the curve over CPUs of one
    configuration is a contiguous piece. Raises UsageError for a machine file gone since.
    """
    machines = {name: named_machine(name) for name in spec.machine}
    return [
        Cell(
            bench=bench,
            flavour=flavour,
            cpus=cpus,
            probes=probes,
            spread=spread,
            machine=machines[machine],
            seed=seed,
            replicate=replicate,
            warmup_ps=spec.warmup,
            duration_ps=spec.duration,
            sample_ps=spec.sample,
            ensemble=spec.ensemble,
        )
        for bench, flavour, machine, spread, probes, seed, replicate, cpus in product(
            spec.bench,
            spec.flavour,
            spec.machine,
            spec.spread,
            spec.probes,
            spec.seed,
            range(spec.replicates),
            spec.cpus,
        )
    ]


def parameters(cell: Cell) -> dict[str, Any]:
    """The id and everything else that names `cell`, ready for JSON: the machine is its name."""
    named = {field.name: getattr(cell, field.name) for field in fields(cell)}
    return {"cell_id": cell.cell_id, **named, "machine": cell.machine.name}


def run_id(spec: Spec) -> str:
    """The spec's name and 8 hex digits of the hash of what it asks for.

    The order of an axis' values does not count, nor how a time is written.
    """
    asked = spec.model_dump(exclude={"name"})
    asked.update({axis: sorted(asked[axis]) for axis in AXES})
    digest = hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4)
    return f"{spec.name}-{digest.hexdigest()}"
