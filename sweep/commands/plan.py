"""`uprobe-sweep plan`: what a run would do."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import (
    json_option,
    load,
    out_option,
    print_columns,
    print_json,
    set_option,
    spec_argument,
)
from sweep.errors import counted
from sweep.terminal.progress import seconds_text

if TYPE_CHECKING:
    from sweep.plan.cost import Cost
    from sweep.store.folder import Location


@click.command()
@spec_argument
@set_option
@out_option
@json_option
def plan(spec: str, settings: tuple[str, ...], out: Location | None, as_json: bool) -> None:
    """List the cells of SPEC, which of them are done, and what the others cost. Writes nothing.

    The cost is estimated from the cells of the runs in results/runs.

    \b
    uprobe-sweep plan cover-letter --set flavour=srcu --set cpus=1,64
    """
    loaded = load(spec, settings, trial=out is None)
    from sweep.driver.driver import survey
    from sweep.plan.cost import estimate, past_cells
    from sweep.plan.plan import run_id
    from sweep.spec.axes import ORDER
    from sweep.spec.parameters import parameters
    from sweep.store.scan import RUNS

    work = survey(loaded, out)
    listed = [
        {
            **parameters(cell),
            "done": cell_id in work.finished,
            "failed": cell_id in work.failed,
        }
        for cell_id, cell in work.cells.items()
    ]
    count = {
        "count": len(listed),
        "done": len(work.finished),
        "failed": len(work.failed),
        "to_do": len(work.to_do()),
    }
    cost = estimate(work.to_do(), past_cells(RUNS, work.out))
    if as_json:
        about = {"run_id": run_id(loaded), "out": str(work.out), **count}
        print_json({**about, "cost": cost and asdict(cost), "cells": listed})
        return
    shown = ["bench", "flavour", "cpus"]
    varying = [axis for axis in ORDER if len({entry[axis] for entry in listed}) > 1]
    shown += [axis for axis in varying if axis not in shown]
    marks = ["done" if e["done"] else "failed" if e["failed"] else "to do" for e in listed]
    cells = [[*(entry[a] for a in shown), m] for entry, m in zip(listed, marks, strict=True)]
    print_columns([[*shown, ""], *cells])
    failed = f"{count['failed']} failed, " if count["failed"] else ""
    print(
        f"{counted(len(listed), 'cell')}: {count['done']} done in {work.out}, {failed}"
        f"{count['to_do']} to do"
    )
    if loaded.precision is not None:
        most = loaded.max_replicates
        print(f"more may follow, up to {most} replicates of each, for ±{100 * loaded.precision:g}%")
    if work.to_do():
        print(_told(cost))


def _told(cost: Cost | None) -> str:
    """An estimate as people read it."""
    if cost is None:
        return "no past run to estimate the cost from"
    cores = len(os.sched_getaffinity(0))
    alike = cost.cells - cost.measured
    rest = f", {alike} of them only by cells that are most alike" if alike else ""
    return (
        f"about {seconds_text(cost.wall_seconds(cores))} on the {cores} cores here "
        f"({seconds_text(cost.core_seconds)} of one), from past runs{rest}"
    )
