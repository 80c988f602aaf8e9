"""One cell with writers, from its parameters to its samples and latencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import cast

import numpy as np
import simpy
from numpy.typing import NDArray

from core.churn.checks import Checks
from core.churn.clockwork import Clockwork
from core.churn.fold import GET, LEASE, TRY_GET
from core.churn.grace import engines
from core.churn.kernel import Kernel, Steps
from core.churn.outcome import Churn, Latency
from core.churn.programs import MOST_CONSUMERS, Programs, compile_programs
from core.churn.rules import rules_of
from core.churn.tasks import Latencies, Task
from core.churn.threads import ThreadGroup, Trigger
from core.churn.uprobes import Consumer, Uprobes
from core.churn.workload import MAX_DEPTH, MAX_STALL_PS, STRESS, Workload
from core.engine.cell import Cell, CellResult
from core.engine.cpu import CpuConfig, stream
from core.engine.shares import shares
from core.engine.simulate import HITS_AHEAD
from core.engine.spread import Spread
from core.engine.state import new_state
from core.hardware.topology import place
from core.kernel.bench import NAMED
from core.kernel.layout import Layout
from core.lifetime import checks as names
from core.lifetime.checks import Violation

IntArray = NDArray[np.int64]

WAKEUP_PS = 3 * 10**6
"""From waking a task until it runs: an estimate, as `core.rcu.timing` has it."""

USER_CYCLES = 60
"""uprobe-stress: what a thread does in user space for a call. An estimate."""

PATIENCE_PS = 10**12
"""Simulated time after which a grace period that has not ended never will: fifty usual ones."""

STRIDE_PS = 10**11
"""Simulated time between two looks at whether everybody has stopped."""

PREPARES = {"get_uprobe": GET, "try_get_uprobe": TRY_GET, "hprobe": LEASE, "hprobe-checked": LEASE}

RI_TIMER_PS = 100 * 10**9
"""The timer that ends the leases of return instances (kernel/events/uprobes.c, RI_TIMER_PERIOD)."""


def simulate_churn(
    cell: Cell, faults: Iterable[str] = (), watch: Callable[[Rig], None] | None = None
) -> CellResult:
    """Simulate `cell`, which has a workload, and check it all the time.

    The result depends on the cell alone. `faults` are planted in the kernel and its grace periods.
    `watch` is called now and then with how things are.
    Raises Violation for a check that fails, ValueError for a machine with too few CPUs, KeyError as
    `core.engine.simulate.simulate` does.
    """
    began = time.perf_counter()
    rig = Rig.of(cell, frozenset(faults))
    rig.watch = watch
    hits, spent = rig.play()
    rig.drain()
    return CellResult(
        cell.cell_id,
        hits,
        cell.sample_ps,
        rig.clockwork.interconnect.line_ops,
        shares(rig.programs.code, spent),
        time.perf_counter() - began,
        churn=rig.churn(),
    )


@dataclass
class Rig:
    """Everything that one cell is simulated with."""

    cell: Cell
    programs: Programs
    clockwork: Clockwork
    kernel: Kernel
    checks: Checks
    static: list[Consumer]
    latencies: Latencies
    tasks: list[simpy.Process]

    @classmethod
    def of(cls, cell: Cell, faults: frozenset[str]) -> Rig:
        """The cell's machine, kernel and threads, before time begins."""
        workload = cell.workload
        assert workload is not None
        rules = rules_of(cell.flavour, cell.rcu)
        layout = Layout(cell.probes, owner_beside_count=cell.owner_beside_count)
        execution = cell.machine.execution
        most = workload.consumers + workload.attach_threads
        programs = compile_programs(
            cell.bench,
            cell.flavour,
            cell.rcu,
            layout,
            execution.work_cycles,
            execution.jitter,
            MOST_CONSUMERS if cell.bench == STRESS and workload.attach_threads else most,
        )
        where = place(cell.machine, cell.cpus + workload.threads)
        depth = MAX_DEPTH if cell.bench == STRESS else 1
        state = new_state(
            cell.machine,
            where,
            programs.code,
            layout.lines,
            HITS_AHEAD,
            seed=int(stream(cell.stream_key, len(where)).random_raw()),
            depth=depth,
            wakeup_ps=WAKEUP_PS,
        )
        gang = ThreadGroup(HITS_AHEAD, depth)
        gang.reset(_triggers(cell, where.ps_per_cycle, depth, programs.entry_cycles))
        uprobes = Uprobes(cell.probes)
        clockwork = Clockwork(state, programs, gang, cell.cpus, uprobes)
        prepares = PREPARES[rules.prepare]
        sections = bool(rules.entry_section), bool(rules.return_section)
        clockwork.rules[:] = (bool(rules.lookup), *sections, prepares, rules.chain_rwsem)
        checks = Checks(clockwork, uprobes, rules)
        grace = engines(clockwork, rules, cell.machine.cpus, faults)
        checks.watch(grace)
        cycle_ps = int(where.ps_per_cycle[-1])
        kernel = Kernel(rules, clockwork, uprobes, grace, checks, cycle_ps, faults)
        static = _static(cell, workload)
        kernel.register_before(static)
        latencies = Latencies()
        started = list(_tasks(cell, workload, kernel, latencies))
        processes = [clockwork.env.process(steps) for steps in started]
        if prepares == LEASE:
            for thread in range(cell.cpus):
                clockwork.env.process(_ri_timer(clockwork, thread))
        if workload.stalls:
            for thread in range(cell.cpus):
                seed = stream(cell.stream_key, len(where) + 1 + thread)
                clockwork.env.process(_stalls(clockwork, thread, workload.stalls, seed))
        return cls(cell, programs, clockwork, kernel, checks, static, latencies, processes)

    def play(self) -> tuple[IntArray, IntArray]:
        """Warm-up and samples: hits in each sample, and where all CPUs' time in them went."""
        cell = self.cell
        self._go_on_until(cell.warmup_ps)
        self.clockwork.interconnect.spent(cell.warmup_ps)
        counts = [self._hits()]
        for sample in range(cell.samples):
            self._go_on_until(cell.warmup_ps + (sample + 1) * cell.sample_ps)
            counts.append(self._hits())
        spent = self.clockwork.interconnect.spent(_end(cell))
        hits: IntArray = np.diff(np.array(counts, dtype=np.int64)).astype(np.int64)
        return hits, spent

    def drain(self) -> None:
        """Let everybody stop, detach what is left, and see that nothing remains."""
        self._until(lambda: not any(task.is_alive for task in self.tasks))
        self.clockwork.drain()
        self._until(self.clockwork.drained)
        self.kernel.unregister_after(self.static)
        uprobes = self.kernel.uprobes
        self._until(lambda: bool(uprobes.freed[: uprobes.count].all()))
        self.checks.at_the_end()

    def churn(self) -> Churn:
        """What came out beside hits."""
        threads = self.clockwork.gang.threads
        grace = self.kernel.engines.values()
        return Churn(
            attach=Latency.of(self.latencies.attach),
            detach=Latency.of(self.latencies.detach),
            grace=Latency.of([ps for engine in grace for ps in engine.latencies]),
            grace_periods=sum(len(engine.periods) for engine in grace),
            unreaped_bytes=self.kernel.unreaped_peak,
            firings=int(threads.hits.sum()),
            missed=int(threads.missed.sum()),
            windows=self.clockwork.folds,
            checks=self.checks.made,
        )

    def _hits(self) -> int:
        return int(self.clockwork.gang.threads.hits.sum())

    def _go_on_until(self, until_ps: int) -> None:
        self.clockwork.play(until_ps)
        self.kernel.settle()
        self.checks.periods_end(self.kernel.engines, PATIENCE_PS)
        if self.watch is not None:
            self.watch(self)

    def _until(self, done: Callable[[], bool]) -> None:
        """Go on until something is so; what takes longer than patience lasts is a violation."""
        last = self.clockwork.now_ps
        while not done():
            self._go_on_until(self.clockwork.now_ps + STRIDE_PS)
            if self.latencies.total == self._seen:
                if self.clockwork.now_ps - last > PATIENCE_PS:
                    raise Violation(names.DEADLOCK, "nobody gets any further")
            else:
                self._seen, last = self.latencies.total, self.clockwork.now_ps

    watch: Callable[[Rig], None] | None = None
    _seen: int = 0


def _end(cell: Cell) -> int:
    return cell.warmup_ps + cell.samples * cell.sample_ps


def _triggers(cell: Cell, ps_per_cycle: IntArray, depth: int, entry_cycles: int) -> list[Trigger]:
    """The threads that hit. A hit's jitter is that of its first stretch, as without writers."""
    user = USER_CYCLES if cell.bench == STRESS else 0
    spread = "uniform" if cell.bench == STRESS else cell.spread
    return [
        Trigger(
            CpuConfig(
                cpu=cpu,
                key=cell.stream_key,
                probes=cell.probes,
                spread=cast(Spread, spread),
                entry_ps=0,
                jitter_ps=round(entry_cycles * int(cycle_ps) * cell.machine.execution.jitter),
                warmup_ps=cell.warmup_ps,
                sample_ps=cell.sample_ps,
                samples=cell.samples,
            ),
            depth,
            user * int(cycle_ps),
        )
        for cpu, cycle_ps in enumerate(ps_per_cycle[: cell.cpus])
    ]


def _static(cell: Cell, workload: Workload) -> list[Consumer]:
    """Consumers that are there all the time; uprobe-stress's are at the return every other one."""
    return [
        Consumer(
            function,
            (function + number) % 2 == 1 if cell.bench == STRESS else NAMED[cell.bench].at_return,
        )
        for function in range(cell.probes)
        for number in range(workload.consumers)
    ]


def _tasks(cell: Cell, workload: Workload, kernel: Kernel, latencies: Latencies) -> Iterator[Steps]:
    """The processes of the threads beside those that hit, each on the next CPU."""
    cpus = count(cell.cpus)

    def task() -> Task:
        cpu = next(cpus)
        random = np.random.Generator(stream(cell.stream_key, cpu))
        return Task(kernel, cpu, random, latencies, _end(cell))

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


def _stalls(clockwork: Clockwork, thread: int, per_second: int, seed: np.random.Philox) -> Steps:
    """Stall a thread at random times; the next stall begins after the last one's end."""
    random = np.random.Generator(seed)
    while True:
        yield clockwork.env.timeout(1 + int(random.exponential(10**12 / per_second)))
        length_ps = int(random.integers(1, MAX_STALL_PS))
        if not clockwork.drained() and clockwork.stall(thread, length_ps):
            yield clockwork.env.timeout(length_ps)


def _ri_timer(clockwork: Clockwork, thread: int) -> Steps:
    while True:
        yield clockwork.env.timeout(RI_TIMER_PS)
        clockwork.fold()
        clockwork.gang.expire(clockwork.view(), thread)
