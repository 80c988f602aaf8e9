"""Calibration from published figures: primitives on one machine, then a few cells of the letter.

The figures stay on this side: `core.calibrate` is handed numbers, the engine never sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import yaml

from core.calibrate.calibration import Pair, Stages
from core.calibrate.calibration import calibrate as calibrate_stages
from core.calibrate.fit import Report, Stage, silent
from core.calibrate.parameters import FROM_CELLS, FROM_PRIMITIVES
from core.calibrate.points import CellPoints, PrimitivePoints
from core.hardware.machine import MACHINES, Machine, load_machine
from sweep.errors import InfrastructureError, UsageError
from sweep.published import PUBLISHED, calibration_cells, primitive_curves, published_mhits
from sweep.whole_file import whole_file
from sweep.workers import worker_processes

PRIMITIVES_ON = "xeon-8176"
CELLS_ON = "xeon-gold-6138"
"""Both are Skylake-SP: what primitives fix on the one holds for the other."""

IDLE_NS = 47.5
"""One way of a line between two cores of a socket; Xeon 8176, perfbook, cpu/overheads."""

BARE, GUEST = "Xeon Platinum 8176 8x28c/448t", "Xeon Platinum 8176 (KVM guest)"
CURVES = (
    ("atomic_inc shared", BARE, (1, 4, 8, 16, 28)),
    ("refscale refcnt lock+unlock pair", GUEST, (28,)),
    ("refscale rwlock lock+unlock pair", GUEST, (28,)),
    ("refscale srcu lock+unlock pair", GUEST, (1, 16)),
)
"""Primitive, machine as published, and the CPU counts used: one socket. The guest's contended
pairs have one noisy point each: they cost less than two of the bare machine's atomics, which are
the same operations. Its rwsem pair is left out, for it holds more than locked operations."""

GENERATIONS = {"primitives": 20, "cells": 40}
"""Of each stage, at most."""

SHIPPED = Path(str(MACHINES))


def stages(generations: Mapping[str, int] = GENERATIONS) -> Stages:
    """The two stages on the committed figures. Raises UsageError where they are not."""
    if not PUBLISHED.is_dir():
        raise UsageError(f"no published figures: {PUBLISHED} is only in the project's repository")
    curves = {
        (name, cpus): primitive_curves(name, published_on)[cpus]
        for name, published_on, counts in CURVES
        for cpus in counts
    }
    figures = {cell: published_mhits()[cell] * 1e6 for cell in sorted(calibration_cells())}
    return Stages(
        bare=load_machine(PRIMITIVES_ON),
        machine=load_machine(CELLS_ON),
        primitives=Stage(
            "primitives",
            PrimitivePoints(curves, IDLE_NS),
            FROM_PRIMITIVES,
            generations["primitives"],
        ),
        cells=Stage("cells", CellPoints(figures), FROM_CELLS, generations["cells"]),
    )


def calibrate(wanted: Stages, report: Report = silent, workers: int | None = None) -> Pair:
    """The two machines with values, intervals and members, on all cores. Deterministic.

    Raises InfrastructureError if one of the processes dies.
    """
    # Here first, so that what is compiled is cached before several processes ask for it.
    wanted.primitives.points.errors(wanted.bare)
    try:
        with worker_processes("core.calibrate.points", workers) as each:
            return calibrate_stages(wanted, each, report)
    except BrokenProcessPool as error:
        raise InfrastructureError(f"a process of the calibration died: {error}") from error


def machine_text(machine: Machine) -> str:
    """What the machine's file holds, below its comment."""
    tree = machine.model_dump(mode="json")
    calibration = tree.pop("calibration")
    text: str = yaml.safe_dump(tree, sort_keys=False)
    if calibration is not None:
        section = {"calibration": calibration}
        text += yaml.safe_dump(section, sort_keys=False, default_flow_style=None, width=100)
    return text


def write_machine(machine: Machine, folder: Path = SHIPPED) -> Path:
    """Write the file of a shipped machine into `folder`, whole; the shipped one's comment stays.

    Raises InfrastructureError if the disk fails.
    """
    shipped = (SHIPPED / f"{machine.name}.yaml").read_text().splitlines()
    comment = [line for line in shipped if line.startswith("#")]
    path = folder / f"{machine.name}.yaml"
    with whole_file(path, folder) as temporary:
        temporary.write_text("\n".join([*comment, machine_text(machine)]))
    return path


def differences_from_shipped(machines: Iterable[Machine]) -> dict[str, list[str]]:
    """By machine, if there are any: the values that the shipped file has otherwise."""
    found = {m.name: differences(load_machine(m.name), m) for m in machines}
    return {name: paths for name, paths in found.items() if paths}


def differences(machine: Machine, other: Machine) -> list[str]:
    """Dotted paths of what two machines have otherwise, in the order of a file; a list is one."""
    one, two = (dict(_leaves(m.model_dump(mode="json"))) for m in (machine, other))
    return [path for path in {**one, **two} if one.get(path) != two.get(path)]


def _leaves(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested mappings, with its path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
