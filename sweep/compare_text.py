"""A comparison as text for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweep.compare import Comparison, Row
from sweep.published import CellKey, published_mhits

WIDTH = 100
FAIR, POOR = 0.1, 0.3
ABSENT = "-"
LEGEND = "* calibration cell: costs were fitted on it. Figures in million hits per second."


def render(comparison: Comparison, colour: bool = False) -> str:
    """Cells, summary, rises, claims, and what was not compared; at most WIDTH columns."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=WIDTH,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(_cells(comparison), LEGEND)
    for table in (_summary(comparison), _rises(comparison), _claims(comparison)):
        console.print("", table)
    console.print("", *_not_compared(comparison), sep="\n")
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").split("\n")) + "\n"


def _table(*left: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for header in left:
        table.add_column(header)
    return table


def _numbers(table: Table, *headers: str) -> Table:
    for header in headers:
        table.add_column(header, justify="right")
    return table


def _cells(comparison: Comparison) -> Table:
    rows = {(row.flavour, row.bench, row.cpus): row for row in comparison.rows}
    letter = published_mhits()
    benches = list(dict.fromkeys(bench for _, bench, _ in letter))
    lines = list(dict.fromkeys((flavour, cpus) for flavour, _, cpus in letter))
    table = _numbers(_table("flavour"), "cpus")
    for bench in benches:
        _numbers(table, f"{bench}\npublished", "\nsimulated", "\nerror ")
    for (flavour, cpus), (following, _) in zip(lines, [*lines[1:], ("", 0)], strict=True):
        figures: list[str | Text] = []
        for bench in benches:
            row = rows.get((flavour, bench, cpus))
            figures.append(f"{letter[flavour, bench, cpus]:.3f}")
            figures += [f"{row.simulated:.3f}", _error(row)] if row else [ABSENT, f"{ABSENT} "]
        table.add_row(flavour, str(cpus), *figures, end_section=flavour != following)
    return table


def _error(row: Row) -> Text:
    size = abs(row.error)
    style = "red" if size > POOR else "yellow" if size > FAIR else ""
    return Text(f"{row.error:+.1%}{'*' if row.calibration else ' '}", style)


def _summary(comparison: Comparison) -> Table:
    table = _table("absolute error")
    _numbers(table, "cells", "median", "90th percentile", "worst").add_column("worst cell")
    for name, part in comparison.summary.items():
        shares = [ABSENT if x is None else f"{x:.1%}" for x in (part.median, part.p90, part.worst)]
        cell = _cell(part.worst_cell) if part.worst_cell else ABSENT
        table.add_row(name, str(part.cells), *shares, cell)
    return table


def _rises(comparison: Comparison) -> Table:
    table = _numbers(_table("rise from 32 to 64 CPUs"), "published", "simulated")
    table.add_column("present")
    for rise in comparison.rises:
        ours = ABSENT if rise.simulated is None else f"x {rise.simulated:.2f}"
        present = {True: "yes", False: "NO", None: ABSENT}[rise.present]
        table.add_row(f"{rise.bench}, {rise.flavour}", f"x {rise.published:.2f}", ours, present)
    return table


def _claims(comparison: Comparison) -> Table:
    table = _numbers(_table("the letter's headlines"), "its text", "its tables", "simulated")
    table.add_column("")
    for claim in comparison.claims:
        form = "{:+.1f}" if claim.unit == "%" else "{:.1f}"
        ours = ABSENT if claim.simulated is None else form.format(claim.simulated)
        table.add_row(claim.name, claim.letter, form.format(claim.published), ours, claim.unit)
    return table


def _not_compared(comparison: Comparison) -> Iterator[str]:
    if comparison.missing:
        total = len(comparison.missing) + len(comparison.rows)
        yield f"The run lacks {len(comparison.missing)} of the letter's {total} cells ({ABSENT})."
    if comparison.left_out:
        yield (
            f"{comparison.left_out} rows of the run were left out: another machine, probe count or "
            "spread, or no such line in the letter."
        )


def _cell(cell: CellKey) -> str:
    flavour, bench, cpus = cell
    return f"{bench}, {flavour}, {cpus} cpus"
