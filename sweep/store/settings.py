"""What may be averaged: rows of a run by setting, and repeats of a cell as one figure.

The one place that says so. Rows are put together only if they agree in every column that is neither
a figure nor pooled by its role in `sweep.store.schema`; a column nobody has thought of is a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from sweep.spec.axes import AXES
from sweep.store.disturbed import without_disturbed
from sweep.store.schema import BY_NAME, FIGURES, POOLED, SCHEMA, Role, Row

MHITS = 1e6

CELL_KEY = ("bench", "flavour", "cpus")
"""What names a line of the letter's tables."""


@dataclass(frozen=True)
class Figure:
    """Repeats of a cell as one, in million hits per second; as `averaged` has them.

    `stddev` is None only for a published figure that was printed without one.
    """

    mean: float
    stddev: float | None
    between: float | None
    low: float | None
    high: float | None
    replicates: int
    cpu_share: float | None = None
    state_low: float | None = None
    state_high: float | None = None


class Setting(NamedTuple):
    """Rows that differ, of all keys, only in those that were asked for; what they have in common.

    `values` lacks what follows from the path and is not the same for all of the rows.
    """

    values: dict[str, Any]
    rows: pl.DataFrame


def settings(frame: pl.DataFrame, over: Sequence[str], seeds: bool = False) -> list[Setting]:
    """The rows by setting, sorted; `over` are the keys in which rows of one setting may differ.

    With `seeds` each seed is a setting of its own and not a repeat.
    """
    if frame.is_empty():
        return []
    found = [*(["seed"] if seeds else []), *keys(frame.columns)]
    inside = [*(name for name in AXES if name in found), *(c for c in found if c not in AXES)]
    outside = [name for name in inside if name not in over]
    # What follows from the path splits rows that agree in all else, CPUs aside: a curve has one.
    chosen = [name for name in outside if _role(name) is not Role.PATH]
    others = [name for name in (*over, *chosen) if name != "cpus" and name in frame.columns]
    for name in outside:
        if name not in chosen and _count(frame, [*others, name]) > _count(frame, others):
            chosen.append(name)
            others.append(name)
    parts = frame.sort(chosen).partition_by(chosen, maintain_order=True) if chosen else [frame]
    made = []
    for rows in parts:
        same = [c for c in outside if c in chosen or rows[c].n_unique() == 1]
        made.append(Setting({name: rows[name][0] for name in same}, rows))
    return made


def of_machine(frame: pl.DataFrame, by: str) -> list[str]:
    """Digests that may differ beside the key `by`: of machines their own, where each has one."""
    if by != "machine":
        return []
    digests = [name for name in keys(frame.columns) if _is_digest(name)]
    own = [name for name in digests if _role(name) is not Role.PATH]
    return [n for n in own if _count(frame, [by, n]) == _count(frame, [by])]


def telling(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the values in which settings differ; digests only where nothing else tells.

    A setting that lacks a value differs from none in it.
    """
    names = dict.fromkeys(name for values in found for name in values)
    differ = [n for n in names if len({values[n] for values in found if n in values}) > 1]
    told = [name for name in differ if not _is_digest(name)]
    for name in differ:
        if name not in told and _distinct(found, [*told, name]) > _distinct(found, told):
            told.append(name)
    return told


def averaged(rows: pl.DataFrame, by: Sequence[str], also: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of one setting with repeats put together: one for each combination of `by`.

    Columns are `by`; `replicates`, seeds counted too; `hits`, their sum; `hits_per_s` and
    `hits_per_s_per_cpu`, means; `hits_per_s_stddev`, the standard deviation of a repeat's samples
    (the root of the mean variance); `between`, that of the repeats' means, null for a single one;
    `low` and `high`, the mean 90 % interval, null unless every repeat has one; `cpu_share`, the
    mean of those known; `state_low` and `state_high`, the rates of two states, the means of those
    repeats that have two, null if none has; `half_width`, the widest of those that are less precise
    than asked, null if none is; and the mean of each of `also`. Hits per second.
    Disturbed measurements are no repeats of undisturbed ones. Raises ValueError for rows of several
    settings, which `settings` would have told apart.
    """
    low, high = pl.col("predicted_low"), pl.col("predicted_high")
    wide = pl.col("half_width")
    whole = (low.is_not_null() & high.is_not_null()).all()
    known = ("cpu_share", "state_low", "state_high", "half_width", "precision")
    lacks = [c for c in known if c not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in lacks)
    found = (
        without_disturbed(rows, by)
        .group_by(*dict.fromkeys([*by, *keys(rows.columns)]))
        .agg(
            pl.len().alias("replicates"),
            pl.col("hits").sum(),
            pl.col("hits_per_s", "hits_per_s_per_cpu").mean(),
            pl.col("hits_per_s_stddev").pow(2).mean().sqrt(),
            pl.col("cpu_share", "state_low", "state_high", *also).mean(),
            half_width=wide.filter(wide > pl.col("precision")).max(),
            between=pl.col("hits_per_s").std(),
            low=pl.when(whole).then(low.mean()),
            high=pl.when(whole).then(high.mean()),
        )
    )
    if found.select(by).is_duplicated().any():
        raise ValueError(f"rows of several settings that agree in {', '.join(by)}")
    return found.drop([name for name in keys(rows.columns) if name not in by])


def figures(rows: pl.DataFrame, by: Sequence[str] = CELL_KEY) -> dict[tuple[Any, ...], Figure]:
    """The figures of `averaged` rows of one setting, by the values of `by`."""
    rates = pl.col("hits_per_s", "hits_per_s_stddev", "between", "low", "high") / MHITS
    states = pl.col("state_low", "state_high") / MHITS
    found = averaged(rows, by).select(*by, rates, "replicates", "cpu_share", states)
    return {line[: len(by)]: Figure(*line[len(by) :]) for line in found.iter_rows()}


def in_setting(values: Mapping[str, Any]) -> list[pl.Expr]:
    """The conditions for rows that have these values."""
    return [pl.col(name).eq_missing(pl.lit(value)) for name, value in values.items()]


def said(values: Mapping[str, Any], names: Sequence[str], between: str = "  ") -> str:
    """Those of the values that are named, as "probes=8  consumers=2"."""
    return between.join(f"{name}={values[name]}" for name in names if name in values)


def keys(columns: Iterable[str]) -> list[str]:
    """Those of the columns that tell rows apart."""
    return [name for name in columns if name not in FIGURES and name not in POOLED]


def key_of(row: Row) -> tuple[Any, ...]:
    """What is the same in all repeats of a row, of a cell or a measurement."""
    return tuple(row[name] for name in keys(SCHEMA.names))


def _role(name: str) -> Role:
    return BY_NAME[name].role if name in BY_NAME else Role.KEY


def _is_digest(name: str) -> bool:
    return name in BY_NAME and BY_NAME[name].digest


def _count(frame: pl.DataFrame, names: Sequence[str]) -> int:
    return frame.select(names).n_unique() if names else 1


def _distinct(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int:
    return len({tuple(values.get(name) for name in names) for values in found})
