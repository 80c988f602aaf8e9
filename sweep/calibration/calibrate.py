"""Calibration from published figures: primitives, and cells by the rule of cells.yaml.

The figures stay on this side: `core.calibrate` is handed numbers, the engine never sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from core.calibrate.calibration import Task
from core.calibrate.calibration import calibrate as calibrate_costs
from core.calibrate.fit import Report, Stage, fit, silent
from core.calibrate.one_cpu import ONE_CPU, Figure, on_one_cpu
from core.calibrate.parameters import FROM_ONE_CURVE, PARAMETERS, values_of, with_values
from core.calibrate.points import Cells, Primitives, with_costs_of
from core.machine.machine import MACHINES, Machine, load_machine
from sweep.calibration.workers import worker_processes
from sweep.errors import InfrastructureError, UsageError
from sweep.letter.later import DISPUTED, HAND_OFFS_NS
from sweep.letter.published import (
    PUBLISHED,
    calibration_cells,
    later_figures,
    primitive_curves,
    published_figures,
    published_mhits,
)
from sweep.machines.located_yaml import yaml_text
from sweep.machines.machine_file import filled
from sweep.store.whole_file import write_whole

PRIMITIVES_ON = "xeon-8176"
CELLS_ON = "xeon-gold-6138"
"""Both are Skylake-SP: costs are the same, clocks and topology are not."""

BARE, GUEST = "Xeon Platinum 8176 8x28c/448t", "Xeon Platinum 8176 (KVM guest)"
CURVES = (
    ("atomic_inc shared", BARE, (1, 2, 4, 8, 16, 28, 56)),
    ("refscale srcu lock+unlock pair", GUEST, (1, 16)),
)
"""Primitive, machine as published, and the CPU counts used: one socket, and two at 56. The guest's
contended pairs are left out: a pair of its atomics costs less than two of the bare machine's."""

ONE_CURVE = ("epyc-milan", "atomic_inc shared", "EPYC Milan guest 166 vCPU")
"""A machine of which little more than a curve is known, and the curve."""
ONE_CURVE_CPUS = (1, 2, 4, 8, 16, 32, 64)
OWN = {
    "epyc-milan": {
        *(p.path for p in FROM_ONE_CURVE),
        "coherence.other_socket_ns",
    },
    "kunpeng-920": {"execution.locked_op_cycles", "coherence.other_socket_ns"},
    "generic": set(),
}
"""Machines that have the other fitted numbers of CELLS_ON, and what they have themselves."""

STEPS = 12
"""Of the fit, at most."""

SHIPPED = Path(str(MACHINES))


def task(steps: int = STEPS, starts: int = 1) -> Task:
    """The fit on the committed figures. Raises UsageError where they are not."""
    if not PUBLISHED.is_dir():
        raise UsageError(f"no published figures: there is no {PUBLISHED}")
    curves = {
        (name, cpus): primitive_curves(name, published_on)[cpus]
        for name, published_on, counts in CURVES
        for cpus in counts
    }
    return Task(
        machine=load_machine(CELLS_ON),
        parameters=PARAMETERS,
        primitives=Primitives(curves, HAND_OFFS_NS, load_machine(PRIMITIVES_ON), DISPUTED),
        cells=Cells(
            {cell: known_rates()[cell] for cell in sorted(calibration_cells())},
            one_line=calibration_cells().difference(published_mhits()),
        ),
        steps=steps,
        starts=starts,
    )


def known_rates() -> dict[tuple[str, str, int], float]:
    """Published hits per second by flavour, bench and CPUs; of one cell's figures the first."""
    rates: dict[tuple[str, str, int], float] = {}
    for one in published_figures():
        if one.rcu == "default":
            rates.setdefault((one.flavour, one.bench, one.cpus), one.mhits_per_s * 1e6)
    return rates


def calibrate(
    wanted: Task, report: Report = silent, workers: int | None = None
) -> tuple[Machine, ...]:
    """The shipped machines with values; the two Skylakes also with intervals and members.

    On all cores. Deterministic. Raises InfrastructureError if one of the processes dies.
    """
    # Here first, so that what is compiled is cached before several processes ask for it.
    wanted.primitives.errors(wanted.machine)
    try:
        with worker_processes("core.calibrate.points", workers) as each:
            machine = with_one_cpu(calibrate_costs(wanted, each, report))
            bare = with_costs_of(load_machine(PRIMITIVES_ON), machine)
            others = {name: borrowed(name, machine) for name in OWN}
            name, stage = ONE_CURVE[0], one_curve()
            values = fit(stage, others[name], each, report)
            found = dict(zip(stage.parameters, values.tolist(), strict=True))
            others[name] = with_values(others[name], found)
            return (bare.with_calibration(machine.calibration), machine, *others.values())
    except BrokenProcessPool as error:
        raise InfrastructureError(f"a process of the calibration died: {error}") from error


def with_one_cpu(machine: Machine) -> Machine:
    """`machine` with the cycles of ONE_CPU that fit its figures of one CPU."""
    return on_one_cpu(machine, one_cpu_figures())


def one_curve() -> Stage:
    """The stage that fits FROM_ONE_CURVE on ONE_CURVE."""
    _, primitive, published_on = ONE_CURVE
    curve = primitive_curves(primitive, published_on)
    points = {(primitive, cpus): curve[cpus] for cpus in ONE_CURVE_CPUS}
    return Stage("one curve", Primitives(points, {}), FROM_ONE_CURVE, STEPS)


def one_cpu_figures() -> list[Figure]:
    """Figures of one CPU that costs are fitted on: the letter's named cells, later designs."""
    alone = [c for c in sorted(calibration_cells()) if c[2] == 1 and c in published_mhits()]
    mhits = published_mhits()
    columns = ("bench", "flavour", "rcu", "mhits_per_s")
    later = [
        Figure(bench, design, rcu, mhits * 1e6)
        for bench, design, rcu, mhits in later_figures("one_cpu").select(columns).iter_rows()
    ]
    return [Figure(b, f, "default", mhits[f, b, n] * 1e6) for f, b, n in alone] + later


def borrowed(name: str, lender: Machine) -> Machine:
    """The shipped machine `name` with the fitted numbers of `lender`, but for its own."""
    fitted = [p for p in (*PARAMETERS, *ONE_CPU) if p.path not in OWN[name]]
    return with_values(load_machine(name), values_of(lender, fitted))


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
