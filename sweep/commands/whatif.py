"""`uprobe-sweep whatif`: which shared line limits a cell, and which would next."""

from __future__ import annotations

from contextlib import closing

import click

from sweep.commands.shared import cells_of, json_option, print_json, shown_cells


@click.command()
@click.option("--flavour", required=True, metavar="F", help="See `uprobe-sweep list flavours`.")
@click.option("--bench", required=True, metavar="B", help="See `uprobe-sweep list benches`.")
@click.option("--cpus", type=int, required=True, metavar="N")
@click.option(
    "--machine",
    default="xeon-gold-6138",
    show_default=True,
    metavar="M",
    help="A shipped machine, a .yaml file, or host.",
)
@click.option(
    "--rcu", default="default", show_default=True, metavar="R", help="See `uprobe-sweep list rcu`."
)
@click.option("--remove", is_flag=True, help="Drop the operations instead, at no cost at all.")
@click.option(
    "--ensemble",
    type=click.IntRange(0, 64),
    default=12,
    show_default=True,
    metavar="K",
    help="Members of the machine's ensemble that intervals are over, if it has one.",
)
@click.option(
    "--replicates",
    type=int,
    default=5,
    show_default=True,
    metavar="K",
    help="Repetitions that intervals are over without an ensemble.",
)
@json_option
def whatif(
    flavour: str,
    bench: str,
    cpus: int,
    machine: str,
    rcu: str,
    remove: bool,
    ensemble: int,
    replicates: int,
    as_json: bool,
) -> None:
    """Say which shared lines limit a cell, and which would next.

    Every contended line (more than 1 % of the CPUs' time) is made per-CPU: singly, in pairs, and
    all of them; the gains are ranked. Per-CPU, a locked operation still costs what it does where
    the line is at hand. A line that gains nothing alone, and much with another, is the limit behind
    that one. The intervals are those that the calibration leaves open.

    \b
    uprobe-sweep whatif --flavour tasks-trace --bench uprobe-nop --cpus 32
    uprobe-sweep whatif --flavour v6.13 --bench uretprobe-nop --cpus 64 --remove
    """
    from sweep.executors.in_process import InProcessExecutor
    from sweep.report.what_if import what_if, with_members
    from sweep.report.what_if_text import render

    cells = cells_of(
        flavour=flavour, bench=bench, cpus=cpus, machine=machine, rcu=rcu, replicates=replicates
    )
    if len(cells[0].machine.members[:ensemble]) > 1:
        cells = with_members(cells[0], ensemble)

    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        found = what_if(cells, "without" if remove else "per-cpu", executor, report)
    if as_json:
        print_json(found.to_dict())
    else:
        print(render(found), end="")
