"""Designs, or values of another axis, side by side: rates, ratios to the first, what limits each.

Ratios are paired. Cells are simulated on the same members of a machine's ensemble, with the same
start phases, and where they differ in the design only, with the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, hypot, log
from statistics import NormalDist, mean, stdev
from typing import Any, NamedTuple

from core.cell import Cell, CellResult
from core.kernel.designs import worked_out
from core.machine.machine import Machine
from core.outcome import PRIVATE_WORK, Share
from core.predict import CONFIDENCE, briefly, contended_share, discrepancy
from sweep.driver.driver import Progress
from sweep.executors.base import Executor
from sweep.report.explain import point
from sweep.report.what_if import simulated

TWIN = "paired"
"""The name under which designs are simulated to draw the same random numbers."""

MEMBERS, REPLICATES, UNPAIRED = "members", "replicates", "unpaired replicates"
"""What an interval of a ratio is over."""


class Ratio(NamedTuple):
    """A rate over that of the first side, for the same random numbers where they can be.

    `low` and `high` are its 90 % interval, `over` what that is over.
    """

    ratio: float
    low: float | None = None
    high: float | None = None
    over: str = ""

    @property
    def confidence(self) -> str:
        """What the interval is: of repeats it leaves out how wrong the model is."""
        return "90 %" if self.over in ("", MEMBERS) else "90 % of repeats"

    @property
    def same(self) -> bool | None:
        """Whether no difference is inside the interval; None without one."""
        if self.low is None or self.high is None:
            return None
        return self.low <= 1 <= self.high


@dataclass(frozen=True)
class Side:
    """One cell: hits per second, and the part of a hit's time that is largest, with its share.

    `limit` is a line's name, PRIVATE_WORK, or "" where it is not known.
    """

    hits_per_s: float
    limit: str = ""
    limit_share: float | None = None
    ratio: Ratio | None = None


@dataclass(frozen=True)
class Line:
    """A cell in all columns; `axes` are what it has, `sides` None where a column has no such."""

    axes: Mapping[str, Any]
    sides: tuple[Side | None, ...]


@dataclass(frozen=True)
class SideBySide:
    """Lines, and the value of the axis `by` that each column is of."""

    by: str
    columns: tuple[Any, ...]
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "by": self.by,
            "columns": list(self.columns),
            "lines": [
                {"axes": dict(line.axes), "sides": [_described(side) for side in line.sides]}
                for line in self.lines
            ],
        }


def _described(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    ratio = side.ratio and {**side.ratio._asdict(), "same": side.ratio.same}
    return {**asdict(replace(side, ratio=None)), "ratio": ratio}


def limit(shares: Sequence[Share]) -> tuple[str, float | None]:
    """The line that takes most of the CPUs' time, or private work, and its share of it."""
    times = _times(shares)
    if not times:
        return "", None
    name = max(times, key=lambda part: times[part])
    return name, times[name] / sum(times.values())


def _times(shares: Sequence[Share]) -> dict[str, int]:
    times: dict[str, int] = {}
    for share in shares:
        private = share.operation == PRIVATE_WORK or not share.line
        name = PRIVATE_WORK if private else share.line
        times[name] = times.get(name, 0) + share.ps
    return times


def side(result: CellResult, cell: Cell) -> Side:
    """What a simulated cell comes to."""
    return Side(result.hits_per_s, *limit(point(cell.cpus, [result]).shares))


def paired(
    columns: Sequence[Sequence[Cell]],
    replicates: int,
    executor: Executor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[tuple[Side, ...]]:
    """For each line of equally long columns of cells their sides, with ratios to the first.

    A cell's `ensemble` says how many members its ratio is over, and `replicates`, two or more,
    how many repeats where it has none. Rates are those of `predict`, or means of repeats;
    ratios are of twins. Raises
    SweepError if a cell fails.
    """
    lines = list(zip(*columns, strict=True))
    plain = [replace(cell, ensemble=0) for cells in lines for cell in cells]
    repeats = [[_repeats(cell, replicates) for cell in cells] for cells in lines]
    asked = [*plain, *(twin for cells in repeats for twins in cells for twin in twins)]
    on_progress(Progress(len(asked)))
    rates = iter(simulated(asked, executor, on_progress, 0, len(asked)))
    results = [[next(rates) for _ in cells] for cells in lines]
    found = []
    for cells, own, twins in zip(lines, results, repeats, strict=True):
        drawn = [[next(rates).hits_per_s for _ in column] for column in twins]
        sides = [side(result, cell) for result, cell in zip(own, cells, strict=True)]
        if not _members(cells[0]):
            sides = [replace(s, hits_per_s=mean(d)) for s, d in zip(sides, drawn, strict=True)]
        for at in range(1, len(sides)):
            ratio = _ratio((cells[0], cells[at]), (own[0], own[at]), (drawn[0], drawn[at]))
            sides[at] = replace(sides[at], ratio=ratio)
        found.append(tuple(sides))
    return found


def _repeats(cell: Cell, replicates: int) -> list[Cell]:
    """The cell, then on its members, or again; with random numbers that do not go by its design."""
    kernel = cell.design or worked_out(TWIN, cell.flavour, ())
    twin = replace(cell, flavour=TWIN, design=replace(kernel, name=TWIN), ensemble=0)
    members = _members(cell)
    if not members:
        return [replace(twin, replicate=cell.replicate + n) for n in range(replicates)]
    return [
        twin,
        *(
            briefly(replace(twin, machine=member, replicate=cell.replicate + number))
            for number, member in enumerate(members, start=1)
        ),
    ]


def _members(cell: Cell) -> tuple[Machine, ...]:
    """Those of the ensemble that an interval is over; none of one alone, nor of disturbed hits."""
    members = cell.machine.members[: cell.ensemble]
    return members if len(members) > 1 and cell.workload is None else ()


def _ratio(
    cells: tuple[Cell, Cell],
    results: tuple[CellResult, CellResult],
    drawn: tuple[Sequence[float], Sequence[float]],
) -> Ratio | None:
    """The ratio of two cells' twins, and its interval.

    Without one, and of the cells themselves, if a twin completes no hit; None if the first cell
    does not either.

    The model's own error is each cell's own, also where the same line limits both: the published
    ratios of the letter's designs scatter as much. Cells that do the same have none.
    """
    if not all((*drawn[0], *drawn[1])):
        before, after = (result.hits_per_s for result in results)
        return Ratio(after / before) if before else None
    logs = [log(b / a) for a, b in zip(*drawn, strict=True)]
    if not _members(cells[0]):
        return over_repeats(exp(mean(logs)), logs, REPLICATES)
    shares = [contended_share(c, r.hits_per_s) for c, r in zip(cells, results, strict=True)]
    error = hypot(*map(discrepancy, cells, shares)) if any(logs) else 0.0
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * hypot(stdev(logs[1:]), error)
    return Ratio(exp(logs[0]), exp(logs[0] - half), exp(logs[0] + half), MEMBERS)


def over_repeats(ratio: float, logs: Sequence[float], over: str) -> Ratio:
    """Student's interval of a ratio from the logs of the ratios of its repeats, two at least."""
    from scipy.stats import t

    half = float(t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1)) * stdev(logs) / len(logs) ** 0.5
    middle = mean(logs)
    return Ratio(ratio, exp(middle - half), exp(middle + half), over)
