"""What the letter's text and curves say, as measures that any figures can be held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import TypeVar

from sweep.letter.published import CellKey

Figures = Mapping[CellKey, float]
"""Million hits per second of cells."""

Intervals = Mapping[CellKey, tuple[float, float]]
"""Ends of the 90 % intervals of such figures."""

Measure = Callable[[Figures], float]
"""Raises KeyError where a cell that it needs is lacking."""

CPUS = (1, 2, 4, 8, 16, 32, 64)


def peak(figures: Figures, flavour: str, bench: str) -> float:
    """Highest throughput of a column. All its cells are needed: the peak of some is no peak."""
    return max(figures[flavour, bench, cpus] for cpus in CPUS)


def peak_gain(figures: Figures, bench: str) -> float:
    """What tasks-trace adds to the peak of srcu, in per cent."""
    return 100 * (peak(figures, "tasks-trace", bench) / peak(figures, "srcu", bench) - 1)


def single_gain(figures: Figures, bench: str) -> float:
    """What tasks-trace adds to the throughput of srcu with one CPU, in per cent."""
    return 100 * (figures["tasks-trace", bench, 1] / figures["srcu", bench, 1] - 1)


def rise(figures: Figures, flavour: str, bench: str) -> float:
    """Throughput with 64 CPUs / with 32."""
    return figures[flavour, bench, 64] / figures[flavour, bench, 32]


def dips(figures: Figures, flavour: str, bench: str) -> bool:
    """Whether 32 CPUs give less than 16 and than 64: a curve that falls and rises again.

    The rise alone is no test: a law that never falls has it too, and saturates.
    """
    low = figures[flavour, bench, 32]
    return low < figures[flavour, bench, 16] and low < figures[flavour, bench, 64]


T = TypeVar("T")


def measured(measure: Callable[[Figures], T], figures: Figures) -> T | None:
    """The measure, or None where `figures` lack a cell that it needs."""
    try:
        return measure(figures)
    except KeyError:
        return None


@dataclass(frozen=True)
class LetterClaim:
    """One claim: `letter` is the figure in its text; that and `measure` are in `unit`, M/s or %."""

    name: str
    unit: str
    letter: str
    measure: Measure


def _peak(bench: str, flavour: str, letter: str) -> LetterClaim:
    measure = partial(peak, flavour=flavour, bench=bench)
    return LetterClaim(f"{bench}, peak of {flavour}", "M/s", letter, measure)


def _peak_gain(bench: str, letter: str) -> LetterClaim:
    name = f"{bench}, srcu -> tasks-trace at the peak"
    return LetterClaim(name, "%", letter, partial(peak_gain, bench=bench))


def _single_gain(bench: str, letter: str) -> LetterClaim:
    name = f"{bench}, srcu -> tasks-trace with 1 CPU"
    return LetterClaim(name, "%", letter, partial(single_gain, bench=bench))


CLAIMS = (
    _peak("uprobe-nop", "baseline", "3.7"),
    _peak("uprobe-nop", "srcu", "8"),
    _peak("uprobe-nop", "tasks-trace", "10.3"),
    _peak("uretprobe-nop", "baseline", "2.4"),
    _peak("uretprobe-nop", "srcu", "5 (5.3)"),
    _peak("uretprobe-nop", "tasks-trace", "5.8"),
    _peak_gain("uprobe-nop", "+28"),
    _peak_gain("uretprobe-nop", "+11"),
    _single_gain("uprobe-nop", "+3.5"),
    _single_gain("uretprobe-nop", "+5.8"),
)
"""In the order of the text, which rounds: what its tables give is `measure` of them."""


@dataclass(frozen=True)
class Rise:
    """Throughput at 64 CPUs / at 32, of a column where the letter's rises.

    `present` says that the figures fall from 16 to 32 CPUs and rise from 32 to 64, as the letter's
    do. `simulated` and `present` are None where a cell is lacking.
    """

    bench: str
    flavour: str
    published: float
    simulated: float | None
    present: bool | None


def rises(letter: Figures, figures: Figures) -> Iterator[Rise]:
    """The rise of `figures` in each column where that of `letter` is there."""
    for flavour, bench in dict.fromkeys((flavour, bench) for flavour, bench, _ in letter):
        published = rise(letter, flavour, bench)
        if published > 1:
            yield Rise(
                bench,
                flavour,
                published,
                measured(partial(rise, flavour=flavour, bench=bench), figures),
                measured(partial(dips, flavour=flavour, bench=bench), figures),
            )


@dataclass(frozen=True)
class Claim:
    """A headline of the letter: as its text puts it, as its tables have it, and simulated.

    In `unit`, "M/s" or "%". `simulated` is None where the run lacks a cell that the claim needs.
    `low` and `high` are its 90 % interval, `inside` whether the tables' figure is there; None where
    cells have none.
    """

    name: str
    unit: str
    letter: str
    published: float
    simulated: float | None
    low: float | None = None
    high: float | None = None
    inside: bool | None = None


def claims(letter: Figures, figures: Figures, intervals: Intervals) -> Iterator[Claim]:
    """CLAIMS, measured on the letter's tables and on `figures` with their cells' `intervals`."""
    for claim in CLAIMS:
        ours, published = measured(claim.measure, figures), claim.measure(letter)
        found = Claim(claim.name, claim.unit, claim.letter, published, ours)
        if ours is not None and intervals.keys() >= figures.keys():
            low, high = interval(claim.measure, figures, intervals)
            found = replace(found, low=low, high=high, inside=low <= published <= high)
        yield found


def interval(measure: Measure, figures: Figures, intervals: Intervals) -> tuple[float, float]:
    """The ends of a measure's interval, from those of the cells that it is made of: those whose
    least rise changes it.

    The column of each is moved as far as the cell's own ends are, and what that changes is added in
    quadrature: the propagation of errors that are independent between columns. Raises KeyError as
    the measure does.
    """
    ours = measure(figures)
    below = above = 0.0
    for cell, ends in intervals.items():
        if measure({**figures, cell: figures[cell] * (1 + 1e-9)}) == ours:
            continue
        changes = [measure(_moved(figures, cell, end)) - ours for end in ends]
        below += min(0.0, *changes) ** 2
        above += max(0.0, *changes) ** 2
    return ours - sqrt(below), ours + sqrt(above)


def _moved(figures: Figures, cell: CellKey, end: float) -> Figures:
    """The figures with the cell's column multiplied by what brings the cell to `end`."""
    factor = end / figures[cell]
    return {c: mhits * factor if c[:2] == cell[:2] else mhits for c, mhits in figures.items()}
