"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweep.letter.claims import Rise
from sweep.letter.comparison import Comparison, Row
from sweep.letter.published import CellKey, published_mhits
from sweep.letter.summary import Summary
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text

Texts = list[str | Text]

FAIR, POOR = 0.1, 0.3
LEGEND = "* calibration cell: costs were fitted on it. Figures in million hits per second."
INTERVALS = "[ ] the prediction's 90 % interval; ! the published figure is outside."
RIVALS = (
    "USL: the Universal Scalability Law; MVA: one queueing station, by mean value analysis. Each\n"
    "is fitted to every column of the letter by itself, on the published figures of N CPUs."
)
RISES = "present: throughput falls from 16 to 32 CPUs and rises again to 64, as the letter's does."


def render(comparison: Comparison, colour: bool = False) -> str:
    """Cells, replicates, summary, rises, claims, and what was not compared."""
    return to_text(list(_parts(comparison)), colour)


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    yield from (_cells(comparison), LEGEND)
    if any(row.within is not None for row in comparison.rows):
        yield INTERVALS
    if any(row.replicates > 1 for row in comparison.rows):
        yield from ("", _replicates(comparison))
    yield from ("", _summary(comparison))
    if comparison.rivals:
        yield RIVALS
    if any(summary.intervals for summary in comparison.summary.values()):
        yield from ("", _coverage(comparison))
    yield from ("", _rises(comparison), RISES)
    yield from ("", _claims(comparison), "")
    yield from _not_compared(comparison)


def _by_column(
    comparison: Comparison,
    headers: tuple[str, str, str],
    figures: Callable[[CellKey, Row | None], Texts],
) -> Table:
    """A line a flavour and CPU count; `headers` and `figures` once a bench."""
    rows = {row.cell: row for row in comparison.rows}
    letter = published_mhits()
    benches = list(dict.fromkeys(bench for _, bench, _ in letter))
    lines = list(dict.fromkeys((flavour, cpus) for flavour, _, cpus in letter))
    made = numbers(table("flavour"), "cpus")
    for bench in benches:
        first, second, third = headers
        numbers(made, f"\n{first}", f"{bench}\n{second}", f"\n{third}")
    for (flavour, cpus), (following, _) in zip(lines, [*lines[1:], ("", 0)], strict=True):
        cells = [(flavour, bench, cpus) for bench in benches]
        texts = [text for cell in cells for text in figures(cell, rows.get(cell))]
        made.add_row(flavour, str(cpus), *texts, end_section=flavour != following)
    return made


def _cells(comparison: Comparison) -> Table:
    letter = published_mhits()
    intervals = any(row.within is not None for row in comparison.rows)

    def figures(cell: CellKey, row: Row | None) -> Texts:
        published = f"{letter[cell]:.3f}"
        if row is None:
            return [published, ABSENT, f"{ABSENT}{' ' * marks}"]
        simulated = f"{row.simulated:.3f}" + (f" {_interval(row)}" if intervals else "")
        return [published, simulated, _error(row, marks)]

    marks = 2 if intervals else 1
    simulated = "simulated [90 %]" if intervals else "simulated"
    return _by_column(comparison, ("published", simulated, f"error{' ' * marks}"), figures)


def _interval(row: Row) -> str:
    """In brackets with three digits a bound, always as wide."""
    if row.low is None or row.high is None:
        return f"[{ABSENT:^9}]"
    return f"[{_three_digits(row.low)}-{_three_digits(row.high)}]"


def _three_digits(figure: float) -> str:
    return f"{figure:.2f}" if figure < 9.995 else f"{figure:.1f}"


def _error(row: Row, marks: int) -> Text:
    size = abs(row.error)
    style = "red" if size > POOR else "yellow" if size > FAIR else ""
    marked = f"{'*' if row.calibration else ''}{'!' if row.within is False else ''}"
    return Text(f"{row.error:+.1%}{marked:<{marks}}", style)


def _replicates(comparison: Comparison) -> Table:
    def figures(cell: CellKey, row: Row | None) -> Texts:
        if row is None:
            return [ABSENT] * 3
        between = row.between_replicates_stddev
        spread = ABSENT if between is None else f"{between:.3f}"
        return [str(row.replicates), f"{row.within_run_stddev:.3f}", spread]

    headers = ("replicates", "± within a run", "± between")
    return _by_column(comparison, headers, figures)


def _summary(comparison: Comparison) -> Table:
    made = table("absolute error")
    numbers(made, "cells", "mean", "median", "90th\npercentile", "worst").add_column("worst cell")
    parts = list(comparison.summary.items())
    made_of = [parts] if not comparison.rivals else [[(f"simulated: {k}", s) for k, s in parts]]
    for rival in comparison.rivals:
        unseen = [(k, s) for k, s in rival.summary.items() if s.cells]
        made_of.append([(f"{rival.name}: {k}", s) for k, s in unseen])
    for section in made_of:
        for name, part in section:
            _add_summary(made, name, part)
        made.add_section()
    return made


def _add_summary(made: Table, name: str, part: Summary) -> None:
    shares = [percent(share) for share in (part.mean, part.median, part.p90, part.worst)]
    worst = _cell(part.worst_cell) if part.worst_cell else ABSENT
    made.add_row(name, str(part.cells), *shares, worst)


def _coverage(comparison: Comparison) -> Table:
    made = numbers(table("published inside the 90 % interval"), "cells", "inside", "share")
    for name, part in comparison.summary.items():
        inside = round((part.coverage or 0) * part.intervals)
        made.add_row(name, str(part.intervals), str(inside), percent(part.coverage))
    return made


def _rises(comparison: Comparison) -> Table:
    made = numbers(table("rise from 32 to 64 CPUs"), "published", "simulated")
    made.add_column("present")
    numbers(made, *(rival.name.replace(", ", "\n") for rival in comparison.rivals))
    for at, rise in enumerate(comparison.rises):
        present = {True: "yes", False: "NO", None: ABSENT}[rise.present]
        others = [_factor(rival.rises[at].simulated) for rival in comparison.rivals]
        name = f"{rise.bench}, {rise.flavour}"
        made.add_row(name, f"x {rise.published:.2f}", _factor(rise.simulated), present, *others)
    if comparison.rivals:
        theirs = [_present(rival.rises) for rival in comparison.rivals]
        made.add_section()
        made.add_row("present in", "", "", _present(comparison.rises), *theirs)
    return made


def _factor(rise: float | None) -> str:
    return ABSENT if rise is None else f"x {rise:.2f}"


def _present(rises: tuple[Rise, ...]) -> str:
    known = [rise.present for rise in rises if rise.present is not None]
    return f"{sum(known)} of {len(known)}"


def _claims(comparison: Comparison) -> Table:
    made = numbers(table("the letter's headlines"), "its text", "its tables", "simulated")
    made.add_column("")
    for claim in comparison.claims:
        form = "{:+.1f}" if claim.unit == "%" else "{:.1f}"
        ours = ABSENT if claim.simulated is None else form.format(claim.simulated)
        made.add_row(claim.name, claim.letter, form.format(claim.published), ours, claim.unit)
    return made


def _not_compared(comparison: Comparison) -> Iterator[str]:
    if comparison.missing:
        total = len(comparison.missing) + len(comparison.rows)
        yield f"The run lacks {len(comparison.missing)} of the letter's {total} cells ({ABSENT})."
    if comparison.left_out:
        yield (
            f"{comparison.left_out} rows of the run were left out: another machine, probe count or "
            "spread, or no such line in the letter."
        )


def _cell(cell: CellKey) -> str:
    flavour, bench, cpus = cell
    return f"{bench}, {flavour}, {cpus}"
