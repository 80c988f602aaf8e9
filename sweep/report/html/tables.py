"""Tables of the report: what every chart shows, in figures that sort and can be copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sweep.letter.comparison import LetterComparison
from sweep.letter.summary import Summary
from sweep.report.html.curves import Row
from sweep.report.html.vega_lite import marks

ABSENT = "–"


class Value(NamedTuple):
    """What a cell of a table says and, of a number, what it sorts by."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Table:
    """Columns without a value in any row are left out. `caption` is its name for a reader."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


Form = Callable[[Any], str]


def figure(value: float) -> str:
    """A rate or time, three digits behind the point where it is small."""
    return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def share(value: float) -> str:
    """A fraction in per cent."""
    return f"{100 * value:.1f} %"


def change(value: float) -> str:
    """A signed fraction in per cent."""
    return f"{100 * value:+.1f} %"


FORMS: dict[str, Form] = {
    "cpus": str,
    "replicates": str,
    "mhits": figure,
    "stddev": figure,
    "low": figure,
    "high": figure,
    "per_cpu": figure,
    "efficiency": share,
    "error": change,
    "published": figure,
    "simulated": figure,
    "ns": lambda value: f"{value:,.1f}",
    "share": share,
    "gain": lambda value: f"{value:+,.3f}",
    "percent": change,
    "private": share,
    "ms": lambda value: f"{value:,.4g}",
}
"""How numbers are written; other fields are words."""

HEADS = {
    "cpus": "CPUs",
    "mhits": "M/s",
    "stddev": "±",
    "low": "90 % from",
    "high": "to",
    "per_cpu": "M/s/CPU",
    "percent": "gain, %",
    "gain": "gain, M/s",
    "private": "private work",
    "then": "then the largest line",
    "made": "made per-CPU",
    "ns": "ns a hit",
}

ERRORS = (
    *("cells", "how many", "mean", "median", "90th percentile", "worst", "inside 90 %"),
    "worst cell",
)
RISES = ("64 CPUs over 32", "published", "here", "falls and rises")
CLAIMS = (
    *("the letter's headlines", "its text", "its tables", "here", "90 % from", "to"),
    *("its tables inside", "unit"),
)
"""Heads of the tables beside the letter."""


def of_rows(caption: str, fields: Sequence[str], rows: Sequence[Row]) -> Table:
    """`fields` of rows; `marks` are worded here."""
    marked = [{**row, "marks": marks(row)} for row in rows]
    there = [f for f in fields if any(row.get(f) not in (None, "") for row in marked)]
    heads = tuple(HEADS.get(name, name) for name in there)
    return Table(
        caption, heads, tuple(tuple(_value(n, row.get(n)) for n in there) for row in marked)
    )


def of_errors(caption: str, summary: Mapping[str, Summary]) -> Table:
    """Absolute errors in sum, and how many published figures are inside their intervals."""
    rows = []
    for which, part in summary.items():
        if not part.cells:
            continue
        shares = (part.mean, part.median, part.p90, part.worst, part.coverage)
        worst = ", ".join(map(str, part.worst_cell)) if part.worst_cell else ABSENT
        rows.append(
            (Value(which), Value(str(part.cells), part.cells), *map(_share, shares), Value(worst))
        )
    return Table(f"{caption}: absolute errors", ERRORS, tuple(rows))


def of_letter(name: str, found: LetterComparison) -> list[Table]:
    """What a column comes to beside the letter: errors in sum, rises and headline claims.

    Of rises and claims those that it has a figure of.
    """
    made = [of_errors(name, found.summary)]
    rises = tuple(
        (
            Value(f"{rise.bench}, {rise.flavour}"),
            Value(f"x {rise.published:.2f}", rise.published),
            Value(f"x {rise.simulated:.2f}", rise.simulated),
            Value({True: "yes", False: "no", None: ABSENT}[rise.present]),
        )
        for rise in found.rises
        if rise.simulated is not None
    )
    claims = tuple(
        (
            Value(claim.name),
            Value(claim.letter),
            _number(claim.published),
            _number(claim.simulated),
            *map(_number, (claim.low, claim.high)),
            Value({True: "yes", False: "no", None: ABSENT}[claim.inside]),
            Value(claim.unit),
        )
        for claim in found.claims
        if claim.simulated is not None
    )
    made.append(Table(f"{name}: the rise from 32 to 64 CPUs", RISES, rises))
    made.append(Table(f"{name}: the letter's headlines", CLAIMS, claims))
    return [one for one in made if one.rows]


def _value(name: str, value: Any) -> Value:
    if value is None or value == "":
        return Value(ABSENT)
    if name in FORMS:
        return Value(FORMS[name](value), float(value))
    return Value(str(value))


def _share(value: float | None) -> Value:
    return Value(ABSENT) if value is None else Value(share(value), value)


def _number(value: float | None) -> Value:
    return Value(ABSENT) if value is None else Value(f"{value:.1f}", value)
