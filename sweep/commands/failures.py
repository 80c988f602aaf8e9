"""`uprobe-sweep failures`: which cells of a run failed, and how to run one again."""

from __future__ import annotations

import click

from sweep.commands.shared import (
    collected,
    json_option,
    note_outdated,
    print_json,
    run_argument,
    run_path,
)
from sweep.errors import counted


@click.command()
@run_argument
@click.option("--tracebacks", is_flag=True, help="Print whole tracebacks.")
@json_option
def failures(run: str, tracebacks: bool, as_json: bool) -> int:
    """List the cells of RUN that failed: why, and the command that runs one again.

    Cells that were finished since are no failures any more. The exit code is 1 if there are any.

    \b
    uprobe-sweep failures cover-letter
    """
    from sweep.store.failures import last_line
    from sweep.store.scan import scan_failures

    path = run_path(run)
    found = collected(path, scan_failures(path)).sort("failed_at", "cell_id")
    note_outdated(run, path, found)
    if as_json:
        print_json(found.to_dicts())
    else:
        for row in found.iter_rows(named=True):
            error = row["error"].rstrip() if tracebacks else last_line(row["error"])
            print(f"{row['cell_id']}  {row['rerun']}\n{error}\n")
        print(f"{counted(found.height, 'cell')} failed in {path}")
    return 1 if found.height else 0
