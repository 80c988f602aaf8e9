"""Mixed runs as text for a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from sweep.letter.comparison_text import FAIR, POOR
from sweep.report.mix import Figure, Mix
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text

LEGEND = (
    "Million hits per second ± the standard deviation of a run's samples;\n"
    "[ ] a prediction's 90 % interval. Errors are against {first}."
)


def render(mix: Mix, colour: bool = False) -> str:
    """A line a cell: its figure in every column, and how far that is off the first."""
    made = numbers(table("bench", "design"), "cpus")
    for index, name in enumerate(mix.columns):
        numbers(made, name)
        if index:
            numbers(made, "error")
    for cell, after in zip(mix.cells, [*mix.cells[1:], None], strict=True):
        texts: list[str | Text] = []
        for index, figure in enumerate(cell.figures):
            texts.append(_figure(figure))
            if index:
                texts.append(_error(figure))
        last = after is None or (after.bench, after.design) != (cell.bench, cell.design)
        made.add_row(cell.bench, cell.design, str(cell.cpus), *texts, end_section=last)
    parts: list[RenderableType] = [made, LEGEND.format(first=mix.columns[0])]
    return to_text(parts, colour)


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return ABSENT
    if figure.low is not None and figure.high is not None:
        return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
    return f"{figure.mean:.3f} ± {figure.stddev:.3f}"


def _error(figure: Figure | None) -> Text:
    if figure is None or figure.error is None:
        return Text(ABSENT)
    size = abs(figure.error)
    style = "red" if size > POOR else "yellow" if size > FAIR else ""
    return Text(percent(figure.error, "+"), style)
