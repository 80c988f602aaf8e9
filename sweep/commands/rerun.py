"""`uprobe-sweep rerun`: one cell, simulated on its own."""

from __future__ import annotations

import sys
import traceback

import click

from sweep.commands import completing
from sweep.commands.shared import json_option, print_json


@click.command()
@click.argument(
    "axes", nargs=-1, required=True, metavar="AXIS=VALUE...", shell_complete=completing.settings
)
@json_option
def rerun(axes: tuple[str, ...], as_json: bool) -> int:
    """Simulate the one cell that AXIS=VALUE name, in this process, and keep nothing.

    Axes are those of a spec, one value each, and `replicate`, counted from 0. `failures` prints
    such a line for every cell that failed. The exit code is 1, with the traceback, if it does.

    \b
    uprobe-sweep rerun bench=uprobe-nop flavour=srcu cpus=8
    """
    from core.predict import predict
    from sweep.driver.rerun import cell_named
    from sweep.store.schema import row

    cell = cell_named(axes)
    try:
        result = predict(cell)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return 1
    found = row(cell, result, "")
    if as_json:
        print_json({name: value for name, value in found.items() if name != "run_id"})
    else:
        print(
            f"cell {cell.cell_id}: {result.hits_per_s / 1e6:.3f} ± "
            f"{result.hits_per_s_stddev / 1e6:.3f} M/s over {len(result.hits_per_sample)} samples"
        )
    return 0
