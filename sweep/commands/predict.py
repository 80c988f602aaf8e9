"""`uprobe-sweep predict`: what a machine would do, beyond its own size too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from sweep.commands.asked import (
    cells_asked,
    ensemble_option,
    kernel_option,
    kernels,
    not_calibrated,
    values,
)
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import json_option, note_idle_edits, print_json, shown_cells
from sweep.errors import UsageError

if TYPE_CHECKING:
    from core.cell import Cell, CellResult

USUAL = ["uprobe-nop", "uretprobe-nop"]


@click.command(cls=AxesCommand)
@kernel_option
@ensemble_option
@json_option
def predict(axes: dict[str, str], kernel: str | None, ensemble: int, as_json: bool) -> None:
    """Predict hits per second on a machine, also with more CPUs than it has.

    --cpus is needed. Without --kernel or --flavour it is the running kernel, without --machine this
    host, without --bench uprobe-nop and uretprobe-nop. Beyond a machine's size, more cores of the
    same kind are assumed at the same costs; what was assumed is printed. Nothing is stored.

    \b
    uprobe-sweep predict --cpus 64 --kernel v6.12,v6.14
    uprobe-sweep predict --cpus 1,2,128 --flavour srcu --machine epyc-milan
    uprobe-sweep predict --cpus 8 --kernel v6.14 --probes 1,50 --processes 4 --spread private
    """
    if kernel is not None and "flavour" in axes:
        raise UsageError("--kernel and --flavour exclude each other")
    if "cpus" not in axes:
        raise UsageError("--cpus is missing: write --cpus 1,64 or --cpus 1-8")
    from sweep.driver.driver import Progress
    from sweep.executors.in_process import InProcessExecutor
    from sweep.live.kernel import running
    from sweep.machines.host import HOST
    from sweep.report.what_if import simulated

    asked = values(axes, machine=HOST, bench=USUAL)
    assumed: list[str] = []
    facts: list[dict[str, str]] = []
    if "flavour" not in axes:
        asked["flavour"], assumed, facts = kernels(running() if kernel is None else kernel)
    found = cells_asked(asked, ensemble)
    note_idle_edits({cell.flavour for cell in found.cells if cell.design is None})
    assumed += [*found.assumed, *not_calibrated(asked["machine"])]
    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        report(Progress(len(found.cells)))
        results = simulated(found.cells, executor, report, 0, len(found.cells))
    pairs = list(zip(found.cells, results, strict=True))
    if as_json:
        titles = [machine.title for machine in found.machines]
        about = {
            "machine": titles if len(titles) > 1 else titles[0],
            "kernel": facts if len(facts) > 1 else next(iter(facts), None),
        }
        print_json({**about, "assumed": assumed, "rows": [_row(*pair) for pair in pairs]})
        return
    for fact in facts:
        print("kernel {asked}, modelled as {release}: {design}".format(**fact))
    grouped: dict[str, list[str]] = {}
    for pair, which in zip(pairs, _which(found.cells), strict=True):
        grouped.setdefault(which, []).append(_line(*pair))
    for which, lines in grouped.items():
        print("\n".join([which, *lines]))
    for assumption in assumed:
        print(f"assumed: {assumption}")


def _which(cells: Sequence[Cell]) -> list[str]:
    """For each cell what is over its lines: design and machine, and what else tells cells apart."""
    from sweep.spec.axes import AXES, REQUIRED
    from sweep.spec.parameters import parameters

    rows = [parameters(cell) for cell in cells]
    shown = [
        axis
        for axis in AXES
        if axis not in (*REQUIRED, "machine")
        and any(row[axis] != AXES[axis].default for row in rows)
    ]
    return [
        ", ".join(
            [
                f"{cell.flavour} on {cell.machine.name}: {cell.machine.title}",
                *(f"{axis}={row[axis]}" for axis in shown),
            ]
        )
        for cell, row in zip(cells, rows, strict=True)
    ]


def _row(cell: Cell, result: CellResult) -> dict[str, Any]:
    from sweep.spec.axes import AXES
    from sweep.spec.parameters import parameters

    named = parameters(cell)
    return {
        **{axis: named[axis] for axis in AXES},
        "hits_per_s": result.hits_per_s,
        "predicted_low": result.predicted_low,
        "predicted_high": result.predicted_high,
        "state_low": result.states and result.states.low,
        "state_high": result.states and result.states.high,
        "half_width": result.half_width,
    }


def _line(cell: Cell, result: CellResult) -> str:
    total = result.hits_per_s / 1e6
    span = ""
    if result.predicted_low is not None and result.predicted_high is not None:
        span = f"  90 % [{result.predicted_low / 1e6:.3f}, {result.predicted_high / 1e6:.3f}]"
    if result.states is not None:
        low, high = result.states.low / 1e6, result.states.high / 1e6
        span += f"  two states: {low:.3f} and {high:.3f}"
    if result.half_width is not None and result.half_width > (cell.precision or 0):
        span += f"  ±{100 * result.half_width:.2g}% by start"
    each = f"({total / max(cell.cpus, 1):7.3f}M/s/cpu)"
    return f"{cell.bench:<15} ({cell.cpus:2d} cpus): {total:8.3f}M/s  {each}{span}"
