"""Calibration from published figures: primitives on one machine, then a few cells of the letter.

The figures stay on this side: `core.calibrate` is handed numbers, the engine never sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from core.calibrate.calibration import Stages
from core.calibrate.calibration import calibrate as calibrate_stages
from core.calibrate.fit import Report, Stage, fit, silent
from core.calibrate.one_cpu import ONE_CPU, Figure, on_one_cpu
from core.calibrate.parameters import (
    CLOCK_SHARE,
    FROM_CELLS,
    FROM_ONE_CURVE,
    FROM_PRIMITIVES,
    values_of,
    with_values,
)
from core.calibrate.points import CellPoints, PrimitivePoints
from core.machine.machine import MACHINES, Machine, load_machine
from sweep.calibration.workers import worker_processes
from sweep.errors import InfrastructureError, UsageError
from sweep.letter.published import (
    PUBLISHED,
    calibration_cells,
    one_cpu,
    primitive_curves,
    published_mhits,
)
from sweep.machines.located_yaml import yaml_text
from sweep.machines.machine_file import filled
from sweep.store.whole_file import write_whole

PRIMITIVES_ON = "xeon-8176"
CELLS_ON = "xeon-gold-6138"
"""Both are Skylake-SP: what primitives fix on the one holds for the other."""

IDLE_NS = 47.5
"""One way of a line between two cores of a socket; Xeon 8176, perfbook, cpu/overheads."""

BARE, GUEST = "Xeon Platinum 8176 8x28c/448t", "Xeon Platinum 8176 (KVM guest)"
CURVES = (
    ("atomic_inc shared", BARE, (1, 4, 8, 16, 28, 56)),
    ("refscale srcu lock+unlock pair", GUEST, (1, 16)),
)
"""Primitive, machine as published, and the CPU counts used: one socket, and two at 56. The guest's
contended pairs are left out: a pair of its atomics costs less than two of the bare machine's."""

ONE_CURVE = ("epyc-milan", "atomic_inc shared", "EPYC Milan guest 166 vCPU", 23.0)
"""A machine of which little more than a curve is known, the curve, and the way of an idle line in a
CCX (7R13, core-to-core-latency tables)."""
ONE_CURVE_CPUS = (1, 2, 4, 8, 16, 32, 64)

OWN = {
    "epyc-milan": {p.path for p in (*FROM_ONE_CURVE, CLOCK_SHARE)} | {"coherence.other_socket_ns"},
    "kunpeng-920": {
        "execution.locked_op_cycles",
        "coherence.transfer_ns",
        "coherence.other_socket_ns",
        "coherence.core_clock_share",
    },
    "generic": set(),
}
"""Machines that have the other fitted numbers of CELLS_ON, and what they have themselves."""

GENERATIONS = {"primitives": 20, "cells": 40, "one curve": 15}
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


def calibrate(
    wanted: Stages, report: Report = silent, workers: int | None = None
) -> tuple[Machine, ...]:
    """The shipped machines with values; the two of `wanted` also with intervals and members.

    On all cores. Deterministic. Raises InfrastructureError if one of the processes dies.
    """
    # Here first, so that what is compiled is cached before several processes ask for it.
    wanted.primitives.points.errors(wanted.bare)
    try:
        with worker_processes("core.calibrate.points", workers) as each:
            bare, machine = calibrate_stages(wanted, each, report)
            pair = with_one_cpu(bare, machine)
            others = {name: borrowed(name, pair[1]) for name in OWN}
            name, stage = ONE_CURVE[0], one_curve()
            values = fit(stage, others[name], each, report)
            found = dict(zip(stage.parameters, values.tolist(), strict=True))
            others[name] = with_values(others[name], found)
            return (*pair, *others.values())
    except BrokenProcessPool as error:
        raise InfrastructureError(f"a process of the calibration died: {error}") from error


def with_one_cpu(bare: Machine, machine: Machine) -> tuple[Machine, Machine]:
    """Both with the cycles of ONE_CPU that fit the figures of one CPU of `machine`."""
    fitted = on_one_cpu(machine, one_cpu_figures())
    cycles = {p.path: fitted.number(p.path) for p in ONE_CPU}
    return bare.with_numbers(cycles).with_calibration(bare.calibration), fitted


def one_curve() -> Stage[PrimitivePoints]:
    """The stage that fits FROM_ONE_CURVE on ONE_CURVE."""
    _, primitive, published_on, idle_ns = ONE_CURVE
    curve = primitive_curves(primitive, published_on)
    points = {(primitive, cpus): curve[cpus] for cpus in ONE_CURVE_CPUS}
    generations = GENERATIONS["one curve"]
    return Stage("one curve", PrimitivePoints(points, idle_ns), FROM_ONE_CURVE, generations)


def one_cpu_figures() -> list[Figure]:
    """Figures of one CPU that costs are fitted on: the letter's named cells, later designs."""
    alone = [cell for cell in sorted(calibration_cells()) if cell[2] == 1]
    mhits = published_mhits()
    columns = ("bench", "design", "rcu", "mhits_per_s")
    later = [
        Figure(bench, design, rcu, mhits * 1e6)
        for bench, design, rcu, mhits in one_cpu().select(columns).iter_rows()
    ]
    return [Figure(b, f, "default", mhits[f, b, n] * 1e6) for f, b, n in alone] + later


def borrowed(name: str, lender: Machine) -> Machine:
    """The shipped machine `name` with the fitted numbers of `lender`, but for its own."""
    fitted = {
        p.path: p for p in (*FROM_PRIMITIVES, *FROM_CELLS, *ONE_CPU) if p.path not in OWN[name]
    }
    return with_values(load_machine(name), values_of(lender, list(fitted.values())))


def machine_text(machine: Machine) -> str:
    """The text of a shipped machine's file with the values of `machine`; its comments stay."""
    text = filled((SHIPPED / f"{machine.name}.yaml").read_text(), machine)
    if machine.calibration is not None:
        text += yaml_text({"calibration": machine.calibration.model_dump(mode="json")})
    return text


def write_machine(machine: Machine, folder: Path = SHIPPED) -> Path:
    """Write the file of a shipped machine into `folder`, whole.

    Raises InfrastructureError if the disk fails.
    """
    path = folder / f"{machine.name}.yaml"
    write_whole(path, machine_text(machine).encode())
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
