"""A comparison of runs as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweep.errors import counted
from sweep.letter.comparison_text import letter_parts
from sweep.letter.published import LETTER_SETTING
from sweep.report.compare import PUBLISHED, Compared, ComparedCell, Comparison
from sweep.store.disturbed import mark
from sweep.store.settings import said, telling
from sweep.terminal.text_table import ABSENT, kept, numbers, percent, table, to_text

GROUPS = {
    "mmap_lock_only": ("a", "12 August 2024, with nothing else shared"),
    "one_cpu": ("b", "July to December 2024; costs were fitted on all of them"),
}
"""Groups of published figures that are not the letter's: a mark, and what they are. All are of its
machine and author; each message is named in results/published."""

FAIR, POOR = 0.1, 0.3
LEGEND = (
    "Million hits per second ± the standard deviation of a run's samples.\n"
    "Errors are against {first}."
)
INTERVALS = "[ ] the prediction's 90 % interval."
STATES = "a|b below a figure: two states, by how the CPUs start, and their rates."
CALIBRATION = "* calibration cell: costs were fitted on it."
DISTURBED = "~ others had the CPUs as well: too low."
OUTSIDE = "! the published figure is outside the interval."


def render(comparison: Comparison, colour: bool = False, whole: bool = False) -> str:
    """Cells, what columns are of, replicates, what they come to beside the letter.

    What is published and no run has a figure of is counted, and there only if asked for `whole`.
    """
    return to_text(list(_parts(comparison, whole)), colour)


def _parts(comparison: Comparison, whole: bool) -> Iterator[RenderableType]:
    every = len(comparison.cells)
    if not whole:
        comparison = replace(comparison, cells=_of_runs(comparison))
    figures = [figure for cell in comparison.cells for figure in cell.figures if figure]
    yield _cells(comparison)
    if absent := every - len(comparison.cells):
        yield f"Without {counted(absent, 'published figure')} of cells that no run has: see --all."
    yield LEGEND.format(first=comparison.columns[0].name)
    for group in _groups(comparison):
        mark_of, what = GROUPS[group]
        yield f"{mark_of} {group}: the letter's machine and author, {what}."
    legends = {
        INTERVALS: any(figure.low is not None for figure in figures),
        STATES: any(figure.state_low is not None for figure in figures),
        CALIBRATION: any(figure.calibration for figure in figures),
        DISTURBED: any(mark(figure.cpu_share) for figure in figures),
        OUTSIDE: any(figure.covers is False for figure in figures),
    }
    if any(legends.values()):
        yield " ".join(text for text, needed in legends.items() if needed)
    yield from _settings(comparison)
    if any(figure.replicates > 1 for figure in figures):
        yield from ("", _replicates(comparison))
    if comparison.later:
        yield from ("", _later(comparison))
    if comparison.letter:
        yield from letter_parts(comparison.letter, whole)
    if comparison.left_out:
        yield (
            f"{counted(comparison.left_out, 'row')} of the run left out: of another setting than "
            "the letter's, or nothing is published of them."
        )


def _of_runs(comparison: Comparison) -> tuple[ComparedCell, ...]:
    """The cells that have more than a published figure."""
    runs = [at for at, column in enumerate(comparison.columns) if column.source != PUBLISHED]
    return tuple(cell for cell in comparison.cells if any(cell.figures[at] for at in runs))


def _cells(comparison: Comparison) -> Table:
    """A line a cell: the first column's figure, then those of others and how far they are off."""
    first, *others = (column.name.replace(" ", "\n") for column in comparison.columns)
    made = kept(numbers(table("bench", "design"), "cpus", first))
    for name in others:
        numbers(made, name, "error")
    for cell, last in _lines(comparison.cells):
        texts: list[str | Text] = []
        for column, figure in zip(comparison.columns, cell.figures, strict=True):
            group = _group(cell) if figure and column.name == PUBLISHED else ""
            texts += [_figure(figure) + group, _error(figure)]
        del texts[1]
        made.add_row(cell.bench, cell.design, str(cell.cpus), *texts, end_section=last)
    return made


def _groups(comparison: Comparison) -> list[str]:
    """Names of the groups of published figures beyond the letter's that have lines."""
    found = {cell.published.group for cell in comparison.cells if cell.published}
    return [group for group in GROUPS if group in found]


def _group(cell: ComparedCell) -> str:
    """The mark of a later figure's group, and its RCU if a message tried another."""
    if cell.published is None or cell.published.group not in GROUPS:
        return ""
    rcu = cell.published.rcu
    other = "" if rcu == LETTER_SETTING["rcu"] else f" rcu={rcu}"
    return f" {GROUPS[cell.published.group][0]}{other}"


def _later(comparison: Comparison) -> Table:
    """Errors beside published figures that are not the letter's, by column and group."""
    made = numbers(table("beside later figures"), "cells", "mean", "worst", "inside")
    for (name, group), found in comparison.later.items():
        for key, part in found.items():
            if part.cells:
                inside = ABSENT if part.coverage is None else percent(part.coverage)
                called = (
                    f"{name}, {group}: {key}" if len(comparison.columns) > 2 else f"{group}: {key}"
                )
                made.add_row(
                    called, str(part.cells), percent(part.mean), percent(part.worst), inside
                )
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
        both = f"\n{figure.state_low:.3f}|{figure.state_high:.3f}" if figure.state_low else ""
        return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]{marks}{both}"
    marks += "~" if mark(figure.cpu_share) else ""
    stddev = "" if figure.stddev is None else f" ± {figure.stddev:.3f}"
    return f"{figure.mean:.3f}{stddev}{marks}"


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
    for alike in comparison.one_path:
        yield f"{' and '.join(alike)} are one path: the model has one figure for them"


def _replicates(comparison: Comparison) -> Table:
    repeated = [
        at
        for at in range(len(comparison.columns))
        if any((figure := cell.figures[at]) and figure.replicates > 1 for cell in comparison.cells)
    ]
    cells = [cell for cell in comparison.cells if any(cell.figures[at] for at in repeated)]
    made = kept(numbers(table("bench", "design"), "cpus"))
    for at in repeated:
        name = comparison.columns[at].name
        numbers(made, f"{name}\nreplicates", "± within a run", "± between")
    for cell, last in _lines(cells):
        texts = [text for at in repeated for text in _spread(cell.figures[at])]
        made.add_row(cell.bench, cell.design, str(cell.cpus), *texts, end_section=last)
    return made


def _spread(figure: Compared | None) -> tuple[str, str, str]:
    if figure is None:
        return ABSENT, ABSENT, ABSENT
    between = ABSENT if figure.between is None else f"{figure.between:.3f}"
    within = ABSENT if figure.stddev is None else f"{figure.stddev:.3f}"
    return str(figure.replicates), within, between
