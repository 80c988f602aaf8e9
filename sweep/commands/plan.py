"""`uprobe-sweep plan`: what a run would do."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from sweep.folder import Location


@click.command()
@spec_argument
@set_option
@out_option
@json_option
def plan(spec: str, settings: tuple[str, ...], out: Location | None, as_json: bool) -> None:
    """List the cells of SPEC, and which of them are done. Writes nothing.

    \b
    uprobe-sweep plan cover-letter --set flavour=srcu --set cpus=1,64
    """
    loaded = load(spec, settings)
    from sweep.driver import survey
    from sweep.plan import ORDER, parameters, run_id

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
    if as_json:
        print_json({"run_id": run_id(loaded), "out": str(work.out), **count, "cells": listed})
        return
    shown = ["bench", "flavour", "cpus"]
    varying = [axis for axis in ORDER if len({entry[axis] for entry in listed}) > 1]
    shown += [axis for axis in varying if axis not in shown]
    marks = ["done" if e["done"] else "failed" if e["failed"] else "to do" for e in listed]
    cells = [[*(entry[a] for a in shown), m] for entry, m in zip(listed, marks, strict=True)]
    print_columns([[*shown, ""], *cells])
    failed = f"{count['failed']} failed, " if count["failed"] else ""
    print(
        f"{count['count']} cells: {count['done']} done in {work.out}, {failed}"
        f"{count['to_do']} to do"
    )
