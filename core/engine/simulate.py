"""One cell from its parameters to its samples: bound, weave, count, window by window."""

from __future__ import annotations

import time
from typing import cast

import numpy as np

from core.arrays import IntArray
from core.cell import Cell, CellResult
from core.engine.cpu import FIRST_HITS, CpuConfigs, first_hits
from core.engine.cpu_hosts import CpuGroup, CpuHosts
from core.engine.interconnect import Interconnect
from core.engine.program import Program, compile_path
from core.engine.shares import shares
from core.engine.spread import Spread
from core.engine.state import new_state
from core.engine.streams import stream
from core.kernel.layout import process_of_cpus
from core.kernel.operation import excludes
from core.machine.topology import Placement, place

HITS_AHEAD = 4096
"""Hits a CPU may have ahead: a millisecond of the fastest path, many of a contended one."""

GROWTH = 4
"""By how much the hits ahead of one CPU among many may grow at once."""

WAKEUP_PS = 3 * 10**6
"""From waking a task until it runs: an estimate, as `core.grace.timing` has it."""


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
    seed = int(stream(cell.stream_key, cell.cpus).random_raw())
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


def cpu_configs(cell: Cell, program: Program, where: Placement) -> CpuConfigs:
    """What the cell's CPUs have to know."""
    entry = program.entry_cycles * where.ps_per_cycle
    return CpuConfigs(
        key=cell.stream_key,
        probes=cell.probes,
        spread=cast(Spread, cell.spread),
        entry_ps=entry,
        jitter_ps=np.rint(entry * cell.machine.execution.jitter).astype(np.int64),
        warmup_ps=cell.warmup_ps,
        sample_ps=cell.sample_ps,
        samples=cell.samples,
    )


def play(
    interconnect: Interconnect, hosts: CpuHosts, configs: CpuConfigs
) -> tuple[IntArray, IntArray]:
    """Run warm-up and samples of the CPUs of `configs`. A window lasts until one has no hit left.

    One call of the hosts before the first window, one after each: what a CPU does next depends on
    nothing that others do, so hosts far away are asked as rarely as the rings of hits ahead allow.
    Returns the hits completed in each sample, shape (cpus, samples); and where the CPUs' time in
    the samples went, see `Interconnect.spent`, all of it, to the picosecond.
    """
    end = configs.warmup_ps + configs.samples * configs.sample_ps
    first = first_hits(configs)
    interconnect.accept(hosts.start(configs, interconnect.wanted(first)))

    def run(until: int) -> IntArray:
        while not interconnect.run(until):
            served = interconnect.served()
            ahead = hits_ahead(interconnect, end, first)
            interconnect.accept(hosts.exchange(served, interconnect.wanted(ahead)))
        return interconnect.spent(until)

    run(configs.warmup_ps)
    spent = run(end)
    whole = interconnect.cpus * configs.samples * configs.sample_ps
    if (total := int(spent.sum())) != whole:
        raise AssertionError(f"{total} ps of CPU time attributed, {whole} simulated")
    return hosts.finish(interconnect.served()), spent


def hits_ahead(interconnect: Interconnect, end_ps: int, first: int) -> int | IntArray:
    """How many each CPU should have ahead, to need no more until then at its rate until now.

    A quarter more than the busiest seems to need; of many CPUs, which were asked for few at `first`
    and of which one may be far ahead while all others wait, each what it needs itself, no more than
    GROWTH times what it has had, and nothing while it has half of that.
    """
    now = max(1, interconnect.next_event_ps)
    taken = interconnect.taken
    if first == FIRST_HITS:
        return max(first, int(taken.max()) * (end_ps - now) // now * 5 // 4)
    needed = np.minimum(taken * (1.25 * (end_ps - now) / now), GROWTH * taken).astype(np.int64)
    needed = np.maximum(needed, first)
    return np.where(2 * interconnect.ahead > needed, 0, needed)
