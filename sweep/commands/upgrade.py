"""`uprobe-sweep upgrade`: what another kernel buys, or another design."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from sweep.commands import completing
from sweep.commands.asked import (
    cells_asked,
    design_named,
    ensemble_option,
    not_calibrated,
    values,
)
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import json_option, note_idle_edits, print_json, shown_cells
from sweep.errors import UsageError

USUAL = ["uprobe-nop", "uretprobe-nop"]


@click.command(cls=AxesCommand)
@click.argument("before", shell_complete=completing.axis("flavour"))
@click.argument("after", shell_complete=completing.axis("flavour"))
@ensemble_option
@click.option(
    "--replicates",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    metavar="K",
    help="Repetitions that intervals are over without an ensemble.",
)
@json_option
def upgrade(
    before: str, after: str, axes: dict[str, str], ensemble: int, replicates: int, as_json: bool
) -> None:
    """Predict what the way from one kernel to another buys, side by side.

    BEFORE and AFTER are releases (v6.11, 6.12.8-amd64) or designs (srcu, srcu+my.py). By default it
    is this host, with 1, 2, 4, ... and all of its CPUs, and uprobe-nop and uretprobe-nop. Rates,
    their ratio with its paired 90 % interval, and what takes most of a hit's time in each.

    \b
    uprobe-sweep upgrade v6.11 v6.14
    uprobe-sweep upgrade v6.11 v6.14 --machine epyc-milan --cpus 64 --probes 50 --processes 4
    """
    from sweep.executors.in_process import InProcessExecutor
    from sweep.machines.host import HOST
    from sweep.machines.named import named_machine
    from sweep.report.side_by_side import Line, SideBySide, paired
    from sweep.report.side_by_side_text import render
    from sweep.spec.axes import AXES
    from sweep.spec.parameters import parameters

    if "flavour" in axes:
        raise UsageError("--flavour: the two designs are the arguments BEFORE and AFTER")
    names, assumed = [], list[str]()
    for text in (before, after):
        name, said = design_named(text)
        names.append(name)
        assumed += said
    if names[0] == names[1]:
        raise UsageError(f"{before} and {after} are both modelled as {names[0]}: nothing changes")
    asked = values(axes, machine=HOST, bench=USUAL)
    if "cpus" not in asked:
        asked["cpus"] = _doublings(named_machine(_one(asked["machine"])).cpus)
    note_idle_edits(names)
    found = [cells_asked({**asked, "flavour": name}, ensemble) for name in names]
    if any(cell.cpus == 0 for cell in found[0].cells):
        raise UsageError(
            "--cpus: nothing hits with 0, so there is no rate; how long attaching and detaching "
            "takes is what `uprobe-sweep run detach-batch` simulates"
        )
    assumed += [*found[0].assumed, *not_calibrated(asked["machine"])]
    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        sides = paired([beyond.cells for beyond in found], replicates, executor, report)
    lines = tuple(
        Line(_axes(parameters(cell), AXES), line)
        for cell, line in zip(found[0].cells, sides, strict=True)
    )
    side_by_side = SideBySide("flavour", tuple(names), lines)
    titles = [machine.title for machine in found[0].machines]
    if as_json:
        print_json({"machines": titles, "assumed": assumed, **side_by_side.to_dict()})
        return
    print(f"{names[0]} -> {names[1]} on {'; '.join(titles)}")
    first = lines[0].axes
    usual = {name: axis.default for name, axis in AXES.items() if name in first}
    same = [
        f"{name}={first[name]}"
        for name in first
        if usual[name] not in (None, first[name])
        and name != "machine"
        and all(line.axes[name] == first[name] for line in lines)
    ]
    if same:
        print(", ".join(same))
    print()
    print(render(side_by_side), end="")
    for assumption in dict.fromkeys(assumed):
        print(f"assumed: {assumption}")


def _axes(named: dict[str, Any], axes: Any) -> dict[str, Any]:
    return {name: named[name] for name in axes if name not in ("flavour", "seed")}


def _one(machine: Any) -> str:
    if isinstance(machine, list):
        raise UsageError("--machine: give --cpus too, as the machines' own counts differ")
    return str(machine)


def _doublings(cpus: int) -> list[int]:
    """1, 2, 4, ... and all."""
    return [*(1 << power for power in range((cpus - 1).bit_length())), cpus]
