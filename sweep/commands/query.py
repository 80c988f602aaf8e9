"""`uprobe-sweep query`: a run's tables asked in SQL."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import (
    collected,
    frame,
    json_option,
    note,
    only_option,
    run_argument,
    run_path,
)
from sweep.errors import UsageError

if TYPE_CHECKING:
    import polars as pl


@click.command()
@run_argument
@click.argument("sql", required=False)
@only_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def query(run: str, sql: str | None, only: tuple[str, ...], as_json: bool, as_csv: bool) -> None:
    """Answer SQL about RUN; without SQL, list its tables and their columns.

    Tables: results, a row a cell; attribution, where the CPUs' time of each went (join by
    cell_id); failures; published, the letter's figures. The dialect is that of polars. SQL "-" is
    read from stdin. Nothing is changed.

    Average only cells that agree in every key: name in GROUP BY, or choose in WHERE, each key in
    which the run's cells differ. `query RUN` says which columns are keys; a query that averages
    without naming one gets a note.

    \b
    uprobe-sweep query cover-letter
    uprobe-sweep query cover-letter "select flavour, bench, max(hits_per_s) as peak
        from results group by flavour, bench order by peak desc"
    uprobe-sweep query cover-letter "select flavour, cpus, line, sum(a.share) as share
        from results r join attribution a on r.cell_id = a.cell_id
        where bench = 'uprobe-nop' group by flavour, cpus, line" --csv
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other")
    tables = _tables(run, only)
    from sweep.report import query as asked
    from sweep.report.written import FORMATS, absent

    if sql is None:
        if as_json or as_csv:
            raise UsageError("--json and --csv need SQL: what is to be printed?")
        print(asked.described(tables), end="")
        return
    text = sys.stdin.read() if sql == "-" else sql
    found = asked.query(tables, text)
    if mixed := asked.pooled(text, tables[asked.RESULTS]):
        note(
            f"note: cells of {run} differ in {', '.join(mixed)}, which the query does not name: "
            "an average over them is of no one setting; see --help"
        )
    if not as_json and not as_csv:
        print(asked.as_text(found), end="")
        return
    kind = "json" if as_json else "csv"
    print(FORMATS[kind](found).decode(), end="")
    for said in absent(found, kind):
        note(f"note: {said}")


def _tables(run: str, only: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    from sweep.letter.published import published
    from sweep.store.attribution import scan_attribution
    from sweep.store.scan import scan_failures

    path = run_path(run)
    results = frame(run, only)
    shares = collected(path, scan_attribution(path)).join(results, on="cell_id", how="semi")
    failures = collected(path, scan_failures(path))
    return {
        "results": results,
        "attribution": shares,
        "failures": failures,
        "published": published(),
    }
