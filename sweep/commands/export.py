"""`uprobe-sweep export`: a run's rows for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.commands.output import force_option, output_option, refuse_output
from sweep.commands.shared import (
    collected,
    frame,
    note,
    only_option,
    run_argument,
    run_path,
)
from sweep.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

TABLES = ("results", "attribution", "failures")


@click.command()
@run_argument
@click.option("--csv", "kinds", flag_value="csv", multiple=True, help="Comma-separated values.")
@click.option("--json", "kinds", flag_value="json", multiple=True, help="A list of objects.")
@click.option("--markdown", "kinds", flag_value="markdown", multiple=True, help="A table.")
@click.option("--parquet", "kinds", flag_value="parquet", multiple=True, help="A Parquet file.")
@output_option(
    required=False,
    said="Write to a file, whose suffix may stand for the format; without it, print.",
)
@force_option
@click.option(
    "--table",
    type=click.Choice(TABLES),
    default="results",
    show_default=True,
    help="Cells, where the CPUs' time of each went, or the cells that failed.",
)
@only_option
def export(
    run: str,
    kinds: tuple[str, ...],
    output: Path | None,
    force: bool,
    table: str,
    only: tuple[str, ...],
) -> None:
    """Write RUN's rows as CSV, JSON, Markdown or Parquet, every column and every digit.

    CSV leaves null empty, and writes empty text as two quotes; JSON writes NaN and Infinity as
    texts. What is null or not finite is said on stderr.

    \b
    uprobe-sweep export cover-letter --csv
    uprobe-sweep export cover-letter -o letter.parquet
    uprobe-sweep export cover-letter --table attribution --only cpus=8 --json -o time.json
    """
    from sweep.report.written import FORMATS, absent

    kind = _kind(kinds, output)
    if output is not None:
        refuse_output(output, force)
    elif kind == "parquet" and sys.stdout.isatty():
        raise UsageError("--parquet is not for a terminal: give -o FILE")
    rows = _rows(run, table, only)
    made = FORMATS[kind](rows)
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(made)
    else:
        from sweep.store.whole_file import write_whole

        write_whole(output, made)
        print(f"{len(rows):,} rows: {output}")
    for said in absent(rows, kind):
        note(f"note: {said}")


def _kind(kinds: tuple[str, ...], output: Path | None) -> str:
    from sweep.report.written import SUFFIXES

    if len(set(kinds)) > 1:
        raise UsageError(f"one format at a time, got {', '.join(f'--{kind}' for kind in kinds)}")
    if kinds:
        return kinds[0]
    if output is None:
        raise UsageError("a format is missing: --csv, --json, --markdown or --parquet")
    if output.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise UsageError(f"-o {output}: of suffix {known}, or give the format, as in --csv")
    return SUFFIXES[output.suffix]


def _rows(run: str, table: str, only: tuple[str, ...]) -> pl.DataFrame:
    """The rows of a table of the run, in an order that does not change."""
    from sweep.spec.axes import ORDER
    from sweep.store.attribution import scan_attribution
    from sweep.store.scan import scan_failures
    from sweep.store.schema import SHARE_KEY
    from sweep.store.selection import only as chosen

    path = run_path(run)
    if table == "failures":
        return chosen(collected(path, scan_failures(path)), only).sort(*ORDER, "cell_id")
    cells = frame(run, only).sort(*ORDER, "cell_id")
    if table == "results":
        return cells
    shares = collected(path, scan_attribution(path))
    return shares.join(cells.select("cell_id"), on="cell_id", how="semi").sort(*SHARE_KEY)
