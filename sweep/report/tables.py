"""The cover letter's tables: one for each flavour, in the layout its script prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from sweep.letter.published import LETTER_SETTING
from sweep.store.disturbed import mark
from sweep.store.schema import MEASURED
from sweep.store.settings import CELL_KEY, MHITS, averaged, said, settings, telling

USUAL = {
    **LETTER_SETTING,
    **{column.name: column.before for column in MEASURED if not column.digest},
}
"""What a heading is silent about."""


def letter_lines(frame: pl.DataFrame) -> str:
    """The tables of a run, without a newline at the end; "" for a run without rows.

    The lines are what the letter's script prints, its `printf` around the bench tool's summary, so
    that columns align (the archived letter lost its runs of blanks). Figures are in million hits
    per second. A frame with several settings, that is with rows that differ in anything but
    flavour, bench, CPUs, replicate and figures, gives one table for each setting and flavour, and a
    line below its heading says which; it also says what is not as in the letter. Replicates are
    averaged: the mean is the mean of their means, the stddev the root of their mean variance: the
    spread of samples inside a replicate, not between, which the heading says. Disturbed
    measurements are left out beside others, and marked where there are none.
    """
    found = settings(frame, CELL_KEY, seeds=True)
    differing = telling([setting.values for setting in found])
    tables = []
    for values, rows in found:
        unusual = [name for name in values if name in USUAL and values[name] != USUAL[name]]
        which = said(values, [name for name in values if name in {*differing, *unusual}])
        tables += [
            _table(name, which, averaged(rows.filter(pl.col("flavour") == name), CELL_KEY))
            for name in in_order(FLAVOURS, rows["flavour"])
        ]
    return "\n\n".join(tables)


def described(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The same tables, JSON-ready: of each its `setting`, and its `rows` as `averaged` has them."""
    return [
        {"setting": values, "rows": averaged(rows, CELL_KEY).sort(CELL_KEY).to_dicts()}
        for values, rows in settings(frame, CELL_KEY, seeds=True)
    ]


def in_order(known: Iterable[str], present: Iterable[str]) -> list[str]:
    """The distinct names of `present`: first those of `known`, in its order, then others sorted."""
    names = set(present)
    first = [name for name in known if name in names]
    return first + sorted(names.difference(first))


def _table(flavour: str, which: str, rows: pl.DataFrame) -> str:
    title = FLAVOURS[flavour].title if flavour in FLAVOURS else flavour
    head = [title, "=" * len(title), *([which] if which else []), *_repeated(rows)]
    blocks = [
        _lines(rows.filter(pl.col("bench") == bench)) for bench in in_order(BENCHES, rows["bench"])
    ]
    return "\n".join(head) + "\n" + "\n\n".join(blocks)


def _repeated(rows: pl.DataFrame) -> Iterator[str]:
    """What the spreads are that are printed, if cells were repeated."""
    if between := rows["between"].drop_nulls().to_list():
        most = max(rows["replicates"].to_list())
        yield (
            f"± is the spread inside a repeat, of {most} at most; between repeats it is "
            f"{max(between) / MHITS:.3f}M/s at most"
        )


def letter_line(row: Mapping[str, Any]) -> str:
    """One row as the letter's script prints it, rates in million hits per second.

    A row of low `cpu_share`, one with two states, and one less precise than asked is marked at its
    end.
    """
    hits, spread, per_cpu = (
        row[c] / MHITS for c in ("hits_per_s", "hits_per_s_stddev", "hits_per_s_per_cpu")
    )
    return (
        f"{row['bench']:<15} ({row['cpus']:2d} cpus): {hits:8.3f} ± {spread:5.3f}M/s  "
        f"({per_cpu:7.3f}M/s/cpu){mark(row['cpu_share'])}{both_states(row)}{by_start(row)}"
    )


def both_states(row: Mapping[str, Any]) -> str:
    """What to print after a figure: the rates of its two states; "" if it has one."""
    if row["state_low"] is None:
        return ""
    return f"  two states: {row['state_low'] / MHITS:.3f} and {row['state_high'] / MHITS:.3f}"


def by_start(row: Mapping[str, Any]) -> str:
    """What to print after a figure whose mean over starts is less precise than asked."""
    return f"  ±{100 * row['half_width']:.2g}% by start" if row["half_width"] is not None else ""


def _lines(rows: pl.DataFrame) -> str:
    return "\n".join(letter_line(row) for row in rows.sort("cpus").iter_rows(named=True))
