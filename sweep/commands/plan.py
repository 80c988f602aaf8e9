"""`uprobe-sweep plan`: what a run would do."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import (
    json_option,
    load,
    out_option,
    print_columns,
    set_option,
    spec_argument,
)
from sweep.errors import counted
from sweep.terminal.progress import seconds_text

if TYPE_CHECKING:
    from sweep.plan.cost import Cost
    from sweep.store.folder import Location

MOST_LISTED = 10_000
"""Cells that are listed for people."""


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
    from sweep.spec.spec import AUTO_STARTS
    from sweep.store.scan import RUNS

    work = survey(loaded, out)
    finished, failing, to_do = work.finished, work.failed, work.to_do()
    count = {
        "count": len(work.cells),
        "done": len(finished),
        "failed": len(failing),
        "to_do": len(to_do),
    }
    cost = estimate(to_do, past_cells(RUNS, work.out))
    marked = (
        {**parameters(cell), "done": cell.cell_id in finished, "failed": cell.cell_id in failing}
        for cell in work.cells.in_order
    )
    if as_json:
        about = {"run_id": run_id(loaded), "out": str(work.out), **count}
        _print_json({**about, "cost": cost and asdict(cost)}, marked)
        return
    listed = list(islice(marked, MOST_LISTED))
    shown = ["bench", "flavour", "cpus"]
    varying = [axis for axis in ORDER if len({entry[axis] for entry in listed}) > 1]
    shown += [axis for axis in varying if axis not in shown]
    marks = ["done" if e["done"] else "failed" if e["failed"] else "to do" for e in listed]
    cells = [[*(entry[a] for a in shown), m] for entry, m in zip(listed, marks, strict=True)]
    print_columns([[*shown, ""], *cells])
    if more := len(work.cells) - len(listed):
        print(f"... and {more:,} more; --json lists all")
    failed = f"{count['failed']} failed, " if count["failed"] else ""
    print(
        f"{counted(len(work.cells), 'cell')}: {count['done']} done in {work.out}, {failed}"
        f"{count['to_do']} to do"
    )
    if (wanted := loaded.repeats_for) is not None:
        most = loaded.max_replicates
        print(f"more may follow, up to {most} replicates of each, for ±{100 * wanted:g}%")
    if (enough := loaded.cell_precision) is not None:
        print(
            f"each from as many starts as ±{100 * enough:g}% of its mean takes, "
            f"{AUTO_STARTS} at most"
        )
    if to_do:
        print(_told(cost))


def _print_json(about: Mapping[str, Any], cells: Iterable[Mapping[str, Any]]) -> None:
    """Print `about` and the list of `cells` as one object, a cell at a time."""
    head = json.dumps({**about, "cells": []}, indent=1).removesuffix("]\n}")
    print(head, end="")
    for number, cell in enumerate(cells):
        print(
            ",\n" if number else "\n",
            textwrap.indent(json.dumps(cell, indent=1), "  "),
            sep="",
            end="",
        )
    print("\n ]\n}")


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
