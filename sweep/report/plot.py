"""The picture: throughput over CPUs, simulated and published, a panel a bench."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from core.kernel.flavours import FLAVOURS, LETTER_TITLES
from core.kernel.hot_path import BENCHES
from core.machine.machine import load_machine, machine_names
from sweep.errors import UsageError, counted
from sweep.letter.published import LETTER_SETTING, published
from sweep.report.tables import USUAL, in_order
from sweep.store.schema import SOURCES
from sweep.store.settings import CELL_KEY, MHITS, averaged, in_setting, said, settings, telling

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's, told apart by colour-blind readers too; the letter's flavours come first."""

METADATA = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
}
"""Formats by suffix; nothing that differs between two drawings of the same figures."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "svg.hashsalt": "uprobe-sweep",
}

SIMULATED: dict[str, Any] = {
    "linestyle": "-",
    "linewidth": 1.8,
    "marker": "o",
    "markersize": 3.8,
    "zorder": 3,
}
PUBLISHED: dict[str, Any] = {
    "linestyle": (0, (4, 2.2)),
    "linewidth": 1.1,
    "marker": "o",
    "markersize": 6.5,
    "markerfacecolor": "white",
    "markeredgewidth": 1.1,
}


LEGEND: dict[str, Any] = {
    "loc": "outside upper center",
    "frameon": False,
    "handlelength": 2.6,
    "columnspacing": 1.8,
}


def plot(frame: pl.DataFrame, path: Path) -> None:
    """Write the picture of `draw` to `path`, as SVG or PNG by its suffix.

    The same rows give the same bytes. Raises UsageError for another suffix, where `path` cannot be
    written, and as `draw` does.
    """
    suffix = path.suffix.lower()
    if suffix not in METADATA:
        raise UsageError(f"cannot draw {path}: the name has to end in .svg or .png")
    with matplotlib.rc_context(STYLE):
        figure = draw(frame)
        try:
            figure.savefig(path, dpi=200, metadata=METADATA[suffix])
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def draw(frame: pl.DataFrame) -> Figure:
    """Million hits per second over CPUs: a panel for each bench, a colour for each flavour.

    Rows of the letter's setting are drawn, beside the published curves; the caption says how many
    others there are. Without any, those of the frame's one setting are drawn alone. Seeds and
    replicates are averaged. Raises UsageError for a frame without rows, and for several settings.
    """
    rows = frame.filter(*in_setting(LETTER_SETTING))
    letter = published() if len(rows) else None
    rows = rows if len(rows) else frame
    found = settings(rows, CELL_KEY)
    if not found:
        raise UsageError("nothing to draw: the run has no results")
    if len(found) > 1:
        differing = telling([setting.values for setting in found])
        which = "; ".join(said(values, differing, ", ") for values, _ in found)
        raise UsageError(
            f"a picture shows one setting, see --only; this run has {len(found)}: {which}"
        )
    left_out = len(frame) - len(rows)
    benches = in_order(BENCHES, rows["bench"])
    colours = _colours(rows["flavour"])
    width = max(5.8, 1.4 + 3.1 * len(benches))
    figure = Figure(figsize=(width, 4.0))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.06)
    panels = figure.subplots(1, len(benches), sharey=True, squeeze=False)[0]
    for panel, bench in zip(panels, benches, strict=True):
        panel.set_title(bench, fontsize="large")
        for flavour, colour in colours.items():
            of_curve = pl.col("bench") == bench, pl.col("flavour") == flavour
            if letter is not None:
                curve = letter.filter(*of_curve)
                panel.plot(curve["cpus"], curve["mhits_per_s"], color=colour, **PUBLISHED)
            mean = averaged(rows.filter(*of_curve), ("cpus",)).sort("cpus")
            panel.plot(mean["cpus"], mean["hits_per_s"] / MHITS, color=colour, **SIMULATED)
        _dress(panel)
    panels[0].set_ylabel("million hits per second")
    handles = _legend(colours, ", ".join(in_order(SOURCES, rows["source"])), letter is not None)
    figure.legend(handles=handles, ncols=5 if len(benches) > 1 else 3, **LEGEND)
    caption = _caption(found[0].values, letter is not None, left_out)
    lines = [wrapped for line in caption for wrapped in wrap(line, int(16 * width))]
    figure.supxlabel("\n".join(lines), fontsize="small", color="0.3")
    return figure


def _colours(present: pl.Series) -> dict[str, str]:
    """A known flavour has its own colour in every picture, whatever else is there."""
    known = [*dict.fromkeys([*LETTER_TITLES, *FLAVOURS])]
    names = in_order(known, [*known, *present])
    colours = dict(zip(names, cycle(COLOURS), strict=False))
    return {name: colour for name, colour in colours.items() if name in present}


def _dress(panel: Axes) -> None:
    panel.set_xscale("log", base=2)
    low, high = panel.get_xlim()
    ticks = [n for n in (2**k for k in range(16)) if low <= n <= high]
    panel.set_xticks(ticks, [str(n) for n in ticks])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xlabel("CPUs")
    panel.set_ylim(bottom=0)
    panel.grid(color="0.9", linewidth=0.6)
    panel.set_axisbelow(True)


def _legend(colours: dict[str, str], source: str, with_published: bool) -> list[Line2D]:
    handles = [Line2D([], [], color=c, linewidth=4, label=name) for name, c in colours.items()]
    handles.append(Line2D([], [], color="0.2", label=source, **SIMULATED))
    if with_published:
        handles.append(Line2D([], [], color="0.2", label="published", **PUBLISHED))
    return handles


def _caption(setting: dict[str, Any], with_published: bool, left_out: int) -> list[str]:
    machine, probes = setting["machine"], setting["probes"]
    title = load_machine(machine).title if machine in machine_names() else machine
    many = f"{probes} probes, spread {setting['spread']}"
    who = "one probe, hit by all CPUs" if probes == 1 else many
    known = {c: v for c, v in USUAL.items() if c not in ("machine", "probes", "spread", "source")}
    other = [f"{c} {setting[c]}" for c, v in known.items() if c in setting and setting[c] != v]
    if left_out:
        other.append(f"{counted(left_out, 'result')} of other settings not shown")
    source = ["Published: A. Nakryiko, cover letter of 31 July 2024"] if with_published else []
    return ["; ".join([title, who, *other]), *source]
