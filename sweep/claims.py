"""What the letter's text claims of its own tables, as measures that any figures can be held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sweep.published import CellKey

Figures = Mapping[CellKey, float]
"""Million hits per second of cells."""

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


def measured(measure: Measure, figures: Figures) -> float | None:
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
