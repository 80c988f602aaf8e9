"""A run's curves drawn: panels of a picture, with a look for every design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from core.machine.machine import load_machine, machine_names
from sweep.errors import UsageError
from sweep.report.design_style import DesignStyle, design_styles
from sweep.report.picture import PUBLISHED, Panel, Picture, picture
from sweep.report.tables import USUAL
from sweep.store.whole_file import write_whole

METADATA: dict[str, dict[str, None]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Formats by suffix; nothing that differs between two drawings of the same figures."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "svg.hashsalt": "uprobe-sweep",
    "pdf.fonttype": 42,
}

MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle-up": "^",
    "diamond": "D",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
}
"""Of `sweep.report.design_style`, as matplotlib calls them; filled ones all."""

SOURCES: dict[str, dict[str, Any]] = {
    "simulated": {"linewidth": 1.6, "markersize": 4.4, "zorder": 3},
    "live": {"linewidth": 1.0, "markersize": 6.4, "fillstyle": "left", "zorder": 3},
    "log": {"linewidth": 1.0, "markersize": 6.4, "fillstyle": "top", "zorder": 3},
    PUBLISHED: {"linewidth": 0.7, "markersize": 6.6, "markerfacecolor": "white", "alpha": 0.8},
}
"""How measured and simulated points differ: full or not, by the size and the width of the line."""

QUANTILES: dict[str, dict[str, Any]] = {"": {}, "p50": {}, "p99": {"markerfacecolor": "white"}}

PANEL = (3.1, 2.5)
"""Inches of one; LETTER is what a letter of a legend or caption takes, HANDLE a legend's sample."""
LETTER, HANDLE = 0.073, 0.85


def plot(frame: pl.DataFrame, path: Path, **how: Any) -> Picture:
    """Write the picture of `draw` to `path`, as SVG, PNG or PDF by its suffix; `how` goes to it.

    The same rows give the same bytes. Raises UsageError for another suffix and as `picture` does,
    and InfrastructureError where `path` cannot be written; what was there is then as it was.
    """
    suffix = path.suffix.lower()
    if suffix not in METADATA:
        raise UsageError(f"cannot draw {path}: the name has to end in .svg, .png or .pdf")
    log_y = how.pop("log_y", False)
    shown = picture(frame, **how)
    drawn = BytesIO()
    with matplotlib.rc_context(STYLE):
        draw(shown, log_y).savefig(drawn, format=suffix[1:], dpi=200, metadata=METADATA[suffix])
    write_whole(path, drawn.getvalue())
    return shown


def draw(shown: Picture, log_y: bool = False) -> Figure:
    """The picture on a figure: its panels, their legend above, below of what setting they are."""
    columns, rows = max(map(len, shown.rows)), len(shown.rows)
    width = max(5.8, 1.4 + PANEL[0] * columns)
    styles = design_styles(shown.designs)
    handles = list(_legend(shown, styles))
    widest = LETTER * max(len(str(handle.get_label())) for handle in handles) + HANDLE
    ncols = max(1, min(len(handles), int((width - 0.3) / widest)))
    lines = 0.19 * -(-len(handles) // ncols)
    caption = [line for text in _caption(shown) for line in wrap(text, int(16 * width))]
    height = PANEL[1] * rows + lines + 0.17 * len(caption) + 0.8
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.06)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for at, row in enumerate(shown.rows):
        for axes, panel in zip(panels[at], row, strict=True):
            _draw_panel(axes, panel, styles)
            title = "\n".join(filter(None, [panel.title, *wrap(shown.settings[at], 44)]))
            axes.set_title(title, fontsize="large" if not shown.settings[at] else "medium")
        panels[at][0].set_ylabel(shown.label)
    # Only now, as panels share what their axes span.
    for axes in panels.flat:
        _dress(axes, shown, log_y)
    for axes in panels[-1]:
        axes.set_xlabel("CPUs" if shown.over == "cpus" else shown.over)
    figure.legend(
        handles=handles,
        ncols=ncols,
        loc="outside upper center",
        frameon=False,
        handlelength=3.4,
        columnspacing=1.6,
    )
    figure.supxlabel("\n".join(caption), fontsize="small", color="0.3")
    return figure


def _draw_panel(axes: Axes, panel: Panel, styles: Mapping[str, DesignStyle]) -> None:
    """Later designs are narrower, so that one beneath is seen where they agree."""
    narrower = dict(zip(styles, np.linspace(1.3, 0.7, len(styles)), strict=True))
    for curve in panel.curves:
        style, width = styles[curve.design], narrower[curve.design]
        if all(end is not None for end in (*curve.low, *curve.high)):
            low, high = ([float(end or 0) for end in side] for side in (curve.low, curve.high))
            axes.fill_between(curve.x, low, high, color=style.colour, alpha=0.13, linewidth=0)
        look = {**SOURCES[curve.source], **QUANTILES[curve.quantile]}
        sizes = {name: look[name] * width for name in ("linewidth", "markersize")}
        axes.plot(curve.x, curve.y, **_look(style), **look | sizes)


def _look(style: DesignStyle) -> dict[str, Any]:
    dash = (0, style.dash) if style.dash else "-"
    return {"color": style.colour, "linestyle": dash, "marker": MARKERS[style.marker]}


def _dress(axes: Axes, shown: Picture, log_y: bool) -> None:
    values = sorted({x for curve in shown.curves for x in curve.x})
    axes.set_xscale(*(("log",) if values[0] > 0 else ("symlog",)), base=2)
    ticks = [n for n in values if n == 0 or n & (n - 1) == 0]
    ticks = ticks if len(ticks) > 1 and len(ticks) > len(values) / 3 else values
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    if log_y or shown.kind == "latency":
        axes.set_yscale("symlog" if shown.kind == "error" else "log")
    elif shown.kind == "error":
        axes.axhline(0, color="0.5", linewidth=0.8)
    else:
        axes.set_ylim(bottom=0)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)


def _legend(shown: Picture, styles: Mapping[str, DesignStyle]) -> Iterator[Line2D]:
    for name, style in styles.items():
        yield Line2D([], [], label=name, linewidth=1.6, markersize=4.4, **_look(style))
    drawn = {(curve.source, curve.quantile) for curve in shown.curves}
    for source, look in SOURCES.items():
        for quantile, changed in QUANTILES.items():
            if (source, quantile) in drawn:
                label = " ".join(filter(None, [source, quantile]))
                both = {**look, **changed, "color": "0.2", "marker": "o"}
                yield Line2D([], [], label=label, **both)
    if any(end is not None for curve in shown.curves for end in curve.low):
        yield Line2D([], [], color="0.2", alpha=0.13, linewidth=8, label="90 % interval")


def _caption(shown: Picture) -> Iterator[str]:
    """What all panels have in common, what is published, what is left out."""
    setting = shown.setting
    said = []
    if (machine := setting.get("machine")) is not None:
        said.append(load_machine(machine).title if machine in machine_names() else machine)
    if (probes := setting.get("probes")) is not None:
        many = f"{probes:,} probes" + (
            f", spread {setting['spread']}" if "spread" in setting else ""
        )
        said.append("one probe, hit by all CPUs" if probes == 1 else many)
    apart = ("machine", "probes", "spread", "source", "bench", "flavour", shown.over)
    names = dict.fromkeys([*USUAL, *setting])
    said += [
        f"{name} {setting[name]}"
        for name in names
        if name in setting and name not in apart and name in USUAL and setting[name] != USUAL[name]
    ]
    yield "; ".join(said)
    if any(curve.source == PUBLISHED for curve in shown.curves) or shown.kind == "error":
        yield "Published: A. Nakryiko, cover letter of 31 July 2024"
    if shown.left_out:
        yield shown.left_out
