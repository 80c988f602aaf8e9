"""A picture's panels as text: a letter for each design."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters

from sweep.report.picture import PUBLISHED, Panel, Picture

HEIGHT = 16
NARROWEST, WIDEST = 40, 120


def chart(shown: Picture, width: int) -> str:
    """Every panel below the other, and which letter is which design; medians of latencies only."""
    letters = dict(zip(shown.designs, ascii_letters, strict=False))
    parts = [
        _panel(shown, panel, setting, letters, max(NARROWEST, min(width, WIDEST)))
        for row, setting in zip(shown.rows, shown.settings, strict=True)
        for panel in row
    ]
    parts += ["\n".join(_legend(shown, letters))]
    return "\n".join(parts) + "\n"


def _panel(shown: Picture, panel: Panel, setting: str, letters: dict[str, str], width: int) -> str:
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.theme("clear")
    plotext.plot_size(width, HEIGHT)
    plotext.title(", ".join(filter(None, [panel.title, setting])))
    plotext.ylabel(shown.label)
    plotext.xlabel("CPUs" if shown.over == "cpus" else shown.over)
    values = sorted({x for curve in panel.curves for x in curve.x})
    places = {x: at for at, x in enumerate(values)}
    plotext.xticks(list(places.values()), [f"{x:,}" for x in values])
    if shown.kind == "latency":
        plotext.yscale("log")
    elif shown.kind != "error":
        plotext.ylim(0, None)
    for curve in panel.curves:
        if curve.source == PUBLISHED or curve.quantile == "p99":
            continue
        marker = letters.get(curve.design, "?")
        plotext.scatter([places[x] for x in curve.x], list(curve.y), marker=marker)
    text = plotext.uncolorize(plotext.build())
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def _legend(shown: Picture, letters: dict[str, str]) -> Iterator[str]:
    yield ", ".join(f"{letters.get(name, '?')} {name}" for name in shown.designs)
    if shown.left_out:
        yield shown.left_out
