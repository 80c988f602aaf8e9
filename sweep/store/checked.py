"""What no row of a table can be, by its axes and figures: held where rows come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from core.kernel.bench import NAMED
from core.workload import STRESS
from sweep.errors import UsageError, nearest, quoted
from sweep.spec.axes import AXES, DISTURBING, OneOf
from sweep.spec.designs import names_file
from sweep.store.schema import SOURCES
from sweep.store.stress_columns import LATENCIES, QUANTILES

ASCENDING = (
    ("predicted_low", "predicted_high"),
    *((f"{what}_{a}_s", f"{what}_{b}_s") for what in LATENCIES for a, b in pairwise(QUANTILES)),
)
"""Columns of which the first is never above the second; both are null or none."""

PER_CPU = ("hits_per_s", "hits_per_s_per_cpu", "cpus")
UNDISTURBED = tuple(DISTURBING.values())
ROUNDING = 1e-9
"""How far a rate may be from another by which it is divided, as a fraction."""

DISTURBED = ("bench", *DISTURBING, "unreaped_bytes")
"""Columns that say whether hits are disturbed, and what came of that."""

BY_ROW = tuple(dict.fromkeys((*PER_CPU, *DISTURBED, *(n for pair in ASCENDING for n in pair))))
"""Columns that are held against each other, row by row."""

BENCHES = (*NAMED, STRESS)
"""What cells of a run may have hit their probes with."""

BY_VALUE = ("source", "cpu_share", *AXES)
"""Columns of which each value is looked at."""

CHECKED = tuple(dict.fromkeys((*BY_VALUE, *BY_ROW)))


def odd(columns: Mapping[str, Sequence[Any]]) -> str | None:
    """What is no value of a row in these columns, or not beside the others; None if all can be.

    Of columns of BY_VALUE alone, each value once will do; those of BY_ROW are equally long.
    """
    for name in BY_VALUE:
        for value in dict.fromkeys(columns.get(name, ())):
            if said := _odd_value(name, value):
                return said
    for pair in ASCENDING:
        if said := _first(_descending, pair, columns):
            return said
    return _first(_not_per_cpu, PER_CPU, columns) or _first(_no_counts, DISTURBED, columns)


@cache
def _odd_value(name: str, value: Any) -> str | None:
    if name == "cpu_share":
        return None if value is None or 0 <= value <= 1 else f"its column cpu_share has {value}"
    if value is None:  # Files of before there was the column have none; others are refused.
        return None
    if name == "source":
        return (
            None
            if value in SOURCES
            else f"unknown source {quoted(value)}: " + nearest(str(value), SOURCES)
        )
    if name == "machine":  # A user's own, or that of a log.
        return None if value.strip() else f"unknown machine {quoted(value)}"
    if name == "bench":
        return _said(name, OneOf(BENCHES), value)
    if name == "flavour" and names_file(value):
        return None  # The file may be on another host.
    return _said(name, AXES[name].check, value)


def _said(name: str, check: Any, value: Any) -> str | None:
    try:
        check(name, None, value)
    except UsageError as error:
        return str(error).removeprefix(f"{name}: ")
    return None


def _first(
    wrong: Callable[..., bool], names: Sequence[str], columns: Mapping[str, Sequence[Any]]
) -> str | None:
    """In words, the first row of which the values of `names` are wrong; None without these."""
    if any(name not in columns for name in names):
        return None
    rows = zip(*(columns[name] for name in names), strict=True)
    found = next((row for row in rows if wrong(*row)), None)
    if found is None:
        return None
    values = ", ".join(f"{name} {value}" for name, value in zip(names, found, strict=True))
    return f"it has a row of {values}"


def _descending(low: float | None, high: float | None) -> bool:
    return low is not high and (low is None or high is None or low > high)


def _not_per_cpu(rate: float, each: float, cpus: int) -> bool:
    return abs(each * max(cpus, 1) - rate) > ROUNDING * rate


def _no_counts(bench: str, *values: Any) -> bool:
    *axes, unreaped = values
    return unreaped is None and (bench == STRESS or tuple(axes) != UNDISTURBED)
