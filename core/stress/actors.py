"""The actors of a cell with writers: trigger threads, consumers, writers, stalls and timers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import cast

import numpy as np

from core.arrays import IntArray
from core.cell import Cell
from core.engine.spread import Spread
from core.engine.streams import stream
from core.kernel.bench import NAMED
from core.stress.cosimulation import Cosimulation
from core.stress.kernel import Kernel
from core.stress.links import Links
from core.stress.registry import Steps
from core.stress.tasks import Latencies, Task
from core.stress.threads import Trigger
from core.stress.uprobes import Consumer, Uprobes
from core.workload import MAX_STALL_PS, STRESS, Workload

USER_CYCLES = 60
"""uprobe-stress: what a thread does in user space for a call. An estimate."""

RI_TIMER_PS = 100 * 10**9
"""The timer that ends the leases of return instances (kernel/events/uprobes.c, RI_TIMER_PERIOD)."""


def end_of(cell: Cell) -> int:
    """When its last sample ends, ps."""
    return cell.warmup_ps + cell.samples * cell.sample_ps


def triggers(cell: Cell, ps_per_cycle: IntArray, depth: int, entry_cycles: int) -> list[Trigger]:
    """The threads that hit. A hit's jitter is that of its first stretch, as without writers."""
    user = USER_CYCLES if cell.bench == STRESS else 0
    spread = "uniform" if cell.bench == STRESS else cell.spread
    return [
        Trigger(
            cpu=cpu,
            key=cell.stream_key,
            probes=cell.probes,
            spread=cast(Spread, spread),
            jitter_ps=round(entry_cycles * int(cycle_ps) * cell.machine.execution.jitter),
            most=depth,
            user_ps=user * int(cycle_ps),
        )
        for cpu, cycle_ps in enumerate(ps_per_cycle[: cell.cpus])
    ]


def static_consumers(cell: Cell, workload: Workload, uprobes: Uprobes) -> list[Consumer]:
    """Consumers that are there all the time; uprobe-stress's are at the return every other one."""
    return [
        uprobes.consumer(
            function,
            (function + number) % 2 == 1 if cell.bench == STRESS else NAMED[cell.bench].at_return,
        )
        for function in range(cell.probes)
        for number in range(workload.consumers)
    ]


def tasks(
    cell: Cell, workload: Workload, kernel: Kernel, links: Links, latencies: Latencies
) -> Iterator[Steps]:
    """The processes of the threads beside those that hit, each on the next CPU."""
    cpus = count(cell.cpus)

    def task() -> Task:
        cpu = next(cpus)
        random = np.random.Generator(stream(cell.stream_key, cpu))
        return Task(kernel, links, cpu, random, latencies, end_of(cell))

    at_return = cell.bench != STRESS and NAMED[cell.bench].at_return
    for _ in range(workload.attach_threads):
        if workload.batch:
            yield task().attach_all_then_detach(cell.probes, workload.batch, at_return)
        elif cell.bench == STRESS:
            yield task().attach_and_detach()
        else:
            yield task().attach_and_detach(at_return)
    for _ in range(workload.mmap_threads):
        yield task().map_and_unmap()
    for _ in range(workload.fork_threads):
        yield task().fork_and_exec()


def stalls(
    cosimulation: Cosimulation, thread: int, per_second: int, seed: np.random.Philox
) -> Steps:
    """Stall a thread at random times; the next stall begins after the last one's end."""
    random = np.random.Generator(seed)
    while True:
        yield cosimulation.env.timeout(1 + int(random.exponential(10**12 / per_second)))
        length_ps = int(random.integers(1, MAX_STALL_PS))
        if not cosimulation.drained() and cosimulation.stall(thread, length_ps):
            yield cosimulation.env.timeout(length_ps)


def ri_timer(cosimulation: Cosimulation) -> Steps:
    """The timers of the threads' return instances, which all tick together."""
    while True:
        yield cosimulation.env.timeout(RI_TIMER_PS)
        cosimulation.expire()
