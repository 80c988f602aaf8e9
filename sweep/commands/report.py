"""`uprobe-sweep report`: runs as one HTML file that can be shown to anybody."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.output import force_option, output_option, refuse_output
from sweep.commands.shared import (
    collected,
    frame,
    note,
    only_option,
    run_path,
    shown_cells,
)
from sweep.errors import UsageError

if TYPE_CHECKING:
    from core.cell import Cell
    from sweep.report.html.gather import Given
    from sweep.report.what_if import WhatIf

SUFFIXES = (".html", ".htm")

MOST_RANKED = 8
"""Cells that the what-if ranking is simulated for: seconds each."""


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=completing.runs)
@only_option
@output_option()
@force_option
@click.option("--no-what-if", is_flag=True, help="Leave the what-if ranking out: it is simulated.")
def report(
    runs: tuple[str, ...], only: tuple[str, ...], output: Path, force: bool, no_what_if: bool
) -> None:
    """Write RUNs as one HTML file, to open in a browser and to send to a colleague.

    It needs no network and no other file. It shows throughput and efficiency over CPUs beside the
    published figures and two laws of scaling, where the time goes, errors, what contended lines
    cost, what writers wait, the machine, all figures as tables, and where they come from. The
    what-if ranking is of every design's largest number of CPUs.

    \b
    uprobe-sweep report cover-letter -o report.html
    uprobe-sweep report cover-letter live -o both.html
    uprobe-sweep report /tmp/private --only probes=64 -o private.html
    """
    refuse_output(output, force, SUFFIXES)
    if len(set(runs)) < len(runs):
        raise UsageError(f"{' '.join(runs)}: a run is named twice")
    from sweep import __version__
    from sweep.report.compare import PUBLISHED
    from sweep.report.html.contents import sections
    from sweep.report.html.gather import gather
    from sweep.report.html.page import render
    from sweep.store.whole_file import write_whole

    given = [_given(run, only) for run in runs if run != PUBLISHED]
    if not given:
        raise UsageError(f"name a RUN beside {PUBLISHED}")
    material, cells = gather(given, beside=PUBLISHED in runs)
    sections(material)  # What a page has no room for is said before anything is simulated.
    notes = list(material.notes)
    if len(cells) > MOST_RANKED and not no_what_if:
        notes.append(f"the what-if ranking is of {MOST_RANKED} of {len(cells)} cells, see `whatif`")
        note(f"note: {notes[-1]}")
    options = [*(f"--only={one}" for one in only), *(["--no-what-if"] if no_what_if else [])]
    material = replace(
        material,
        what_ifs=[] if no_what_if else _ranked(cells[:MOST_RANKED]),
        notes=notes,
        command=shlex.join(["uprobe-sweep", "report", *runs, *options, "-o", str(output)]),
        version=__version__,
        made=f"{datetime.now(UTC):%-d %B %Y}",
    )
    page = render(material)
    write_whole(output, page.encode())
    print(output)


def _given(run: str, only: tuple[str, ...]) -> Given:
    from sweep.plan.identity import outdated
    from sweep.plan.sources import sources_at
    from sweep.report.html.gather import Given
    from sweep.store.attribution import scan_attribution
    from sweep.store.scan import read_run

    where, cells = run_path(run), frame(run, only)
    shares = collected(where, scan_attribution(where))
    said = outdated(cells, sources_at(where)).notes(run, len(cells))
    notes = [note.removeprefix("note: ") for note in said]
    return Given(run, where, read_run(where), cells, shares, notes)


def _ranked(cells: Sequence[Cell]) -> list[WhatIf]:
    from sweep.executors.in_process import InProcessExecutor
    from sweep.report.html.gather import brief
    from sweep.report.what_if import what_if

    with closing(InProcessExecutor()) as executor, shown_cells() as show:
        return [what_if(brief(cell), "per-cpu", executor, show) for cell in cells]
