"""One cell from its parameters to its samples: bound, weave, fold, window by window."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from core.engine.cell import Cell, CellResult
from core.engine.cpu import CpuConfig, stream
from core.engine.gang import CpuGroup, Gang, Served
from core.engine.interconnect import Interconnect
from core.engine.program import Program, compile_path
from core.engine.shares import shares
from core.engine.spread import Spread
from core.engine.state import new_state
from core.hardware.topology import place
from core.kernel.flavours import hot_path
from core.kernel.layout import Layout, process_of_cpus
from core.kernel.what_if import edited

IntArray = NDArray[np.int64]

HITS_AHEAD = 4096
"""Hits a CPU may have ahead: about a millisecond of the fastest path."""

FIRST_HITS = 256
"""Hits every CPU is asked for at first; later a quarter more than the busiest used in a window."""


def simulate(cell: Cell, gang: Gang | None = None) -> CellResult:
    """Simulate `cell` on the CPUs of `gang`, in this process if none is given.

    The result depends on the cell alone. Raises KeyError for an unknown bench, flavour, edit
    or work name, ValueError for a machine that is too small or a process without a CPU.
    """
    began = time.perf_counter()
    gang = CpuGroup() if gang is None else gang
    process = process_of_cpus(cell.cpus, cell.processes)
    layout = Layout(cell.probes, cell.processes, cell.owner_beside_count)
    path = edited(hot_path(cell.flavour, cell.bench, cell.rcu), cell.edits)
    program = compile_path(path, layout, cell.machine.execution.work_cycles)
    configs = cpu_configs(cell, program)
    seed = int(stream(configs[0].key, cell.cpus).random_raw())
    where = place(cell.machine, cell.cpus)
    state = new_state(cell.machine, where, program, layout.lines, HITS_AHEAD, seed, process)
    interconnect = Interconnect(state)
    gang.reset(configs)
    spent = play(interconnect, gang, cell.warmup_ps, cell.sample_ps, cell.samples)
    return CellResult(
        cell.cell_id,
        gang.samples().sum(axis=0),
        cell.sample_ps,
        interconnect.line_ops,
        shares(program, spent),
        time.perf_counter() - began,
    )


def warm(cell: Cell) -> None:
    """Compile what simulating `cell` needs, by simulating a microsecond of it on one CPU."""
    moment = 10**6
    # A cell that cannot be simulated says so when its turn comes.
    with suppress(Exception):
        simulate(
            replace(cell, cpus=1, processes=1, warmup_ps=0, duration_ps=moment, sample_ps=moment)
        )


def cpu_configs(cell: Cell, program: Program) -> list[CpuConfig]:
    """What each of the cell's CPUs has to know, in CPU order."""
    where = place(cell.machine, cell.cpus)
    entry = program.entry_cycles * where.ps_per_cycle
    jitter = np.rint(entry * cell.machine.execution.jitter).astype(np.int64)
    key = cell.stream_key
    return [
        CpuConfig(
            cpu=cpu,
            key=key,
            probes=cell.probes,
            spread=cast(Spread, cell.spread),
            entry_ps=int(entry[cpu]),
            jitter_ps=int(jitter[cpu]),
            warmup_ps=cell.warmup_ps,
            sample_ps=cell.sample_ps,
            samples=cell.samples,
        )
        for cpu in range(cell.cpus)
    ]


def play(
    interconnect: Interconnect, gang: Gang, warmup_ps: int, sample_ps: int, samples: int
) -> IntArray:
    """Run warm-up and samples: one exchange with the gang a window, more if hits run out.

    A window is a sample long, so that a gang far away is asked rarely. Returns where the CPUs' time
    in the samples went, see `Interconnect.spent`; all of it, to the picosecond.
    """
    end = warmup_ps + samples * sample_ps
    until = 0
    ahead = FIRST_HITS
    served: Served | None = None
    while until < end:
        until = min(until + sample_ps, warmup_ps if until < warmup_ps else end)
        reached = False
        while not reached:
            hits = gang.exchange(served, interconnect.wanted(ahead))
            interconnect.accept(hits)
            reached = interconnect.run(until)
            served = interconnect.served()
            ahead = max(ahead, int(1.25 * served.counts.max()))
        if until == warmup_ps:
            interconnect.spent(until)
    gang.exchange(served, interconnect.wanted(0))
    spent = interconnect.spent(end)
    if (total := int(spent.sum())) != (whole := interconnect.cpus * (end - warmup_ps)):
        raise AssertionError(f"{total} ps of CPU time attributed, {whole} simulated")
    return spent
