"""What the height of a point is, by the kind of a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from sweep.store.settings import MHITS
from sweep.store.stress_columns import TIMED

RATE = "hits_per_s"


@dataclass(frozen=True)
class Kind:
    """`height` makes the height of a point from a column of hits per second, or of seconds.

    It may use `cpus`, `hits_per_s` and `published` of rows in order of CPUs. `writers` says which
    cells it is for, None for all; `parts` are timed things, each a panel of its own, by the columns
    of their quantiles, "" for what is one figure. `letter` says that published curves belong
    beside, `against` that nothing can be drawn without them, and `over_cpus` that CPUs are to the
    right.
    """

    label: str
    height: Callable[[str], pl.Expr]
    writers: bool | None = False
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {"": RATE}})
    letter: bool = True
    against: bool = False
    over_cpus: bool = False


def _per_cpu(column: str) -> pl.Expr:
    return pl.col(column) / pl.col("cpus")


CENTRAL = ("p50", "p99")
"""Quantiles that are drawn, and of which repeats are averaged: what shows them says so."""

DRAWN = {
    **{what: {q: columns[q] for q in CENTRAL} for what, columns in TIMED.items()},
    "detach all": {"": "detach_total_s"},
}


KINDS: dict[str, Kind] = {
    "throughput": Kind("million hits per second", lambda c: pl.col(c) / MHITS, None),
    "efficiency": Kind(
        "hits of a CPU, a share of those at fewest",
        lambda c: _per_cpu(c) / _per_cpu(RATE).first(),
        over_cpus=True,
    ),
    "time": Kind("a hit's time on a CPU, ns", lambda c: 1e9 * pl.col("cpus") / pl.col(c)),
    "latency": Kind("seconds", pl.col, True, DRAWN, letter=False),
    "error": Kind(
        "off the published figure, %",
        lambda c: 100 * (pl.col(c) / pl.col("published") - 1),
        against=True,
        over_cpus=True,
    ),
}
"""Kinds of pictures by name."""
