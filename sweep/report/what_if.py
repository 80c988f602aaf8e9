"""What limits a cell, and what would next: the cell again with its contended lines not shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from core.cell import Cell, CellResult
from core.kernel.operation import AnyLine, Line
from core.kernel.what_if import edit
from sweep.driver.driver import Progress
from sweep.errors import SweepError
from sweep.executors.base import Executor
from sweep.letter.published import LETTER_MACHINE, LETTER_SETTING, later_figures
from sweep.letter.statements import LetterLimit, letter_limits
from sweep.plan.interval import Interval, of_mean, of_members
from sweep.plan.weight import weight
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
    is 0. `shares` are those of the CPUs' time, of every line, the largest first. A line with
    several words on it goes by the first that a hit touches.
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

    @property
    def alone(self) -> dict[int, float]:
        """Measured on the letter's machine with its last stage and mmap_lock alone, by CPUs, M/s.

        Nothing for a cell that this does not decide anything about.
        """
        asked = (self.cell.machine.name, self.cell.flavour, self.cell.bench, self.cell.rcu)
        if asked != (LETTER_MACHINE, "tasks-trace", "uprobe-nop", LETTER_SETTING["rcu"]):
            return {}
        rows = later_figures("mmap_lock_only").select("cpus", "mhits_per_s")
        return dict(rows.iter_rows())

    def variant(self, lines: Lines) -> Variant | None:
        """The variant with those of `lines` not shared that were tried; None if none was."""
        tried = {line for variant in self.variants for line in variant.lines}
        wanted = self._places(lines) & tried
        return next((v for v in self.variants if v.lines == wanted), None)

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
            "mmap_lock_alone": self.alone,
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
        places = self._places(lines)
        return sum(share for line, share in self.shares.items() if line in places)

    def _places(self, words: Lines) -> Lines:
        """What the lines go by that these words are on."""
        goes_by = _goes_by(self.cell)
        return frozenset(goes_by.get(word, word) for word in words)

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
    base = simulated(repeats, executor, on_progress, 0, len(repeats))
    before = point(cell.cpus, base[:1] if members else base)
    shares = _shares(before, cell)
    contended = [line for line, share in shares.items() if share > CONTENDED]
    sizes = {1, 2, len(contended)} - {0}
    tried = [frozenset(lines) for n in sorted(sizes) for lines in combinations(contended, n)]
    goes_by = _goes_by(cell)
    edits = {
        lines: _edits(kind, [w for w, by in goes_by.items() if by in lines]) for lines in tried
    }
    cells = [replace(c, edits=edits[lines]) for lines in tried for c in repeats]
    total = len(repeats) + len(cells)
    results = simulated(cells, executor, on_progress, len(repeats), total)
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


def _goes_by(cell: Cell) -> dict[AnyLine, AnyLine]:
    """For every word that a hit of `cell` touches, what its line goes by."""
    touched = {op.line for path in cell.paths for call in path for op in call.operations if op.line}
    words = [word for word in (*Line, *cell.layout.own) if word in touched]
    first: dict[AnyLine, AnyLine] = {}
    return {word: first.setdefault(cell.layout.home(word), word) for word in words}


def _edits(kind: str, words: Iterable[AnyLine]) -> tuple[str, ...]:
    return tuple(sorted(edit(kind, word) for word in words))


def simulated(
    cells: Sequence[Cell],
    executor: Executor,
    on_progress: Callable[[Progress], None],
    before: int,
    total: int,
) -> list[CellResult]:
    """The results of `cells`, in their order."""
    results: dict[str, CellResult] = {}
    weights = {cell.cell_id: weight(cell) for cell in cells}
    spent, whole = 0.0, sum(weights.values())
    for outcome in executor.run(cells):
        if outcome.result is None:
            last = (outcome.error or "").strip().splitlines()[-1:]
            raise SweepError(f"a cell failed with {' '.join(last)}")
        results[outcome.cell.cell_id] = outcome.result
        spent += weights[outcome.cell.cell_id]
        share = (before + len(cells) * spent / whole) / total
        on_progress(Progress(total, before + len(results), share=share))
    return [results[cell.cell_id] for cell in cells]


def _shares(point: Point, cell: Cell) -> dict[AnyLine, float]:
    """Share of the CPUs' time of every line that is shared, the largest first."""
    parts = point.parts("line").items()
    own = {line.value: line for line in cell.layout.own}
    goes_by, shares = _goes_by(cell), Counter[AnyLine]()
    for name, ps in parts:
        if name != OWN_LINES:
            word = own.get(name) or Line(name)
            shares[goes_by.get(word, word)] += ps
    return {line: ps / point.ps for line, ps in shares.most_common()}


def _names(lines: Lines) -> list[str]:
    return sorted(line.value for line in lines)
