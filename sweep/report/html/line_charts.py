"""The report's curves over CPUs; the page's switches set what HIDDEN names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sweep.report.compare import PUBLISHED
from sweep.report.design_style import DesignStyle
from sweep.report.html.curves import BASELINE, Row, Source
from sweep.report.html.vega_lite import Spec, by_design, chart, cpus_axis, marks, spec, tips
from sweep.store.schema import SIMULATED

SHAPES = {"x": "M-1,-1L1,1M-1,1L1,-1"}
"""Markers that Vega has no word for, as its paths."""

HIDDEN = ("hiddenDesigns", "hiddenSources")
"""Names that the page switched off, in every chart with curves."""

SHOWN = "indexof(hiddenDesigns, datum.design) < 0 && indexof(hiddenSources, datum.source) < 0"

CURVE_TIPS = {
    "source": "",
    "design": "",
    "cpus": "d",
    "mhits": ".3f",
    "low": ".3f",
    "high": ".3f",
    "per_cpu": ".3f",
    "efficiency": ".1%",
    "error": "+.1%",
    "replicates": "d",
    "marks": "",
}
"""Fields that a point shows, and their format."""


def curves(
    rows: Sequence[Row],
    field: str,
    styles: Mapping[str, DesignStyle],
    sources: Sequence[Source],
    said: str,
) -> Spec:
    """`field` of rows of `sweep.report.html.curves` over CPUs, a line a source and design.

    `mhits` is on log axes, with the interval's band; `efficiency` from 0. `said` is the chart's
    text alternative.
    """
    rows = [row for row in rows if row.get(field) is not None]
    shown = [name for name in styles if any(row["design"] == name for row in rows)]
    log = field == "mhits"
    scale = alt.Scale(type="log", nice=False, padding=8) if log else alt.Scale(zero=True)
    name = "million hits per second" if log else "per CPU, against one CPU"
    x = cpus_axis(rows)
    y = alt.Y(
        f"{field}:Q",
        scale=scale,
        axis=alt.Axis(title=name, tickCount=6, format="~g" if log else "%"),
    )
    colour = by_design("Color", shown, [styles[d].colour for d in shown])
    dash = by_design("StrokeDash", shown, [list(styles[d].dash) for d in shown])
    shape = by_design("Shape", shown, [_shape(styles[d].marker) for d in shown])
    # As a figure of each row: Vega would write names into expressions, whatever is in them.
    here = [source for source in sources if any(row["source"] == source.name for row in rows)]
    widths = {source.name: _width(at, here) for at, source in enumerate(here)}
    drawn = [{**_trimmed(row), "width": widths[row["source"]]} for row in rows]
    base = chart(drawn).encode(x=x)
    line = base.mark_line().encode(
        y=y,
        color=colour,
        strokeDash=dash,
        strokeWidth=alt.StrokeWidth("width:Q", scale=None, legend=None),
        detail="source:N",
    )
    hollow = f"datum.kind === '{PUBLISHED}' || datum.kind === '{BASELINE}'"
    points = base.mark_point(size=55, strokeWidth=1.4, opacity=1).encode(
        y=y,
        color=colour,
        shape=shape,
        fill=by_design("Fill", shown, [styles[d].colour for d in shown]),
        fillOpacity=alt.condition(hollow, alt.value(0), alt.value(1)),
        tooltip=tips(CURVE_TIPS, rows),
    )
    layers: list[Any] = [line, points]
    if log and any(row.get("low") is not None for row in rows):
        band = base.mark_area(opacity=0.16, tooltip=None).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour, detail="source:N"
        )
        layers.insert(0, band.transform_filter("isValid(datum.low) && isValid(datum.high)"))
    if log and any(row.get("calibration") for row in rows):
        stars = base.mark_text(text="*", dy=-9, fontSize=15, tooltip=None).encode(y=y, color=colour)
        layers.append(stars.transform_filter("datum.calibration"))
    hidden = [alt.param(name=name, value=[]) for name in HIDDEN]
    return spec(alt.layer(*layers).transform_filter(SHOWN).add_params(*hidden), said, 300)


def latencies(rows: Sequence[Row], styles: Mapping[str, DesignStyle], said: str) -> Spec:
    """What writers wait, a line a quantile, over CPUs that hit meanwhile: none at all too.

    Of one number of CPUs a row for each design.
    """
    shown = [name for name in styles if any(row["design"] == name for row in rows)]
    over_cpus = len({row["cpus"] for row in rows}) > 1
    scale = alt.Scale(type="log", nice=False, padding=14)
    axis = alt.Axis(title="milliseconds", tickCount=5, format="~g")
    if over_cpus:
        x: Any = alt.X("cpus:O", axis=alt.Axis(title="CPUs that hit", labelAngle=0))
        y: Any = alt.Y("ms:Q", scale=scale, axis=axis)
    else:
        x = alt.X("ms:Q", scale=scale, axis=axis)
        y = alt.Y("design:N", sort=None, axis=alt.Axis(title=None, labelLimit=190))
    colour = by_design("Color", shown, [styles[d].colour for d in shown])
    shape = by_design("Shape", shown, [_shape(styles[d].marker) for d in shown])
    base = chart(rows).encode(x=x, y=y, color=colour, detail=["source:N", "quantile:N"])
    fields = {"source": "", "design": "", "cpus": "d", "quantile": "", "ms": ",.4g"}
    lines = base.mark_line().encode(
        strokeWidth=alt.StrokeWidth("quantile:O", scale=alt.Scale(range=[2.2, 1]), legend=None),
        strokeDash=by_design("StrokeDash", shown, [list(styles[d].dash) for d in shown]),
    )
    points = base.mark_point(size=50, opacity=1).encode(shape=shape, tooltip=tips(fields, rows))
    hidden = [alt.param(name=name, value=[]) for name in HIDDEN]
    whole = alt.layer(*([lines] if over_cpus else []), points)
    height = 240 if over_cpus else 30 * len(shown)
    return spec(whole.transform_filter(SHOWN).add_params(*hidden), said, height)


def _width(at: int, sources: Sequence[Source]) -> float:
    """Thick for the first simulated source, thinner for others, hair lines for baselines."""
    thin = {PUBLISHED: 1.1, BASELINE: 0.8}
    if sources[at].kind in thin:
        return thin[sources[at].kind]
    earlier = sum(source.kind == sources[at].kind for source in sources[:at])
    first = 2.6 if sources[at].kind == SIMULATED else 1.8
    return float(max(first - 0.6 * earlier, 0.8))


def _shape(marker: str) -> str:
    return SHAPES.get(marker, marker)


def _trimmed(row: Row) -> Row:
    return {
        **{name: value for name, value in row.items() if value is not None},
        "marks": marks(row),
    }
