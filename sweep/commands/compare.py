"""`uprobe-sweep compare`: runs beside the published figures, or beside each other."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import (
    collected,
    frame,
    json_option,
    only_option,
    print_json,
    rows_asked,
    run_path,
    shown_cells,
    strict_option,
)
from sweep.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from core.cell import Cell


@click.command(cls=AxesCommand)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=completing.runs)
@click.option(
    "--baselines",
    "--rivals",
    "baselines",
    is_flag=True,
    help="Hold two simple laws of scaling against them too.",
)
@click.option(
    "--by",
    metavar="AXIS",
    shell_complete=completing.axes,
    help="Hold RUN's own values of an axis side by side.",
)
@click.option(
    "--all",
    "whole",
    is_flag=True,
    help="Show what is published of cells that no RUN has too; --json always does.",
)
@only_option
@strict_option
@json_option
def compare(
    runs: tuple[str, ...],
    axes: dict[str, str],
    baselines: bool,
    by: str | None,
    whole: bool,
    only: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Hold a RUN against the published figures, or several against each other.

    Every cell in one table, with errors against the first. Runs are simulated, live or read from
    logs, and `published` may be among them; one RUN is held against it, as far as figures of its
    cells are published: the letter's, and later ones, each group named. Beside what is published
    come the errors in sum and the letter's headline claims; cells that only the published figures
    have are counted, and shown with --all. A run of several settings is a column
    for each: only repeats of a cell are averaged. With --by, the values of an axis stand side by
    side, with ratios to the first and what limits each. Every axis is an option that chooses rows.

    \b
    uprobe-sweep compare cover-letter
    uprobe-sweep compare cover-letter --baselines
    uprobe-sweep compare published live here
    uprobe-sweep compare cover-letter --by flavour --bench uprobe-nop
    """
    if len(runs) > 1 and baselines:
        raise UsageError("--baselines is for one run beside the published figures")
    if by is not None and whole:
        raise UsageError("--all is for published figures, which --by has none of")
    if by is not None and (len(runs) > 1 or baselines):
        raise UsageError("--by is for one RUN; several are held against each other without it")
    if len(set(runs)) < len(runs):
        raise UsageError(f"{' '.join(runs)}: a run is named twice")
    from sweep.letter.baselines import BASELINES
    from sweep.report.compare import PUBLISHED, beside_published
    from sweep.report.compare import compare as compare_runs
    from sweep.report.compare_text import render
    from sweep.store.disturbed import refuse_disturbed

    asked = rows_asked(only, axes)
    frames = {run: frame(run, asked) for run in runs if run != PUBLISHED or len(runs) == 1}
    for run, cells in frames.items():
        if strict:
            refuse_disturbed(cells, run)
    if by is not None:
        _by_axis(runs[0], frames[runs[0]], by, as_json)
        return
    if len(runs) == 1:
        found = beside_published(runs[0], frames[runs[0]], BASELINES if baselines else ())
    else:
        found = compare_runs({run: frames.get(run) for run in runs})
    if as_json:
        print_json(found.to_dict())
    else:
        print(render(found, colour=sys.stdout.isatty(), whole=whole), end="")


def _by_axis(run: str, rows: pl.DataFrame, by: str, as_json: bool) -> None:
    from sweep.executors.in_process import InProcessExecutor
    from sweep.report.by_axis import by_axis
    from sweep.report.side_by_side_text import render
    from sweep.store.attribution import scan_attribution

    path = run_path(run)
    shares = collected(path, scan_attribution(path))
    with closing(InProcessExecutor()) as executor, shown_cells() as report:
        found = by_axis(rows, by, shares, _cells(run), executor, report)
    if as_json:
        print_json(found.to_dict())
    else:
        print(render(found), end="")


def _cells(run: str) -> dict[str, Cell]:
    """The cells of a run's spec by id; none if that cannot be read any more."""
    from sweep.plan.plan import plan
    from sweep.spec.spec import Spec
    from sweep.store.scan import read_run

    try:
        return {cell.cell_id: cell for cell in plan(Spec(**read_run(run_path(run))["spec"]))}
    except (UsageError, KeyError):
        return {}
