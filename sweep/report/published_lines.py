"""Which published figures stand beside which cells of runs: a line of a comparison for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sweep.letter.published import (
    COVER_LETTER,
    LETTER_SETTING,
    CellKey,
    PublishedFigure,
    published_figures,
)
from sweep.letter.summary import Summary
from sweep.store.settings import Figure

Cell = tuple[str, str, int]
"""Bench, design, CPUs."""

Known = Mapping[Cell, Sequence[PublishedFigure]]
Values = Mapping[str, Any]
"""A setting."""


def known_figures(design: Callable[[str], str]) -> dict[Cell, list[PublishedFigure]]:
    """All published figures by cell, their flavours named by `design`; the letter's first."""
    found: dict[Cell, list[PublishedFigure]] = {}
    for one in published_figures():
        found.setdefault((one.bench, design(one.flavour), one.cpus), []).append(one)
    return found


def as_figure(one: PublishedFigure) -> Figure:
    """A published figure like that of a run."""
    return Figure(one.mhits_per_s, one.stddev, None, None, None, 1)


def stands_beside(one: PublishedFigure, known: Sequence[PublishedFigure], setting: Values) -> bool:
    """Whether cells of a setting are on the line of `one`, of all that is `known` of the cell.

    They are on those of their RCU; if there are none, on those of the default.
    """
    rcu = setting.get("rcu")
    if rcu not in {other.rcu for other in known}:
        rcu = LETTER_SETTING["rcu"]
    return bool(one.rcu == rcu)


def lines_of(
    cell: Cell, known: Sequence[PublishedFigure], settings: Sequence[Values]
) -> list[PublishedFigure]:
    """The published figures of a cell that get lines, when runs of `settings` have it.

    The letter's always do; others where a run stands beside them.
    """
    return [
        one
        for one in known
        if one.group == COVER_LETTER
        or any(stands_beside(one, known, setting) for setting in settings)
    ]


def is_of(one: PublishedFigure, setting: Values) -> bool:
    """Whether the figure is of this very setting, so that it can be asked how far off that is."""
    its = {**LETTER_SETTING, "rcu": one.rcu}
    return all(setting.get(name) == value for name, value in its.items())


def summaries(
    found: Iterable[tuple[PublishedFigure, CellKey, Figure]],
) -> Iterator[tuple[str, Summary]]:
    """Errors of figures beside published ones: of all, of those that costs were fitted on, others.

    Coverage is of the figures with an interval.
    """
    kept = list(found)
    for name, fitted in (("all", (True, False)), ("calibration", (True,)), ("held-out", (False,))):
        chosen = [(one, cell, figure) for one, cell, figure in kept if one.fitted in fitted]
        within = [
            figure.low <= one.mhits_per_s <= figure.high
            for one, _, figure in chosen
            if figure.low is not None and figure.high is not None
        ]
        errors = [(cell, figure.mean / one.mhits_per_s - 1) for one, cell, figure in chosen]
        yield name, Summary.of(errors, within)
