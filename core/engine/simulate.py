"""One cell from its parameters to its samples: bound, weave, count, window by window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

import numpy as np

from core.arrays import IntArray
from core.cell import Cell, CellResult
from core.engine.cpu import CpuConfig, stream
from core.engine.cpu_hosts import CpuGroup, CpuHosts
from core.engine.interconnect import Interconnect
from core.engine.program import Program, compile_path
from core.engine.shares import shares
from core.engine.spread import Spread
from core.engine.state import new_state
from core.kernel.layout import process_of_cpus
from core.kernel.operation import excludes
from core.machine.topology import Placement, place

HITS_AHEAD = 4096
"""Hits a CPU may have ahead: a millisecond of the fastest path, many of a contended one."""

WAKEUP_PS = 3 * 10**6
"""From waking a task until it runs: an estimate, as `core.grace.timing` has it."""

FIRST_HITS = 256
"""Hits every CPU is asked for at first; later a quarter more than the busiest seems to need."""


def simulate(cell: Cell, hosts: CpuHosts | None = None) -> CellResult:
    """Simulate `cell` on the CPUs of `hosts`, in this process if none is given.

    The result depends on the cell alone. Raises KeyError for an unknown bench, flavour, edit
    or work name, ValueError for a machine that is too small or a process without a CPU.
    """
    began = time.perf_counter()
    hosts = CpuGroup() if hosts is None else hosts
    process = process_of_cpus(cell.cpus, cell.processes)
    layout = cell.layout
    [path] = cell.paths
    program = compile_path(path, layout, cell.machine.execution.work, writers=excludes(path))
    where = place(cell.machine, cell.cpus)
    configs = cpu_configs(cell, program, where)
    seed = int(stream(configs[0].key, cell.cpus).random_raw())
    state = new_state(
        cell.machine,
        where,
        program,
        layout,
        HITS_AHEAD,
        seed,
        process,
        wakeup_ps=WAKEUP_PS,
    )
    interconnect = Interconnect(state)
    hits, spent = play(interconnect, hosts, configs)
    return CellResult(
        cell.cell_id,
        hits.sum(axis=0),
        cell.sample_ps,
        interconnect.line_ops,
        shares(program, spent),
        time.perf_counter() - began,
    )


def cpu_configs(cell: Cell, program: Program, where: Placement) -> list[CpuConfig]:
    """What each of the cell's CPUs has to know, in CPU order."""
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
    interconnect: Interconnect, hosts: CpuHosts, configs: Sequence[CpuConfig]
) -> tuple[IntArray, IntArray]:
    """Run warm-up and samples of the CPUs of `configs`. A window lasts until one has no hit left.

    One call of the hosts before the first window, one after each: what a CPU does next depends on
    nothing that others do, so hosts far away are asked as rarely as the rings of hits ahead allow.
    Returns the hits completed in each sample, shape (cpus, samples), and where the CPUs' time in
    the samples went, see `Interconnect.spent`; all of it, to the picosecond.
    """
    c = configs[0]
    end = c.warmup_ps + c.samples * c.sample_ps
    interconnect.accept(hosts.start(configs, interconnect.wanted(FIRST_HITS)))
    for until in (c.warmup_ps, end):
        while not interconnect.run(until):
            ahead = max(FIRST_HITS, interconnect.hits_until(end) * 5 // 4)
            hits = hosts.exchange(interconnect.served(), interconnect.wanted(ahead))
            interconnect.accept(hits)
        spent = interconnect.spent(until)
    if (total := int(spent.sum())) != (whole := interconnect.cpus * (end - c.warmup_ps)):
        raise AssertionError(f"{total} ps of CPU time attributed, {whole} simulated")
    return hosts.finish(interconnect.served()), spent
