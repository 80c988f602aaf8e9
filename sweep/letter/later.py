"""Published figures beside the letter, simulated: mmap_lock alone, and lines that are idle."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import exp, log
from statistics import mean

from core.calibrate.hand_offs import hand_off_ns
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import load_machine
from core.predict import predict
from sweep.letter.published import LETTER_MACHINE, CellKey, later_figures

US = 10**6
PHASES = 4
"""Simulations of a cell, each with other start phases: their logarithms are averaged."""

MEMBERS = 12
"""Of the ensemble, as in the letter's spec."""

HAND_OFFS_ON = "xeon-8176"
HAND_OFFS_NS = {
    ("blind locked operation", "same cache"): 47.5,
    ("blind locked operation", "other socket"): 149.4,
    ("load, then locked operation", "same cache"): 102.5,
    ("load, then locked operation", "other socket"): 410.0,
}
"""A line that nobody else wants, from one CPU to another, ns; Xeon 8176, perfbook cpu/overheads and
cachetorture (medians; 360 to 460 in two runs for the last)."""

DISPUTED = frozenset({("load, then locked operation", "other socket")})
"""Those that the source gives a wide range of."""


@dataclass(frozen=True)
class Alone:
    """A cell where nothing but mmap_lock is shared.

    `error` is simulated / published - 1, `within` whether the published figure lies in the 90 %
    interval; None without one.
    """

    error: float
    within: bool | None


def alone(threads: int = 2) -> Mapping[CellKey, Alone]:
    """Every published cell where nothing but mmap_lock is shared, simulated."""
    rows = later_figures("mmap_lock_only").select("flavour", "bench", "cpus", "mhits_per_s").rows()
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(_alone, [row[:3] for row in rows], [row[3] * 1e6 for row in rows]))
    return {row[:3]: one for row, one in zip(rows, found, strict=True)}


def hand_off_errors() -> Mapping[tuple[str, str], float]:
    """Simulated / published - 1 of every hand-off in HAND_OFFS_NS."""
    machine = load_machine(HAND_OFFS_ON)
    return {
        (name, distance): hand_off_ns(machine, name, distance) / ns - 1
        for (name, distance), ns in HAND_OFFS_NS.items()
    }


def _alone(key: CellKey, published: float) -> Alone:
    """The mean of PHASES starts, and the interval of the first, beside the published rate."""
    flavour, bench, cpus = key
    cell = Cell(
        bench=bench,
        flavour=flavour,
        cpus=cpus,
        probes=1,
        spread="shared",
        machine=load_machine(LETTER_MACHINE),
        seed=0,
        replicate=0,
        warmup_ps=100 * US,
        duration_ps=0,
        sample_ps=500 * US,
    )
    rates = [simulate(replace(cell, replicate=number)).hits_per_s for number in range(PHASES)]
    first = predict(replace(cell, ensemble=MEMBERS))
    within = None
    if first.predicted_low is not None and first.predicted_high is not None:
        within = first.predicted_low <= published <= first.predicted_high
    return Alone(exp(mean(map(log, rates))) / published - 1, within)
