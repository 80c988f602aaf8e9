"""`uprobe-sweep whatif`: which shared line limits a cell, and which would next."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import click

from sweep.commands.asked import ensemble_option, kernel_option, one_cell
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import json_option, print_json, shown_cells


@click.command(cls=AxesCommand)
@kernel_option
@click.option("--remove", is_flag=True, help="Drop the operations instead, at no cost at all.")
@ensemble_option
@click.option(
    "--replicates",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    metavar="K",
    help="Repetitions that intervals are over without an ensemble.",
)
@json_option
def whatif(
    axes: dict[str, str],
    kernel: str | None,
    remove: bool,
    ensemble: int,
    replicates: int,
    as_json: bool,
) -> None:
    """Say which shared lines limit a cell, and which would next.

    Every contended line (more than 1 % of the CPUs' time) is made per-CPU: singly, in pairs, and
    all of them; the gains are ranked. Per-CPU, a locked operation still costs what it does where
    the line is at hand. A line that gains nothing alone, and much with another, is the limit behind
    that one. --flavour or --kernel, --bench and --cpus are needed. The intervals are those that the
    calibration leaves open.

    \b
    uprobe-sweep whatif --flavour tasks-trace --bench uprobe-nop --cpus 32
    uprobe-sweep whatif --flavour v6.13 --bench uretprobe-nop --cpus 64 --remove
    """
    from sweep.executors.in_process import InProcessExecutor
    from sweep.report.what_if import what_if, with_members
    from sweep.report.what_if_text import render

    needed = "give --flavour or --kernel, --bench and --cpus"
    cell, assumed = one_cell(axes, kernel, needed, ensemble)
    cells = [replace(cell, replicate=number, ensemble=0) for number in range(replicates)]
    if len(cell.machine.members[:ensemble]) > 1:
        cells = with_members(cells[0], ensemble)
    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        found = what_if(cells, "without" if remove else "per-cpu", executor, report)
    if as_json:
        print_json({**found.to_dict(), "assumed": assumed})
        return
    print(render(found), end="")
    for assumption in assumed:
        print(f"assumed: {assumption}")
