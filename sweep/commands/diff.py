"""`uprobe-sweep diff`: what changed between two runs."""

from __future__ import annotations

import click

from sweep.commands import completing
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import (
    frame,
    json_option,
    only_option,
    print_json,
    rows_asked,
    strict_option,
)
from sweep.errors import UsageError

CHANGED = 1


@click.command(cls=AxesCommand)
@click.argument("before", shell_complete=completing.runs)
@click.argument("after", shell_complete=completing.runs)
@click.option(
    "--threshold", metavar="P", help="Exit with 1 if a cell changed by more, as in 5% or 0.05."
)
@click.option("--slower", is_flag=True, help="Of these, only cells that became slower count.")
@only_option
@strict_option
@json_option
def diff(
    before: str,
    after: str,
    axes: dict[str, str],
    threshold: str | None,
    slower: bool,
    only: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> int:
    """Say cell by cell what changed from one run to another.

    Both may be simulated, live or read from logs. Cells are found by their axes; a design or a
    machine of which each run has one may differ. Repeats with the same seeds are tested in pairs,
    others by ranks, and single ones by their samples. Every axis is an option that chooses rows.

    \b
    uprobe-sweep diff before after
    uprobe-sweep diff results/runs/base results/runs/patched --threshold 5% --slower
    """
    from sweep.report.diff import difference
    from sweep.report.diff_text import render
    from sweep.spec.axes import SpecError, fraction
    from sweep.store.disturbed import refuse_disturbed

    limit = None
    if threshold is not None:
        try:
            limit = 0.0 if threshold in ("0", "0%") else fraction("threshold", None, threshold)
        except SpecError as error:
            raise UsageError(f"--{error}") from None
    elif slower:
        raise UsageError("--slower says which cells count beyond --threshold, which is missing")
    asked = rows_asked(only, axes)
    frames = [frame(run, asked) for run in (before, after)]
    if strict:
        for run, cells in zip((before, after), frames, strict=True):
            refuse_disturbed(cells, run)
    found = difference(*frames)
    beyond = [] if limit is None else found.beyond(limit, slower)
    if as_json:
        print_json({**found.to_dict(), "threshold": limit, "beyond": len(beyond)})
    else:
        print(render(found, limit, slower), end="")
    return CHANGED if beyond else 0
