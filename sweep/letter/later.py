"""Published figures beside the letter, simulated: mmap_lock alone, and lines that are idle."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import exp, log
from statistics import mean

from core.calibrate.hand_offs import hand_off_ns
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import load_machine
from sweep.letter.published import LETTER_MACHINE, CellKey, later_figures

US = 10**6
PHASES = 4
"""Simulations of a cell, each with other start phases: their logarithms are averaged."""

HAND_OFFS_ON = "xeon-8176"
HAND_OFFS_NS = {
    ("blind locked operation", "same cache"): 47.5,
    ("blind locked operation", "other socket"): 149.4,
    ("load, then locked operation", "same cache"): 102.5,
    ("load, then locked operation", "other socket"): 410.0,
}
"""A line that nobody else wants, from one CPU to another, ns; Xeon 8176, perfbook cpu/overheads and
cachetorture (medians; 360 to 460 in two runs for the last)."""


def alone_errors(threads: int = 2) -> Mapping[CellKey, float]:
    """Simulated / published - 1 of every cell where nothing but mmap_lock is shared."""
    rows = later_figures("mmap_lock_only").select("flavour", "bench", "cpus", "mhits_per_s").rows()
    with ThreadPoolExecutor(threads) as pool:
        rates = list(pool.map(_mhits, [row[:3] for row in rows]))
    return {
        (flavour, bench, cpus): ours / theirs - 1
        for (flavour, bench, cpus, theirs), ours in zip(rows, rates, strict=True)
    }


def hand_off_errors() -> Mapping[tuple[str, str], float]:
    """Simulated / published - 1 of every hand-off in HAND_OFFS_NS."""
    machine = load_machine(HAND_OFFS_ON)
    return {
        (name, distance): hand_off_ns(machine, name, distance) / ns - 1
        for (name, distance), ns in HAND_OFFS_NS.items()
    }


def _mhits(key: CellKey) -> float:
    """Simulated million hits per second, over PHASES starts."""
    flavour, bench, cpus = key
    logs = []
    for replicate in range(PHASES):
        cell = Cell(
            bench=bench,
            flavour=flavour,
            cpus=cpus,
            probes=1,
            spread="shared",
            machine=load_machine(LETTER_MACHINE),
            seed=0,
            replicate=replicate,
            warmup_ps=100 * US,
            duration_ps=0,
            sample_ps=500 * US,
        )
        logs.append(log(simulate(cell).hits_per_s / 1e6))
    return exp(mean(logs))
