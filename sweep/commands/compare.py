"""`uprobe-sweep compare`: runs beside the published figures, or beside each other."""

from __future__ import annotations

import sys

import click

from sweep.commands import completing
from sweep.commands.shared import frame, json_option, only_option, print_json, strict_option
from sweep.errors import UsageError


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=completing.runs)
@click.option(
    "--baselines",
    "--rivals",
    "baselines",
    is_flag=True,
    help="Hold two simple laws of scaling against them too.",
)
@only_option
@strict_option
@json_option
def compare(
    runs: tuple[str, ...], baselines: bool, only: tuple[str, ...], strict: bool, as_json: bool
) -> None:
    """Hold a RUN against the published figures, or several against each other.

    Every cell in one table, with errors against the first. Runs are simulated, live or read from
    logs, and `published` may be among them; one RUN is held against it, as far as figures of its
    cells are published: the letter's, and later ones, each group named. Beside what is published
    come the errors in sum and the letter's headline claims. A run of several settings is a column
    for each: only repeats of a cell are averaged.

    \b
    uprobe-sweep compare cover-letter
    uprobe-sweep compare cover-letter --baselines
    uprobe-sweep compare published live here
    """
    if len(runs) > 1 and baselines:
        raise UsageError("--baselines is for one run beside the published figures")
    if len(set(runs)) < len(runs):
        raise UsageError(f"{' '.join(runs)}: a run is named twice")
    from sweep.letter.baselines import BASELINES
    from sweep.report.compare import PUBLISHED, beside_published
    from sweep.report.compare import compare as compare_runs
    from sweep.report.compare_text import render
    from sweep.store.disturbed import refuse_disturbed

    frames = {run: frame(run, only) for run in runs if run != PUBLISHED or len(runs) == 1}
    for run, cells in frames.items():
        if strict:
            refuse_disturbed(cells, run)
    if len(runs) == 1:
        found = beside_published(runs[0], frames[runs[0]], BASELINES if baselines else ())
    else:
        found = compare_runs({run: frames.get(run) for run in runs})
    if as_json:
        print_json(found.to_dict())
    else:
        print(render(found, colour=sys.stdout.isatty()), end="")
