"""The cover letter's tables: one for each flavour, in the layout its script prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from sweep.letter.published import LETTER_SETTING
from sweep.spec.axes import DISTURBING as DEFAULTS
from sweep.store.schema import SIMULATED

MHITS = 1e6

MEASURED_SETTING = {"source": SIMULATED, "kernel": None, "attach": None}
"""Columns that tell measurements apart, and what simulated rows have there."""

_SETTING = [
    "machine",
    "machine_digest",
    "model_version",
    "rcu",
    "owner_beside_count",
    "probes",
    "processes",
    *DEFAULTS,
    "spread",
    "seed",
    "warmup_s",
    "duration_s",
    "sample_s",
    *MEASURED_SETTING,
]
"""What tells apart rows of one bench, flavour and CPU count, but for the replicate."""


def letter_lines(frame: pl.DataFrame) -> str:
    """The tables of a run, without a newline at the end; "" for a run without rows.

    The lines are what the letter's script prints, its `printf` around the bench tool's summary, so
    that columns align (the archived letter lost its runs of blanks). Figures are in million hits
    per second. A frame with several machines, probe counts, spreads, seeds or durations gives one
    table for each combination and flavour, and a line below its heading says which; it also says
    what is not as in the letter. Replicates are averaged: the mean is the mean of their means, the
    stddev the root of their mean variance: the spread of samples inside a replicate, not between.
    """
    averaged = frame.group_by(*_SETTING, "flavour", "bench", "cpus").agg(
        pl.col("hits_per_s", "hits_per_s_per_cpu").mean(),
        pl.col("hits_per_s_stddev").pow(2).mean().sqrt(),
    )
    named = [c for c in _SETTING if _needs_naming(frame, c)]
    tables = []
    for setting in averaged.select(_SETTING).unique().sort(_SETTING).iter_rows(named=True):
        rows = averaged.filter(pl.col(c).eq_missing(value) for c, value in setting.items())
        which = "  ".join(f"{c}={setting[c]}" for c in named)
        tables += [
            _table(flavour, which, rows.filter(pl.col("flavour") == flavour))
            for flavour in in_order(FLAVOURS, rows["flavour"])
        ]
    return "\n\n".join(tables)


def in_order(known: Iterable[str], present: Iterable[str]) -> list[str]:
    """The distinct names of `present`: first those of `known`, in its order, then others sorted."""
    names = set(present)
    first = [name for name in known if name in names]
    return first + sorted(names.difference(first))


def _needs_naming(frame: pl.DataFrame, column: str) -> bool:
    values = frame[column].unique().to_list()
    usual = {**LETTER_SETTING, **MEASURED_SETTING}
    return len(values) > 1 or (column in usual and values != [usual[column]])


def _table(flavour: str, which: str, rows: pl.DataFrame) -> str:
    title = FLAVOURS[flavour].title if flavour in FLAVOURS else flavour
    head = [title, "=" * len(title)] + ([which] if which else [])
    blocks = [
        _lines(rows.filter(pl.col("bench") == bench)) for bench in in_order(BENCHES, rows["bench"])
    ]
    return "\n".join(head) + "\n" + "\n\n".join(blocks)


def letter_line(row: Mapping[str, Any]) -> str:
    """One row as the letter's script prints it, rates in million hits per second."""
    hits, spread, per_cpu = (
        row[c] / MHITS for c in ("hits_per_s", "hits_per_s_stddev", "hits_per_s_per_cpu")
    )
    return (
        f"{row['bench']:<15} ({row['cpus']:2d} cpus): {hits:8.3f} ± {spread:5.3f}M/s  "
        f"({per_cpu:7.3f}M/s/cpu)"
    )


def _lines(rows: pl.DataFrame) -> str:
    return "\n".join(letter_line(row) for row in rows.sort("cpus").iter_rows(named=True))
