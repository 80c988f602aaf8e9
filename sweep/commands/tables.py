"""`uprobe-sweep tables`: a run as the cover letter's tables."""

from __future__ import annotations

import click

from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import (
    frame,
    json_option,
    only_option,
    print_json,
    rows_asked,
    run_argument,
    strict_option,
)
from sweep.errors import UsageError


@click.command(cls=AxesCommand)
@run_argument
@only_option
@strict_option
@click.option("--chart", is_flag=True, help="Draw the curves in the terminal instead, in letters.")
@json_option
def tables(
    run: str,
    axes: dict[str, str],
    only: tuple[str, ...],
    strict: bool,
    chart: bool,
    as_json: bool,
) -> None:
    """Print RUN as the cover letter's tables, one for each flavour.

    Cells whose hits something disturbs come in a table of their own, with latencies. Every axis is
    an option that chooses rows.

    \b
    uprobe-sweep tables cover-letter
    uprobe-sweep tables cover-letter --bench uprobe-nop --cpus 1-16 --chart
    uprobe-sweep tables /tmp/private --probes 64
    """
    if chart and as_json:
        raise UsageError("--chart and --json exclude each other")
    from sweep.report.stress_text import render, with_writers
    from sweep.report.tables import described, letter_lines
    from sweep.store.disturbed import refuse_disturbed

    cells = frame(run, rows_asked(only, axes))
    if strict:
        refuse_disturbed(cells, run)
    if chart:
        from sweep.report.chart import chart as charted
        from sweep.report.picture import picture
        from sweep.terminal.text_table import WIDTH, terminal_width

        print(charted(picture(cells), terminal_width() or WIDTH), end="")
        return
    alone, with_others = cells.filter(~with_writers()), cells.filter(with_writers())
    if as_json:
        print_json({"tables": described(alone), "with_writers": with_others.to_dicts()})
        return
    if len(alone):
        print(letter_lines(alone))
    if len(with_others):
        print(render(with_others), end="")
