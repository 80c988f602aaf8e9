"""Calibration from published figures: primitives on one machine, then a few cells of the letter.

The figures stay on this side: `core.calibrate` is handed numbers, the engine never sees them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core.calibrate.fit import fit_cells, fit_primitives, with_costs
from core.calibrate.parameters import CLOCK_SHARE, with_values
from core.hardware.machine import MACHINES, Machine, load_machine
from sweep.published import calibration_cells, primitive_curves, published_mhits

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


def calibrate() -> list[Machine]:
    """The two machines with freshly fitted parameters. Deterministic; some minutes."""
    curves = {
        name: {cpus: primitive_curves(name, published_on)[cpus] for cpus in counts}
        for name, published_on, counts in CURVES
    }
    primitive = fit_primitives(load_machine(PRIMITIVES_ON), curves, IDLE_NS)
    figures = {cell: published_mhits()[cell] * 1e6 for cell in sorted(calibration_cells())}
    letter = fit_cells(with_costs(load_machine(CELLS_ON), primitive), figures)
    kept = with_values(
        with_costs(primitive, letter), {CLOCK_SHARE: primitive.coherence.core_clock_share}
    )
    return [kept, letter]


def write_machine(machine: Machine) -> Path:
    """Write a shipped machine's file anew; its leading comment stays."""
    path = Path(str(MACHINES)) / f"{machine.name}.yaml"
    comment = [line for line in path.read_text().splitlines() if line.startswith("#")]
    body: dict[str, Any] = machine.model_dump(mode="json")
    path.write_text("\n".join(comment) + "\n" + yaml.safe_dump(body, sort_keys=False))
    return path


if __name__ == "__main__":
    for fitted in calibrate():
        print(write_machine(fitted))
