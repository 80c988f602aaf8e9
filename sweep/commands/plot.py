"""`uprobe-sweep plot`: a run's curves as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from sweep.commands import completing
from sweep.commands.axis_options import AxesCommand
from sweep.commands.output import force_option, output_option, refuse_output
from sweep.commands.shared import frame, only_option, rows_asked, run_argument

SUFFIXES = (".svg", ".png", ".pdf")
KINDS = ("throughput", "efficiency", "time", "latency", "error")


@click.command(cls=AxesCommand)
@run_argument
@only_option
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="What is drawn; by default throughput, or latency if all cells attach.",
)
@click.option(
    "--facet",
    metavar="AXIS",
    shell_complete=completing.axes,
    help="A panel for each of its values, not for each bench.",
)
@click.option("--log-y", is_flag=True, help="A logarithmic scale upwards.")
@output_option()
@force_option
def plot(
    run: str,
    only: tuple[str, ...],
    axes: dict[str, str],
    kind: str | None,
    facet: str | None,
    log_y: bool,
    output: Path,
    force: bool,
) -> None:
    """Draw RUN's curves, as .svg, .png or .pdf.

    Panels are benches, a row of them is a setting; a design looks the same in every picture. Rows
    of the letter's setting are drawn alone, beside the published curves, unless others are chosen.
    Every axis is an option that chooses rows.

    \b
    uprobe-sweep plot cover-letter -o letter.svg
    uprobe-sweep plot cover-letter --bench uprobe-nop --cpus 1-16 --kind efficiency -o few.png
    uprobe-sweep plot /tmp/private --facet probes --log-y -o private.pdf
    uprobe-sweep plot detach-batch -o detach.svg
    """
    refuse_output(output, force, SUFFIXES)
    cells = frame(run, rows_asked(only, axes))
    from sweep.report.plot import plot as draw

    shown = draw(cells, output, kind=kind, facet=facet, log_y=log_y)
    print(f"{output}; {shown.left_out}" if shown.left_out else output)
