"""`uprobe-sweep plot`: a run's curves as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from sweep.commands.shared import frame, only_option, run_argument
from sweep.errors import UsageError


@click.command()
@run_argument
@only_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
def plot(run: str, only: tuple[str, ...], output: Path) -> None:
    """Draw RUN's curves, as .svg or .png; those of the letter's setting beside the published ones.

    A picture shows one setting: --only chooses among several.

    \b
    uprobe-sweep plot cover-letter -o letter.svg
    uprobe-sweep plot /tmp/private --only probes=64 -o private.svg
    """
    if output.suffix not in (".svg", ".png"):
        raise UsageError(f"-o {output}: allowed are .svg and .png")
    cells = frame(run, only)
    from sweep.report.plot import plot as draw

    try:
        draw(cells, output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    print(output)
