"""What the checks of a cell with writers cost: checked hits per second with them and without.

Without: every check that hits make is compiled to nothing, and those of frees, grace periods and
references return at once. What remains, who holds and may meet what, is the functional kernel.

Run with `python benchmarks/stress_checks.py`: two cells, each with checks and without in turn, in
processes of their own. The machine may be noisy; the best of RUNS counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import Any

RUNS = 3
CELLS = {"-t1": (1, 0, 0, 0, 1), "-a20 -f3 -m5 -t4": (4, 20, 5, 3, 0)}
"""Threads that hit, attach, map and fork, and consumers that stay; options of uprobe-stress."""

WITHOUT = "without"


def rate(options: str, checked: bool) -> float:
    """Hits per second of wall time on this core, best of RUNS."""
    from core.cell import Cell
    from core.engine.compiled import inlined
    from core.machine.machine import load_machine
    from core.stress import replay as replay
    from core.stress.checks import Checks
    from core.stress.simulate import simulate_stress
    from core.workload import STRESS, Workload

    if not checked:

        def nothing(thread: Any, holds: bool, otherwise: int) -> None:
            return

        replay._check = inlined(nothing)
        for name in ("after_replay", "frees_uprobe", "frees_consumer", "references"):
            setattr(Checks, name, lambda *_: None)
        for name in ("_period_begins", "_period_ends", "periods_end", "at_the_end"):
            setattr(Checks, name, lambda *_: None)
    hits, attach, mmap, fork, consumers = CELLS[options]
    cell = Cell(
        bench=STRESS,
        flavour="tasks-trace",
        cpus=hits,
        probes=100,
        spread="uniform",
        machine=load_machine("xeon-gold-6138"),
        seed=0,
        replicate=0,
        warmup_ps=0,
        duration_ps=290 * 10**9,
        sample_ps=10 * 10**9,
        workload=Workload(attach, mmap, fork, consumers, stalls=10),
    )
    best = 0.0
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        made = simulate_stress(cell).stress
        assert made is not None
        best = max(best, made.firings / (time.perf_counter() - began))
    return best


def main() -> None:
    """Print a line a cell."""
    if len(sys.argv) == 3:
        print(rate(sys.argv[2], sys.argv[1] != WITHOUT))
        return
    for options in CELLS:
        rates = []
        for how in ("with", WITHOUT):
            # Compiled afresh: numba's cache does not see what is compiled to nothing.
            with tempfile.TemporaryDirectory() as cache:
                done = subprocess.run(
                    [sys.executable, __file__, how, options],
                    env={**os.environ, "NUMBA_CACHE_DIR": cache},
                    check=True,
                    capture_output=True,
                    text=True,
                )
            rates.append(float(done.stdout))
        checked, unchecked = rates
        print(f"{options}: {checked:,.0f} checked hits/s, {unchecked:,.0f} without", end="")
        print(f", {unchecked / checked:.2f}x")


if __name__ == "__main__":
    main()
