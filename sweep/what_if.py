"""What limits a cell, and what would next: the cell again with its contended lines not shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from core.engine.cell import Cell, CellResult
from core.kernel.operation import Line
from core.kernel.what_if import edit
from sweep.driver import Progress
from sweep.errors import SweepError
from sweep.executors.base import Executor
from sweep.explain import OWN_LINES, Point, point
from sweep.interval import Interval, of_mean
from sweep.limits import LetterLimit, letter_limits
from sweep.plan import parameters

CONTENDED = 0.01
"""A line is tried if it takes more than this share of the CPUs' time."""

Lines = frozenset[Line]


@dataclass(frozen=True)
class Variant:
    """The cell with `lines` not shared; rates in hits/s, `gain` over the cell as it is.

    `largest` is the line that takes most of the CPUs' time then, and its share; None if none does.
    """

    lines: Lines
    hits_per_s: Interval
    gain: Interval
    largest: tuple[Line, float] | None
    private_share: float


@dataclass(frozen=True)
class WhatIf:
    """A cell as it is, over its replicates, and its variants, the largest gain first.

    `shares` are those of the CPUs' time, of every line, the largest first.
    """

    cell: Cell
    kind: str
    base: Point
    hits_per_s: Interval
    shares: dict[Line, float]
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


def what_if(
    replicates: Sequence[Cell],
    kind: str,
    executor: Executor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> WhatIf:
    """Simulate a cell, then without sharing its contended lines: singly, in pairs, and all.

    `replicates` are those of one cell, which must not be edited; `kind` is one of
    `core.kernel.what_if.EDITS`. A variant's replicates draw what the cell's do, so gains are taken
    replicate by replicate. Raises SweepError if a cell fails.
    """
    cell = replicates[0]
    on_progress(Progress(len(replicates)))
    base = _simulated(replicates, executor, on_progress, 0, len(replicates))
    before = point(cell.cpus, base)
    shares = _shares(before)
    contended = [line for line, share in shares.items() if share > CONTENDED]
    sizes = {1, 2, len(contended)} - {0}
    tried = [frozenset(lines) for n in sorted(sizes) for lines in combinations(contended, n)]
    cells = [replace(c, edits=_edits(kind, lines)) for lines in tried for c in replicates]
    total = len(replicates) + len(cells)
    results = _simulated(cells, executor, on_progress, len(replicates), total)
    each = len(replicates)
    variants = [
        _variant(cell.cpus, lines, base, results[at * each : (at + 1) * each])
        for at, lines in enumerate(tried)
    ]
    variants.sort(key=lambda variant: -variant.gain.mean)
    rate = of_mean([result.hits_per_s for result in base])
    return WhatIf(cell, kind, before, rate, shares, tuple(variants))


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


def _variant(
    cpus: int, lines: Lines, base: Sequence[CellResult], results: Sequence[CellResult]
) -> Variant:
    after = point(cpus, results)
    gains = [ours.hits_per_s - was.hits_per_s for ours, was in zip(results, base, strict=True)]
    return Variant(
        lines,
        of_mean([result.hits_per_s for result in results]),
        of_mean(gains),
        next(iter(_shares(after).items()), None),
        after.private_ps / after.ps,
    )


def _shares(point: Point) -> dict[Line, float]:
    """Share of the CPUs' time of every line that is shared, the largest first."""
    parts = point.parts("line").items()
    return {Line(name): ps / point.ps for name, ps in parts if name != OWN_LINES}


def _names(lines: Lines) -> list[str]:
    return sorted(line.value for line in lines)
