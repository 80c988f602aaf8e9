"""What figures come to beside the letter's, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table

from sweep.letter.claims import Claim, Rise
from sweep.letter.comparison import LetterComparison
from sweep.letter.published import CellKey
from sweep.letter.summary import Summary
from sweep.terminal.text_table import ABSENT, numbers, percent, table

BASELINES = (
    "USL: the Universal Scalability Law; MVA: one queueing station, by mean value analysis. Each\n"
    "is fitted to every column of the letter by itself, on the published figures of N CPUs."
)
RISES = "present: throughput falls from 16 to 32 CPUs and rises again to 64, as the letter's does."

CLAIMS = "[ ] 90 % interval: the cells' own, in quadrature. ! the tables' figure is outside."


def letter_parts(
    found: Mapping[str, LetterComparison], whole: bool = False
) -> Iterator[RenderableType]:
    """Summary, coverage, rises and claims of columns by their name, one at least.

    Rises and claims that no column has a figure of are there only if the letter's `whole`.
    """
    yield from ("", _summary(found))
    first = next(iter(found.values()))
    if first.baselines:
        yield BASELINES
    if any(part.intervals for one in found.values() for part in one.summary.values()):
        yield from ("", _coverage(found))
    if rises := _with_figures([one.rises for one in found.values()], whole):
        yield from ("", _rises(found, rises), RISES)
    if claims := _with_figures([one.claims for one in found.values()], whole):
        yield from ("", _claims(found, claims))
    known = [claim.inside for one in found.values() for claim in one.claims]
    if any(inside is not None for inside in known):
        yield CLAIMS
    for name, one in found.items():
        if one.missing:
            total = len(one.missing) + len(one.rows)
            lacks = f"lacks {len(one.missing)} of the letter's {total} cells."
            yield f"{_head(found, name, 'The run')} {lacks}"


def _with_figures(columns: Sequence[Sequence[Rise | Claim]], whole: bool) -> list[int]:
    """Numbers of the rows in which a column has a figure; of all if `whole`."""
    rows = enumerate(zip(*columns, strict=True))
    return [at for at, row in rows if whole or any(one.simulated is not None for one in row)]


def _head(found: Mapping[str, object], name: str, alone: str) -> str:
    """What to call a column: `alone`, if it is the only one."""
    return alone if len(found) == 1 else name


def _summary(found: Mapping[str, LetterComparison]) -> Table:
    made = table("absolute error")
    numbers(made, "cells", "mean", "median", "90th\npercentile", "worst").add_column("worst cell")
    for name, one in found.items():
        alone = len(found) == 1 and not one.baselines
        for key, part in one.summary.items():
            _add_summary(made, key if alone else f"{_head(found, name, 'simulated')}: {key}", part)
        made.add_section()
    for baseline in next(iter(found.values())).baselines:
        for key, part in baseline.summary.items():
            _add_summary(made, f"{baseline.name}: {key}", part)
        made.add_section()
    return made


def _add_summary(made: Table, name: str, part: Summary) -> None:
    if not part.cells:
        return
    shares = [percent(share) for share in (part.mean, part.median, part.p90, part.worst)]
    worst = _cell(part.worst_cell) if part.worst_cell else ABSENT
    made.add_row(name, str(part.cells), *shares, worst)


def _coverage(found: Mapping[str, LetterComparison]) -> Table:
    made = numbers(table("published inside the 90 % interval"), "cells", "inside", "share")
    for name, one in found.items():
        for key, part in one.summary.items():
            if not part.intervals:
                continue
            inside = round((part.coverage or 0) * part.intervals)
            called = key if len(found) == 1 else f"{name}: {key}"
            made.add_row(called, str(part.intervals), str(inside), percent(part.coverage))
    return made


def _rises(found: Mapping[str, LetterComparison], shown: Sequence[int]) -> Table:
    made = numbers(table("rise from 32 to 64 CPUs"), "published")
    for name in found:
        numbers(made, _head(found, name, "simulated").replace(" ", "\n")).add_column("present")
    first = next(iter(found.values()))
    numbers(made, *(baseline.name.replace(", ", "\n") for baseline in first.baselines))
    for at in shown:
        rise = first.rises[at]
        texts = [f"{rise.bench}, {rise.flavour}", f"x {rise.published:.2f}"]
        for one in found.values():
            present = {True: "yes", False: "NO", None: ABSENT}[one.rises[at].present]
            texts += [_factor(one.rises[at].simulated), present]
        texts += [_factor(baseline.rises[at].simulated) for baseline in first.baselines]
        made.add_row(*texts)
    if first.baselines:
        theirs = [_present(baseline.rises, shown) for baseline in first.baselines]
        made.add_section()
        ours = [text for one in found.values() for text in (_present(one.rises, shown), "")]
        made.add_row("present in", f"{len(shown)} of {len(shown)}", *ours, *theirs)
    return made


def _factor(rise: float | None) -> str:
    return ABSENT if rise is None else f"x {rise:.2f}"


def _present(rises: tuple[Rise, ...], shown: Sequence[int]) -> str:
    known = [present for at in shown if (present := rises[at].present) is not None]
    return f"{sum(known)} of {len(known)}"


def _claims(found: Mapping[str, LetterComparison], shown: Sequence[int]) -> Table:
    made = numbers(table("the letter's headlines"), "its text", "its tables")
    numbers(made, *(_head(found, name, "simulated").replace(" ", "\n") for name in found))
    made.add_column("")
    for at in shown:
        claim = next(iter(found.values())).claims[at]
        form = "{:+z.1f}" if claim.unit == "%" else "{:.1f}"
        ours = [_claim(one.claims[at], form) for one in found.values()]
        made.add_row(claim.name, claim.letter, form.format(claim.published), *ours, claim.unit)
    return made


def _claim(claim: Claim, form: str) -> str:
    """What the figures make of a claim, and its interval, with ! if the tables' is outside."""
    if claim.simulated is None:
        return ABSENT
    said = form.format(claim.simulated)
    if claim.low is None or claim.high is None:
        return said
    outside = "" if claim.inside else "!"
    return f"{said} [{form.format(claim.low)}, {form.format(claim.high)}]{outside}"


def _cell(cell: CellKey) -> str:
    flavour, bench, cpus = cell
    return f"{bench}, {flavour}, {cpus}"
