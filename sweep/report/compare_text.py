"""A comparison of runs as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweep.letter.comparison_text import letter_parts
from sweep.report.compare import Compared, ComparedCell, Comparison
from sweep.store.disturbed import mark
from sweep.store.settings import said, telling
from sweep.terminal.text_table import ABSENT, WIDTH, numbers, percent, table, to_text

FAIR, POOR = 0.1, 0.3
LEGEND = (
    "Million hits per second ± the standard deviation of a run's samples.\n"
    "Errors are against {first}."
)
INTERVALS = "[ ] the prediction's 90 % interval."
CALIBRATION = "* calibration cell: costs were fitted on it."
DISTURBED = "~ others had the CPUs as well: too low."
OUTSIDE = "! the published figure is outside the interval."

Line = tuple[str | Text, ...]


def render(comparison: Comparison, colour: bool = False) -> str:
    """Cells, what columns are of, replicates, what they come to beside the letter."""
    return to_text(list(_parts(comparison)), colour)


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    figures = [figure for cell in comparison.cells for figure in cell.figures if figure]
    for number, columns in enumerate(_that_fit(comparison)):
        if number:
            yield ""
        yield _cells(comparison, columns, everything=not number)
    yield LEGEND.format(first=comparison.columns[0].name)
    legends = {
        INTERVALS: any(figure.low is not None for figure in figures),
        CALIBRATION: any(figure.calibration for figure in figures),
        DISTURBED: any(mark(figure.cpu_share) for figure in figures),
        OUTSIDE: any(figure.covers is False for figure in figures),
    }
    if any(legends.values()):
        yield " ".join(text for text, needed in legends.items() if needed)
    yield from _settings(comparison)
    if any(figure.replicates > 1 for figure in figures):
        yield from ("", _replicates(comparison))
    if comparison.letter:
        yield from letter_parts(comparison.letter)
    if comparison.left_out:
        yield (
            f"{comparison.left_out} rows of the run were left out: of another setting than the "
            "letter's, or no such line in it."
        )


def _that_fit(comparison: Comparison) -> Iterator[list[int]]:
    """Indexes of columns for tables that fit the WIDTH; the first column is in each."""
    named = max(len(f"{c.bench} {c.design} {c.cpus}") for c in comparison.cells) + 6
    widths = [
        max(
            *(len(word) for word in column.name.split()),
            *(len(_figure(cell.figures[at])) + (8 if at else 0) for cell in comparison.cells),
        )
        + 2
        for at, column in enumerate(comparison.columns)
    ]
    room = WIDTH - named - widths[0]
    taken: list[int] = []
    for at in range(1, len(widths)):
        if taken and sum(widths[i] for i in (*taken, at)) > room:
            yield [0, *taken]
            taken = []
        taken.append(at)
    yield [0, *taken]


def _cells(comparison: Comparison, columns: Sequence[int], everything: bool) -> Table:
    """Lines of these columns; those that only the first has are of no use in a further table."""
    made = numbers(table("bench", "design"), "cpus")
    for at in columns:
        numbers(made, comparison.columns[at].name.replace(" ", "\n"))
        if at:
            numbers(made, "error")
    there = [c for c in comparison.cells if everything or any(c.figures[at] for at in columns[1:])]
    for cell, last in _lines(there):
        texts: list[str | Text] = []
        for at in columns:
            texts.append(_figure(cell.figures[at]))
            if at:
                texts.append(_error(cell.figures[at]))
        made.add_row(cell.bench, cell.design, str(cell.cpus), *texts, end_section=last)
    return made


def _lines(cells: Sequence[ComparedCell]) -> Iterator[tuple[ComparedCell, bool]]:
    """The cells, and which are the last of their bench and design."""
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        same = after is not None and (after.bench, after.design) == (cell.bench, cell.design)
        yield cell, not same


def _figure(figure: Compared | None) -> str:
    if figure is None:
        return ABSENT
    marks = f"{'*' if figure.calibration else ''}{'!' if figure.covers is False else ''}"
    if figure.low is not None and figure.high is not None:
        return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]{marks}"
    marks += "~" if mark(figure.cpu_share) else ""
    return f"{figure.mean:.3f} ± {figure.stddev:.3f}{marks}"


def _error(figure: Compared | None) -> Text:
    if figure is None or figure.error is None:
        return Text(ABSENT)
    size = abs(figure.error)
    style = "red" if size > POOR else "yellow" if size > FAIR else ""
    return Text(percent(figure.error, "+"), style)


def _settings(comparison: Comparison) -> Iterator[str]:
    """A line for each column that is not as the first: in what, if its name does not say."""
    first = comparison.columns[0].setting
    names = telling([column.setting for column in comparison.columns])
    for column in comparison.columns[1:]:
        other = [
            name
            for name in names
            if column.setting.get(name) not in (None, first.get(name))
            and said(column.setting, [name]) not in column.name
        ]
        if other:
            yield f"{column.name}: {said(column.setting, other)}"
    for at, column in enumerate(comparison.columns):
        if designs := column.other_paths(comparison.columns[:at]):
            yield f"{column.name}: another path of {', '.join(designs)} than in a column before it"


def _replicates(comparison: Comparison) -> Table:
    repeated = [
        at
        for at in range(len(comparison.columns))
        if any((figure := cell.figures[at]) and figure.replicates > 1 for cell in comparison.cells)
    ]
    made = numbers(table("bench", "design"), "cpus")
    for at in repeated:
        name = comparison.columns[at].name
        numbers(made, f"{name}\nreplicates", "± within a run", "± between")
    for cell, last in _lines(comparison.cells):
        texts = [text for at in repeated for text in _spread(cell.figures[at])]
        made.add_row(cell.bench, cell.design, str(cell.cpus), *texts, end_section=last)
    return made


def _spread(figure: Compared | None) -> tuple[str, str, str]:
    if figure is None:
        return ABSENT, ABSENT, ABSENT
    between = ABSENT if figure.between is None else f"{figure.between:.3f}"
    return str(figure.replicates), f"{figure.stddev:.3f}", between
