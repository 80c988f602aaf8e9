"""What a report shows: sections of charts, drawings and tables, made of what commands print too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.plan.interval import LEVEL
from sweep.report.design_style import design_styles
from sweep.report.html import bar_charts, line_charts, parts, tables
from sweep.report.html.curves import Panel, Row, Source, errors, panels, sources
from sweep.report.html.material import Figure, Material, Section
from sweep.report.html.vega_lite import marks

POINTS = (
    *("source", "design", "cpus", "mhits", "stddev", "low", "high", "per_cpu", "efficiency"),
    *("replicates", "error", "marks"),
)
"""Fields of the table behind curves."""


def sections(material: Material) -> list[Section]:
    """The sections that the material has something for. Raises UsageError for too many panels."""
    found = [
        *_throughput(material),
        *_time(material),
        *_beside_letter(material),
        *_what_if(material),
        *_waits(material),
        *_machines(material),
    ]
    return [section for section in found if section.figures]


def _throughput(material: Material) -> Iterator[Section]:
    shown = panels(material.comparison)
    first = material.comparison.columns[0].name
    text = (
        "Million hits per second over CPUs, both axes logarithmic. Filled marks are simulated or "
        "measured, hollow ones published; the band is the prediction's 90 % interval."
    )
    if any(row.get("calibration") for panel in shown for row in panel.rows):
        text += " * marks cells that costs were fitted on: they test nothing."
    if any(row.get("error") is not None for panel in shown for row in panel.rows):
        text += f" Errors are against {first}."
    known = sources(shown)
    curves = [_curves(material, panel, "mhits", known) for panel in shown]
    yield Section("throughput", "Throughput", text, curves)
    scaled = [p for p in shown if any(row["efficiency"] is not None for row in p.rows)]
    yield Section(
        "efficiency",
        "Efficiency",
        "Hits per second and CPU over those of the same curve on one CPU: 100 % is perfect "
        "scaling. A curve without a figure of one CPU has none.",
        [_curves(material, panel, "efficiency", known) for panel in scaled],
    )


def _curves(material: Material, panel: Panel, field: str, known: Sequence[Source]) -> Figure:
    what = {"mhits": "throughput", "efficiency": "efficiency"}[field]
    said = f"{panel.title}: {what} over CPUs. {_ends(panel, field)}"
    chart = line_charts.curves(panel.rows, field, material.styles, known, said)
    rows = [row for row in panel.rows if row.get(field) is not None]
    behind = tables.of_rows(f"{panel.title}: {what}", POINTS, rows)
    return Figure(panel.title, chart, tables=[behind])


def _ends(panel: Panel, field: str) -> str:
    """Where the first and the last point of each curve are, for who does not see it."""
    curves: dict[str, list[Row]] = {}
    for row in panel.rows:
        if row.get(field) is not None:
            curves.setdefault(f"{row['design']} ({row['source']})", []).append(row)
    form = tables.FORMS[field]
    return "; ".join(
        f"{name}: "
        + " to ".join(f"{form(r[field])} at {r['cpus']} CPUs" for r in (row[0], row[-1]))
        for name, row in curves.items()
    )


def _time(material: Material) -> Iterator[Section]:
    known = parts.colours(material.curves)
    colours = {name: colour for view in known.values() for name, colour in view.items()}
    figures = []
    for stack in parts.stacks(material.curves):
        said = f"{stack.title}: what a hit's time on a CPU goes to, stacked, at each number of CPUs"
        fields = ("by", "cpus", "part", "ns", "share")
        behind = tables.of_rows(f"{stack.title}: where the time goes", fields, stack.rows)
        chart = bar_charts.stacked(stack.rows, colours, said)
        figures.append(Figure(stack.title, chart, None, [behind], stack.design))
    yield Section(
        "time",
        "Where the time goes",
        "A hit's time on a CPU, by cache line or by the kernel's operation. Private work is what "
        "no operation on a shared line takes.",
        figures,
    )


def _beside_letter(material: Material) -> Iterator[Section]:
    rows = [{**row, "marks": marks(row)} for row in errors(material.comparison)]
    several = len(material.comparison.letter) > 1
    figures = []
    for bench in dict.fromkeys(row["bench"] for row in rows):
        shown: list[Row] = []
        for row in rows:
            if row["bench"] == bench:
                name = f"{row['design']}, {row['source']}" if several else row["design"]
                star = "*" if row["calibration"] else ""
                shown.append({**row, "row": name, "text": f"{100 * row['error']:+.0f}{star}"})
        said = f"{bench}: error against the published figure in per cent, by design and CPUs"
        fields = (
            "source",
            "design",
            "cpus",
            "published",
            "simulated",
            "error",
            "low",
            "high",
            "marks",
        )
        behind = tables.of_rows(f"{bench}: errors", fields, shown)
        figures.append(Figure(bench, bar_charts.error_map(shown, said), None, [behind]))
    sums = [
        t for name, one in material.comparison.letter.items() for t in tables.of_letter(name, one)
    ]
    sums += [
        tables.of_errors(f"{column}: {group}", summary)
        for (column, group), summary in material.comparison.later.items()
    ]
    if sums:
        figures.append(Figure("In sum", tables=sums))
    yield Section(
        "errors",
        "Errors against published figures",
        "Per cent, simulated or measured over published; red is too high, blue too low. * marks "
        "cells that costs were fitted on.",
        figures,
    )


def _what_if(material: Material) -> Iterator[Section]:
    figures = []
    for found in material.what_ifs:
        rows, title = parts.gains(found), parts.title(found)
        design = parts.of_design(found)
        colour = design_styles([design])[design].colour
        said = f"{title}: gain of making contended lines per-CPU, the largest first"
        fields = ("made", "mhits", "gain", "low", "high", "percent", "private", "then")
        behind = tables.of_rows(f"{title}: what if", fields, rows)
        chart = bar_charts.ranking(rows, colour, said) if rows else None
        figures.append(Figure(title, chart, None, [behind], design))
    yield Section(
        "what-if",
        "What if a line were not shared",
        "Every contended line made per-CPU: alone, in pairs, and all of them; simulated for this "
        f"report, with {LEVEL:.0%} intervals over repeats. `uprobe-sweep whatif` has longer ones.",
        figures,
    )


def _waits(material: Material) -> Iterator[Section]:
    figures = []
    for wait in material.waits:
        said = f"{wait.title}: median and 99th percentile over CPUs"
        fields = ("source", "design", "cpus", "quantile", "ms")
        behind = tables.of_rows(wait.title, fields, wait.rows)
        chart = line_charts.latencies(
            [r for r in wait.rows if r["quantile"] != "max"], material.styles, said
        )
        figures.append(Figure(wait.title, chart, None, [behind]))
    yield Section(
        "latency",
        "Attaching and detaching",
        "What writers wait, in simulated milliseconds. Thick lines are medians or whole batches, "
        "thin ones 99th percentiles. Of a cell with repeats they are the mean of the repeats' own "
        "(p50, p99), no percentile of all waits; max is the longest of all.",
        figures,
    )


def _machines(material: Material) -> Iterator[Section]:
    yield Section(
        "machine",
        "The machine",
        "CPUs by socket, last-level cache and core; those of one core are above each other. The "
        "darker, the sooner in use as CPUs grow.",
        [Figure(drawing.title, None, drawing) for drawing in material.machines],
    )
