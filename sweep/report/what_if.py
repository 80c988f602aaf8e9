"""What limits a cell, and what would next: the cell again with its contended lines not shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from core.cell import Cell, CellResult
from core.kernel.operation import AnyLine, Line
from core.kernel.what_if import edit
from sweep.driver.driver import Progress
from sweep.errors import SweepError
from sweep.executors.base import Executor
from sweep.letter.statements import LetterLimit, letter_limits
from sweep.plan.interval import Interval, of_mean, of_members
from sweep.report.explain import OWN_LINES, Point, point
from sweep.spec.parameters import parameters

CONTENDED = 0.01
"""A line is tried if it takes more than this share of the CPUs' time."""

Lines = frozenset[AnyLine]


@dataclass(frozen=True)
class Variant:
    """The cell with `lines` not shared; rates in hits/s, `gain` over the cell as it is.

    `largest` is the line that takes most of the CPUs' time then, and its share; None if none does.
    """

    lines: Lines
    hits_per_s: Interval
    gain: Interval
    largest: tuple[AnyLine, float] | None
    private_share: float


@dataclass(frozen=True)
class WhatIf:
    """A cell as it is and its variants, the largest gain first.

    Intervals are over `members` of the machine's ensemble, or over the replicates in `base` if that
    is 0. `shares` are those of the CPUs' time, of every line, the largest first.
    """

    cell: Cell
    kind: str
    members: int
    base: Point
    hits_per_s: Interval
    shares: dict[AnyLine, float]
    variants: tuple[Variant, ...]

    @property
    def letter(self) -> list[LetterLimit]:
        """What the letter says limits such a cell; nothing if it has no such line."""
        return list(letter_limits(self.cell.flavour, self.cell.bench))

    def variant(self, lines: Lines) -> Variant | None:
        """The variant with those of `lines` not shared that were tried; None if none was."""
        tried = {line for variant in self.variants for line in variant.lines}
        return next((v for v in self.variants if v.lines == lines & tried), None)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "cell": parameters(self.cell),
            "edit": self.kind,
            "replicates": self.base.replicates,
            "members": self.members,
            "hits_per_s": self.hits_per_s._asdict(),
            "private_share": self.base.private_ps / self.base.ps,
            "shares": {line.value: share for line, share in self.shares.items()},
            "letter": [self._limit(limit) for limit in self.letter],
            "variants": [
                {
                    "lines": _names(variant.lines),
                    "hits_per_s": variant.hits_per_s._asdict(),
                    "gain": variant.gain._asdict(),
                    "largest": variant.largest and variant.largest[0].value,
                    "largest_share": variant.largest and variant.largest[1],
                    "private_share": variant.private_share,
                }
                for variant in self.variants
            ],
        }

    def share(self, lines: Lines) -> float:
        """Share of the CPUs' time that `lines` take in the cell as it is."""
        return sum(share for line, share in self.shares.items() if line in lines)

    def _limit(self, limit: LetterLimit) -> dict[str, Any]:
        variant = self.variant(limit.lines)
        return {
            "said": limit.said,
            "lines": _names(limit.lines),
            "share": self.share(limit.lines),
            "gain": variant and variant.gain._asdict(),
        }


def with_members(cell: Cell, count: int) -> list[Cell]:
    """`cell`, and itself on the first `count` members of its machine's ensemble."""
    return [cell, *(replace(cell, machine=member) for member in cell.machine.members[:count])]


def what_if(
    repeats: Sequence[Cell],
    kind: str,
    executor: Executor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> WhatIf:
    """Simulate a cell, then without sharing its contended lines: singly, in pairs, and all.

    `repeats` are the replicates of a cell, or the cell and itself on two members or more (see
    `with_members`); it must not be edited. `kind` is one of `core.kernel.what_if.EDITS`. The
    variants of each repeat draw what it draws, so gains are taken one by one. Raises SweepError if
    a cell fails.
    """
    cell = repeats[0]
    members = len({c.machine.digest for c in repeats}) - 1
    interval = of_members if members else of_mean
    on_progress(Progress(len(repeats)))
    base = _simulated(repeats, executor, on_progress, 0, len(repeats))
    before = point(cell.cpus, base[:1] if members else base)
    shares = _shares(before, cell)
    contended = [line for line, share in shares.items() if share > CONTENDED]
    sizes = {1, 2, len(contended)} - {0}
    tried = [frozenset(lines) for n in sorted(sizes) for lines in combinations(contended, n)]
    cells = [replace(c, edits=_edits(kind, lines)) for lines in tried for c in repeats]
    total = len(repeats) + len(cells)
    results = _simulated(cells, executor, on_progress, len(repeats), total)
    variants = []
    for at, lines in enumerate(tried):
        ours = results[at * len(repeats) : (at + 1) * len(repeats)]
        after = point(cell.cpus, ours[:1] if members else ours)
        gains = [r.hits_per_s - was.hits_per_s for r, was in zip(ours, base, strict=True)]
        rate = interval([result.hits_per_s for result in ours])
        largest = next(iter(_shares(after, cell).items()), None)
        share = after.private_ps / after.ps
        variants.append(Variant(lines, rate, interval(gains), largest, share))
    variants.sort(key=lambda variant: -variant.gain.mean)
    rate = interval([result.hits_per_s for result in base])
    return WhatIf(cell, kind, members, before, rate, shares, tuple(variants))


def _edits(kind: str, lines: Lines) -> tuple[str, ...]:
    return tuple(sorted(edit(kind, line) for line in lines))


def _simulated(
    cells: Sequence[Cell],
    executor: Executor,
    on_progress: Callable[[Progress], None],
    before: int,
    total: int,
) -> list[CellResult]:
    """The results of `cells`, in their order."""
    results: dict[str, CellResult] = {}
    for outcome in executor.run(cells):
        if outcome.result is None:
            last = (outcome.error or "").strip().splitlines()[-1:]
            raise SweepError(f"a cell failed with {' '.join(last)}")
        results[outcome.cell.cell_id] = outcome.result
        on_progress(Progress(total, before + len(results)))
    return [results[cell.cell_id] for cell in cells]


def _shares(point: Point, cell: Cell) -> dict[AnyLine, float]:
    """Share of the CPUs' time of every line that is shared, the largest first."""
    parts = point.parts("line").items()
    own = {line.value: line for line in cell.layout.own}
    return {own.get(name) or Line(name): ps / point.ps for name, ps in parts if name != OWN_LINES}


def _names(lines: Lines) -> list[str]:
    return sorted(line.value for line in lines)
