"""How accurate the model is meant to be: each target as data, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from sweep.letter.comparison import LetterComparison
from sweep.letter.curves import CurveErrors, PublishedCurve
from sweep.letter.later import Alone
from sweep.letter.published import CellKey, calibration_cells
from sweep.letter.summary import Summary

BARE, GUEST = "Xeon Platinum 8176 8x28c/448t", "Xeon Platinum 8176 (KVM guest)"
PAIRS_FROM = 8
"""In the guests' curves 4 or fewer CPUs are not truly concurrent."""


INTERVALS = "the letter and mmap_lock alone, uncertainty"

GROUPS: dict[str, tuple[int, int, float | None]] = {
    "one CPU": (1, 1, None),
    "one socket": (2, 20, 0.98),
    "two sockets": (21, 40, None),
    "siblings": (41, 80, None),
}
"""Numbers of CPUs on the letter's machine, by what they meet each other over, and the largest share
that may be inside an interval: four to seven cells do not tell 98 % from all."""


def _pair(lock: str) -> PublishedCurve:
    primitive = f"refscale {lock} lock+unlock pair"
    return PublishedCurve(f"{lock} pair", primitive, GUEST, "xeon-8176", PAIRS_FROM)


CURVES = (
    PublishedCurve("atomic_inc, Xeon 8176", "atomic_inc shared", BARE, "xeon-8176", 2, 56),
    PublishedCurve(
        "atomic_inc, Milan", "atomic_inc shared", "EPYC Milan guest 166 vCPU", "epyc-milan"
    ),
    _pair("refcnt"),
    _pair("rwlock"),
    _pair("rwsem"),
)
"""Every published CPU count in the range is simulated: together they take seconds."""


@dataclass(frozen=True)
class Measured:
    """Fresh figures of one model: the letter's cells, the primitives' curves, mmap_lock alone.

    `hand_offs` is the error, simulated / published - 1, of each line that nobody else wants, by
    what is done to it and how far.
    """

    comparison: LetterComparison
    curves: tuple[CurveErrors, ...]
    alone: Mapping[CellKey, Alone] = field(default_factory=dict)
    hand_offs: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def curve(self, name: str) -> CurveErrors:
        """The errors of the curve called so."""
        return next(errors for errors in self.curves if errors.curve.name == name)


@dataclass(frozen=True)
class Target:
    """What `measure` gives is meant to lie from `least` to `most`, both included.

    `unit` is "share" for fractions, or what is counted. `measure` gives None where there is nothing
    to measure; `lacking` says why.
    """

    group: str
    name: str
    measure: Callable[[Measured], float | None]
    least: float | None = None
    most: float | None = None
    unit: Literal["share", "columns"] = "share"
    lacking: str = "nothing to measure"


@dataclass(frozen=True)
class Verdict:
    """A target's figure; `met` is None, and `note` says why, where there is none."""

    group: str
    name: str
    least: float | None
    most: float | None
    unit: str
    figure: float | None
    met: bool | None
    note: str = ""


def judge(target: Target, measured: Measured) -> Verdict:
    """Hold what was measured against the target."""
    figure = target.measure(measured)
    met = None
    if figure is not None:
        low = target.least is None or figure >= target.least
        met = low and (target.most is None or figure <= target.most)
    return Verdict(
        target.group,
        target.name,
        target.least,
        target.most,
        target.unit,
        figure,
        met,
        target.lacking if figure is None else "",
    )


def _curve_error(measured: Measured, name: str) -> float | None:
    return measured.curve(name).mean_error


def _summary(measured: Measured, cells: str, field: str) -> float | None:
    figure: float | None = getattr(measured.comparison.summary[cells], field)
    return figure


def _inside(measured: Measured, least: int, most: int) -> float | None:
    """Share of held-out cells with so many CPUs, mmap_lock alone too, inside their intervals."""
    within = {row.cell: row.within for row in measured.comparison.rows}
    within |= {cell: one.within for cell, one in measured.alone.items()}
    inside = [
        found
        for cell, found in within.items()
        if found is not None and least <= cell[2] <= most and cell not in calibration_cells()
    ]
    return sum(inside) / len(inside) if inside else None


def _worst_on_one_cpu(measured: Measured) -> float | None:
    rows = [row for row in measured.comparison.rows if row.cpus == 1]
    return Summary.of({row.cell: row.error for row in rows}).worst


def _alone(measured: Measured, field: str, held_out: bool = False) -> float | None:
    known = calibration_cells() if held_out else frozenset()
    errors = {cell: one.error for cell, one in measured.alone.items() if cell not in known}
    figure: float | None = getattr(Summary.of(errors), field)
    return figure


def _worst_hand_off(measured: Measured) -> float | None:
    return max(map(abs, measured.hand_offs.values()), default=None)


def _rises(measured: Measured) -> float:
    return sum(rise.present is True for rise in measured.comparison.rises)


def _of_curve(name: str, most: float) -> Target:
    curve = next(curve for curve in CURVES if curve.name == name)
    cpus = f"from {curve.from_cpus} CPUs" if curve.from_cpus > 1 else "whole curve"
    if curve.to_cpus is not None:
        cpus = f"{curve.from_cpus} to {curve.to_cpus} CPUs"
    return Target(
        "primitives, mean absolute error",
        f"{name}, {cpus}",
        partial(_curve_error, name=name),
        most=most,
        lacking=f"no machine {curve.machine}",
    )


def _of_letter(name: str, cells: str, field: str, most: float) -> Target:
    measure = partial(_summary, cells=cells, field=field)
    return Target("the letter, absolute error", name, measure, most=most)


def _of_alone(name: str, field: str, most: float, held_out: bool = False) -> Target:
    measure = partial(_alone, field=field, held_out=held_out)
    return Target("mmap_lock alone, absolute error", f"1 to 80 CPUs, {name}", measure, most=most)


TARGETS = (
    _of_curve("atomic_inc, Xeon 8176", 0.08),
    _of_curve("atomic_inc, Milan", 0.08),
    _of_curve("refcnt pair", 0.15),
    _of_curve("rwlock pair", 0.15),
    _of_curve("rwsem pair", 0.15),
    Target(
        "primitives, mean absolute error",
        "an idle line by kind and distance, worst",
        _worst_hand_off,
        most=0.10,
    ),
    _of_alone("mean", "mean", 0.06),
    _of_alone("worst", "worst", 0.15),
    _of_alone("held-out, mean", "mean", 0.06, held_out=True),
    Target("the letter, absolute error", "1 CPU, worst", _worst_on_one_cpu, most=0.02),
    _of_letter("all, median", "all", "median", 0.04),
    _of_letter("all, 90th percentile", "all", "p90", 0.12),
    _of_letter("all, worst", "all", "worst", 0.20),
    _of_letter("held-out, median", "held-out", "median", 0.05),
    Target(
        INTERVALS,
        "held-out, inside the 90 % intervals",
        partial(_inside, least=1, most=80),
        least=0.80,
        most=0.98,
        lacking="no intervals in the run",
    ),
    *(
        Target(
            INTERVALS,
            f"the same, {name}",
            partial(_inside, least=least, most=most),
            least=0.80,
            most=share,
            lacking="no intervals in the run",
        )
        for name, (least, most, share) in GROUPS.items()
    ),
    Target(
        "the letter, shape",
        "fall to 32 CPUs and rise to 64",
        _rises,
        least=6,
        unit="columns",
    ),
)
