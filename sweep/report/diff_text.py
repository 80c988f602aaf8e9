"""The difference of two runs as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from sweep.report.diff import NONE, Changed, Difference
from sweep.store.settings import said, telling
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text

LEGEND = (
    "M hits/s; in brackets the change's 90 % interval; p is for all cells at once, d the change "
    "over the standard deviation."
)
SHOWN = 20
"""Cells of one run only that are listed one by one."""


def render(found: Difference, threshold: float | None, slower: bool = False) -> str:
    """The cells, those of one run only, and what the runs differ in."""
    return to_text(list(_parts(found, threshold, slower)))


def _parts(found: Difference, threshold: float | None, slower: bool) -> Iterator[RenderableType]:
    for name, (one, other) in found.runs.items():
        yield f"{name}: {one} -> {other}"
    if found.runs:
        yield ""
    beyond = [] if threshold is None else found.beyond(threshold, slower)
    shown = _names([cell.cell for cell in found.cells])
    made = numbers(table(*shown), "before", "after", "change", "90 %", "p", "d")
    made.add_column("test")
    made.add_column("")
    for cell in found.cells:
        made.add_row(
            *(str(cell.cell[name]) for name in shown),
            *_figures(cell),
            "!" if cell in beyond else "",
        )
    yield made
    yield LEGEND
    for which, cells in (("first", found.only_before), ("second", found.only_after)):
        if cells:
            yield f"\nonly in the {which} run, {len(cells)}:"
            names = _names([*cells, *(cell.cell for cell in found.cells)])
            yield from (said(cell, names, ", ") for cell in cells[:SHOWN])
            if len(cells) > SHOWN:
                yield f"... and {len(cells) - SHOWN} more"
    if threshold is not None:
        how = "became slower" if slower else "changed"
        yield f"\n{len(beyond)} of {len(found.cells)} cells {how} by more than {threshold:.1%}"


def _names(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    usual = [name for name in ("bench", "flavour", "cpus") if name in cells[0]]
    return list(dict.fromkeys([*usual, *telling(cells)]))


def _figures(cell: Changed) -> Iterator[str]:
    test = cell.test
    yield f"{cell.before:.3f}"
    yield f"{cell.after:.3f}"
    yield percent(cell.change, "+")
    known = test.low is not None and test.high is not None
    yield f"[{percent(test.low, '+')}, {percent(test.high, '+')}]" if known else ABSENT
    yield ABSENT if cell.adjusted is None else f"{cell.adjusted:.2g}"
    yield ABSENT if test.effect is None else f"{test.effect:+.1f}"
    yield "not tested" if test.name == NONE else test.name
