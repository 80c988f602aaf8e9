"""What the report's charts have in common: Vega-Lite by Altair.

Colours of text, axes and grid are the page's, see page.css: light and dark need no other chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from sweep.report.html.curves import BASELINE, Row

Spec = dict[str, Any]

CONFIG: Spec = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "font": "system-ui, sans-serif",
}

TITLES = {
    "mhits": "M/s",
    "low": "90 % from",
    "high": "90 % to",
    "per_cpu": "M/s per CPU",
    "cpus": "CPUs",
    "error": "error against the first",
    "ns": "ns a hit",
    "gain": "gain, M/s",
}


def tips(fields: Mapping[str, str], rows: Sequence[Row]) -> list[alt.Tooltip]:
    """What hovering shows: those of the fields that a row has, with their formats."""
    there = {name for row in rows for name, value in row.items() if value not in (None, "")}
    made = []
    for name, form in fields.items():
        if name in there:
            title = TITLES.get(name, name.replace("_", " "))
            number = alt.Tooltip(f"{name}:Q", title=title, format=form)
            made.append(number if form else alt.Tooltip(f"{name}:N", title=title))
    return made


def marks(row: Row) -> str:
    """What a figure is marked with, in words."""
    found = {
        "calibration cell": row.get("calibration"),
        "the published figure is outside the interval": row.get("covers") is False
        or row.get("within") is False,
        "others had the CPUs as well": row.get("disturbed"),
        "baseline": row.get("kind") == BASELINE,
    }
    return "; ".join(name for name, holds in found.items() if holds)


def chart(rows: Sequence[Row]) -> alt.Chart:
    """A chart of these rows."""
    inline: Any = alt.InlineData(values=list(rows))
    return alt.Chart(inline)


def by_design(channel: str, names: Sequence[str], values: Sequence[Any]) -> Any:
    """The channel of Altair by which designs are told apart, without a legend of its own."""
    scale = alt.Scale(domain=list(names), range=list(values))
    return getattr(alt, channel)("design:N", scale=scale, legend=None)


def cpus_axis(rows: Sequence[Row]) -> alt.X:
    """Numbers of CPUs on a logarithmic axis."""
    counts = sorted({row["cpus"] for row in rows})
    return alt.X(
        "cpus:Q",
        scale=alt.Scale(type="log", base=2, nice=False, padding=12),
        axis=alt.Axis(title="CPUs", values=ticks(counts), format="d", grid=False),
    )


def ticks(counts: Iterable[int]) -> list[int]:
    """Powers of two from the least to the most; the counts themselves where those are few."""
    found = list(counts)
    powers = [2**k for k in range(16) if found[0] <= 2**k <= found[-1]] if found else []
    return powers if len(powers) > 2 else found


def spec(chart: Any, said: str, height: int) -> Spec:
    """The chart as wide as its place; `said` is its text alternative, `height` in pixels."""
    whole = chart.properties(width="container", height=height, description=said)
    return {**whole.to_dict(), "config": CONFIG}
