"""A question about one machine and one or two kernels, and its answer: brief simulations, kept."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache

from core.cell import PS_PER_SECOND, Cell, CellResult
from core.engine.simulate import simulate
from core.kernel.releases import RELEASES
from core.machine.machine import Machine
from core.predict import predict, warm
from sweep.errors import UsageError, quoted
from sweep.executors.in_process import InProcessExecutor
from sweep.live.kernel import modelled
from sweep.machines.host import HOST
from sweep.machines.larger import extended
from sweep.machines.named import SUFFIXES, calibrated_host, named_machine
from sweep.plan.plan import plan
from sweep.report.side_by_side import Ratio, limit, paired
from sweep.spec.axes import SpecError
from sweep.spec.designs import names_file
from sweep.spec.spec import Spec
from sweep.store.settings import MHITS

US = 10**6
LOOK_PS = 40 * US
"""A first look at how fast a cell's hits are."""

HITS = 5_000
LEAST_PS, MOST_PS = 100 * US, 1_500 * US
"""A point is one sample of about so many hits, and so long; a warm-up of half of that before it."""

MEMBERS = 4
"""Members of the machine's ensemble that intervals are over: a run has 12."""

REPEATS = 3
"""Repetitions that a gain's interval is over where the machine has no ensemble."""


@dataclass(frozen=True)
class Question:
    """Names as the command line takes them; `against` is another kernel, "" for none.

    `kernel` and `against` are releases or designs, with `+patch` and `~patch` after them.
    """

    machine: str
    kernel: str
    against: str
    bench: str
    cpus: int
    probes: int = 1
    spread: str = "shared"
    processes: int = 1


@dataclass(frozen=True)
class Point:
    """Million hits per second, the 90 % interval if the machine has one, and what limits it.

    `limit` is the line, or private work, that takes most of the CPUs' time, and `share` its share.
    """

    design: str
    cpus: int
    mhits: float
    low: float | None
    high: float | None
    limit: str
    share: float


@dataclass(frozen=True)
class Answer:
    """Points by design, fewest CPUs first, and what was assumed.

    `gain` is the rate of the first kernel over that of the other at the number of CPUs asked for,
    as `upgrade` has it; None without another.
    """

    points: tuple[Point, ...]
    gain: Ratio | None
    assumed: tuple[str, ...]
    seconds: float

    def at_most_cpus(self, design: str) -> Point:
        """The point at the number of CPUs asked for."""
        return [point for point in self.points if point.design == design][-1]

    @property
    def designs(self) -> list[str]:
        """The designs, that of the kernel first."""
        return list(dict.fromkeys(point.design for point in self.points))


@lru_cache(maxsize=256)
def answer(question: Question) -> Answer:
    """Simulate the curve up to the CPUs asked for, for each kernel. Answers are kept.

    Raises UsageError with the command line's words, and for what only a file would say.
    """
    began = time.perf_counter()
    own = _machine(question.machine)
    asked = [question.kernel, *([question.against] if question.against else [])]
    designs: list[str] = []
    assumed: list[str] = []
    for kernel in asked:
        design, said = _design(kernel)
        designs.append(design)
        assumed += said
    if len(set(designs)) < len(designs):
        raise UsageError(f"{' and '.join(asked)} are the same design")
    # First what a spec says of the values; a machine beyond its size is none of its business.
    asked_cells = [_cell(question, design, own.cpus) for design in designs]
    enlarged = extended(own, question.cpus)
    if enlarged.assumed:
        assumed.append(enlarged.assumed)
    if question.machine == HOST and calibrated_host() is None:
        assumed.append("this host is not calibrated: its costs are borrowed")
    asked_cells = [
        replace(cell, machine=enlarged.machine, cpus=question.cpus) for cell in asked_cells
    ]
    counts = [n for n in _counts(question.cpus) if n >= question.processes]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        whole = [replace(cell, cpus=count) for cell in asked_cells for count in counts]
        cells = list(pool.map(_brief, whole))
        results = list(pool.map(predict, cells))
        last = [cell for cell in cells if cell.cpus == question.cpus]
    gain = _gain(*reversed(last)) if len(last) > 1 else None
    points = tuple(map(_point, cells, results))
    return Answer(points, gain, tuple(dict.fromkeys(assumed)), time.perf_counter() - began)


def make_ready() -> None:
    """Compile what answers need, so that the first is no slower than others."""
    [cell] = plan(Spec(name="explore", bench="uprobe-nop", flavour="baseline", cpus=1))
    warm(cell)


def _machine(name: str) -> Machine:
    if name.endswith(SUFFIXES):
        raise UsageError(f"--machine {quoted(name)}: no files from here: a shipped name, or host")
    return named_machine(name)


def _design(kernel: str) -> tuple[str, Sequence[str]]:
    """The design that a kernel or a design with patches is, and what was assumed."""
    if names_file(kernel):
        raise UsageError(f"--flavour {quoted(kernel)}: no files from here")
    base = kernel.partition("+")[0].partition("~")[0]
    if base in RELEASES or not base[:1].isdigit():
        return kernel, ()
    release = modelled(base)
    return release.release.name + kernel[len(base) :], release.assumed


def _cell(question: Question, design: str, there: int) -> Cell:
    """The cell asked for, on the machine as it is."""
    try:
        spec = Spec(
            name="explore",
            bench=question.bench,
            flavour=design,
            machine=question.machine,
            cpus=min(question.cpus, there) if isinstance(question.cpus, int) else question.cpus,
            probes=question.probes,
            spread=question.spread,
            processes=question.processes,
        )
    except SpecError as error:
        raise UsageError(f"--{error}") from None
    [cell] = plan(spec)
    return replace(cell, ensemble=MEMBERS)


def _brief(cell: Cell) -> Cell:
    """The cell with as much simulated time as an answer has for it."""
    cell = replace(cell, precision=None)
    look = replace(cell, ensemble=0, warmup_ps=0, duration_ps=0, sample_ps=LOOK_PS)
    rate = simulate(look).hits_per_s
    asked = round(PS_PER_SECOND * HITS / rate) if rate else MOST_PS
    sample = min(max(asked, LEAST_PS), MOST_PS)
    return replace(cell, warmup_ps=sample // 2, duration_ps=0, sample_ps=sample)


def _counts(most: int) -> list[int]:
    """Powers of two up to the most, and that."""
    return sorted({most, *(2**k for k in range(most.bit_length()) if 2**k < most)})


def _gain(before: Cell, after: Cell) -> Ratio | None:
    with closing(InProcessExecutor()) as executor:
        [(_, side)] = paired([[before], [after]], REPEATS, executor)
    return side.ratio


def _point(cell: Cell, result: CellResult) -> Point:
    name, part = limit(result.attribution)
    low, high = result.predicted_low, result.predicted_high
    return Point(
        cell.flavour,
        cell.cpus,
        result.hits_per_s / MHITS,
        None if low is None else low / MHITS,
        None if high is None else high / MHITS,
        name,
        part or 0.0,
    )
