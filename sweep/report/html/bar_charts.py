"""The report's bars and coloured cells; the page's switches set `by` and VIEW of stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from sweep.report.html.curves import Row
from sweep.report.html.vega_lite import Spec, chart, spec, tips

VIEW = "view"
"""Which of a chart's views the page shows."""


def stacked(rows: Sequence[Row], parts: Mapping[str, str], said: str) -> Spec:
    """Where the time of a hit goes at each number of CPUs, in one of `VIEW`: shares or ns.

    Rows have `by` (line or operation), `part`, `cpus`, `ns`, `share` and `order`; `parts` are the
    colours by name.
    """
    scale = alt.Scale(domain=[*parts], range=[*parts.values()])
    shown = (
        chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("cpus:O", axis=alt.Axis(title="CPUs", labelAngle=0)),
            y=alt.Y("value:Q", axis=alt.Axis(title=None, format="~s", tickCount=5)),
            color=alt.Color("part:N", scale=scale, legend=None),
            order="order:Q",
            tooltip=tips({"part": "", "cpus": "d", "ns": ",.1f", "share": ".1%"}, rows),
        )
    )
    switches = [alt.param(name="by", value="line"), alt.param(name=VIEW, value="share")]
    chosen = shown.transform_filter("datum.by === by").transform_calculate(
        value=f"{VIEW} === 'share' ? 100 * datum.share : datum.ns"
    )
    return spec(chosen.add_params(*switches), said, 220)


def error_map(rows: Sequence[Row], said: str) -> Spec:
    """Errors against published figures as coloured cells, CPUs across, designs down."""
    edge = max(0.1, *(abs(row["error"]) for row in rows))
    colour = alt.Scale(
        domain=[-edge, 0, edge], range=["#2166ac", "#f7f7f7", "#b2182b"], interpolate="lab"
    )
    base = chart(rows).encode(
        x=alt.X("cpus:O", axis=alt.Axis(title="CPUs", labelAngle=0)),
        y=alt.Y("row:N", sort=None, axis=alt.Axis(title=None, labelLimit=140)),
    )
    fields = {"source": "", "design": "", "cpus": "d", "published": ".3f", "simulated": ".3f"}
    marks = {"error": "+.1%", "low": ".3f", "high": ".3f", "marks": ""}
    cells = base.mark_rect().encode(
        color=alt.Color("error:Q", scale=colour, legend=None), tooltip=tips(fields | marks, rows)
    )
    light = f"abs(datum.error) > {0.6 * edge}"
    figures = base.mark_text(fontSize=11, tooltip=None).encode(
        text="text:N", fill=alt.condition(light, alt.value("#fffffe"), alt.value("#111112"))
    )
    return spec(alt.layer(cells, figures), said, 30 * len({row["row"] for row in rows}))


def ranking(rows: Sequence[Row], colour: str, said: str) -> Spec:
    """Gains of variants, the largest first, each with its interval."""
    base = chart(rows).encode(
        y=alt.Y(
            "made:N",
            sort=None,
            axis=alt.Axis(title=None, labelLimit=240, labelFontSize=11),
        )
    )
    bars = base.mark_bar(color=colour, height=12).encode(
        x=alt.X("gain:Q", axis=alt.Axis(title="gain, million hits per second", tickCount=5)),
        tooltip=tips(
            {"made": "", "mhits": ".3f", "gain": "+.3f", "percent": "+.1%", "then": ""}, rows
        ),
    )
    spans = base.mark_rule(strokeWidth=2, opacity=0.7, tooltip=None).encode(
        x="low:Q", x2="high:Q", color=alt.value("#808080")
    )
    return spec(alt.layer(bars, spans), said, 24 * len(rows))
