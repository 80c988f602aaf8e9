"""`uprobe-sweep plot`: a run's curves as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from sweep.commands.shared import frame, run_argument
from sweep.errors import UsageError


@click.command()
@run_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
def plot(run: str, output: Path) -> None:
    """Draw RUN's curves beside the published ones, as .svg or .png.

    \b
    uprobe-sweep plot cover-letter -o letter.svg
    """
    if output.suffix not in (".svg", ".png"):
        raise UsageError(f"-o {output}: allowed are .svg and .png")
    cells = frame(run)
    from sweep.report.plot import plot as draw

    try:
        draw(cells, output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    print(output)
