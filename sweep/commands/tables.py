"""`uprobe-sweep tables`: a run as the cover letter's tables."""

from __future__ import annotations

import click

from sweep.commands.shared import frame, only_option, run_argument, strict_option


@click.command()
@run_argument
@only_option
@strict_option
def tables(run: str, only: tuple[str, ...], strict: bool) -> None:
    """Print RUN as the cover letter's tables, one for each flavour.

    Cells whose hits something disturbs come in a table of their own, with latencies.

    \b
    uprobe-sweep tables cover-letter
    uprobe-sweep tables detach-batch
    uprobe-sweep tables /tmp/private --only probes=64
    """
    from sweep.report.stress_text import render, with_writers
    from sweep.report.tables import letter_lines
    from sweep.store.disturbed import refuse_disturbed

    cells = frame(run, only)
    if strict:
        refuse_disturbed(cells, run)
    alone, with_others = cells.filter(~with_writers()), cells.filter(with_writers())
    if len(alone):
        print(letter_lines(alone))
    if len(with_others):
        print(render(with_others), end="")
