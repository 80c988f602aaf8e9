"""`uprobe-sweep show`: what one hit does, operation by operation."""

from __future__ import annotations

import click

from sweep.commands import completing
from sweep.commands.shared import json_option, note_idle_edits, print_json


@click.command()
@click.argument("flavour", shell_complete=completing.axis("flavour"))
@click.option(
    "--vs",
    metavar="FLAVOUR",
    shell_complete=completing.axis("flavour"),
    help="Print how that one differs, like a diff.",
)
@click.option(
    "--bench",
    shell_complete=completing.axis("bench"),
    default="uprobe-nop",
    show_default=True,
    help="What is hit.",
)
@click.option(
    "--rcu",
    shell_complete=completing.axis("rcu"),
    default="default",
    show_default=True,
    help="RCU of the read sections.",
)
@json_option
def show(flavour: str, vs: str | None, bench: str, rcu: str, as_json: bool) -> None:
    """Show what one hit does under FLAVOUR.

    Every operation beside its kernel function, in order: on a line that CPUs share, a barrier, or
    private work by its name in the machine files; then the shared operations, word by word, and
    which words are on one line.

    \b
    uprobe-sweep show baseline
    uprobe-sweep show srcu --vs tasks-trace
    uprobe-sweep show v6.14 --bench uretprobe-ret --rcu srcu-lite
    """
    from core.kernel.flavours import hot_path, layout_of
    from sweep.report.show import described, difference, differs, listing
    from sweep.spec.axes import AXES
    from sweep.spec.designs import name_of, named_flavour

    bench = AXES["bench"].check("bench", None, bench)
    rcu = AXES["rcu"].check("rcu", None, rcu)
    flavour = AXES["flavour"].check("flavour", None, flavour)
    note_idle_edits([flavour])
    kernel = named_flavour(flavour)
    path, layout = hot_path(kernel, bench, rcu), layout_of(kernel)
    hit = {"flavour": name_of(flavour), "bench": bench, "rcu": rcu}
    if vs is None:
        if as_json:
            print_json({**hit, **described(path, layout)})
        else:
            print(listing(path, layout))
        return
    vs = AXES["flavour"].check("--vs", None, vs)
    second = named_flavour(vs)
    one, other = (path, layout), (hot_path(second, bench, rcu), layout_of(second))
    if as_json:
        print_json({**hit, "vs": vs, **differs(one, other)})
    else:
        print(difference(one, other, flavour, vs) or f"{flavour} and {vs} do the same")
