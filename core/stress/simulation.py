"""Everything that one cell with writers is simulated with, from its first moment to its last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import simpy

from core.arrays import IntArray
from core.cell import Cell
from core.engine.simulate import HITS_AHEAD, WAKEUP_PS
from core.engine.state import new_state
from core.engine.streams import stream
from core.grace.rcu import Rcu
from core.grace.timing import Timing
from core.kernel.flavours import rules_of
from core.kernel.rules import Rules
from core.machine.topology import place
from core.modelcheck import checks as names
from core.modelcheck.checks import Violation
from core.outcome import Latency, StressOutcome
from core.stress.actors import end_of, ri_timer, stalls, static_consumers, tasks, triggers
from core.stress.checks import Checks
from core.stress.cosimulation import Cosimulation
from core.stress.grace import engines, perf_event_engines
from core.stress.kernel import Kernel, faults_of
from core.stress.links import Links
from core.stress.programs import MOST_CONSUMERS, Programs, compile_programs
from core.stress.records import GET, LEASE, TRY_GET, HitRules
from core.stress.tasks import Latencies
from core.stress.threads import TriggerThreads
from core.stress.uprobes import BITS, Consumer, Uprobes
from core.workload import MAX_DEPTH, STRESS, Workload

PATIENCE_PS = 10**12
"""Simulated time after which a grace period that has not ended never will: fifty usual ones."""

STRIDE_PS = 10**11
"""Simulated time between two looks at whether all threads have stopped."""

INSTANCE_HOLDS = {
    "get_uprobe": GET,
    "try_get_uprobe": TRY_GET,
    "hprobe": LEASE,
    "hprobe-checked": LEASE,
}
"""What a return instance holds, by `Rules.prepare`."""


@dataclass
class Simulation:
    """Everything that one cell is simulated with."""

    cell: Cell
    programs: Programs
    cosimulation: Cosimulation
    kernel: Kernel
    checks: Checks
    static: list[Consumer]
    latencies: Latencies
    tasks: list[simpy.Process]
    outcome: StressOutcome | None = None
    """What came out beside hits, once it has drained: before what stays is detached."""
    watch: Callable[[Simulation], None] | None = None
    """Called now and then, if there is one."""
    _seen: int = 0

    @classmethod
    def of(cls, cell: Cell, faults: frozenset[str], threads: TriggerThreads) -> Simulation:
        """The cell's machine, kernel and threads, before time begins. See `simulate_stress`."""
        workload = _checked(cell)
        rules = rules_of(cell.kernel, cell.rcu)
        layout = cell.layout
        execution = cell.machine.execution
        programs = compile_programs(
            cell.bench,
            cell.kernel,
            cell.rcu,
            layout,
            execution.work,
            execution.jitter,
            MOST_CONSUMERS if workload.attach_threads else workload.consumers,
        )
        where = place(cell.machine, cell.cpus + workload.threads)
        depth = MAX_DEPTH if cell.bench == STRESS else 1
        state = new_state(
            cell.machine,
            where,
            programs.code,
            layout,
            HITS_AHEAD,
            seed=int(stream(cell.stream_key, len(where)).random_raw()),
            depth=depth,
            wakeup_ps=WAKEUP_PS,
        )
        threads.reset(triggers(cell, where.ps_per_cycle, depth, programs.entry_cycles))
        uprobes = Uprobes(cell.probes)
        perf_events = workload.attach_kind == "perf-event"
        hit_rules = hit_rules_of(rules, perf_events)
        cosimulation = Cosimulation(state, programs, threads, cell.cpus, uprobes, hit_rules)
        checks = Checks(cosimulation, uprobes, rules)
        timing = Timing(hz=workload.hz)
        rcu = Rcu(cosimulation.env, cell.machine.cpus, timing)
        grace = engines(cosimulation, rules, cell.machine.cpus, rcu, faults)
        known = {
            *faults_of(rules),
            *(fault for engine in grace.values() for fault in engine.FAULTS),
        }
        if unknown := faults - known:
            choice = ", ".join(sorted(known)) or "none"
            raise ValueError(f"no fault {min(unknown)} in {cell.flavour}; there are {choice}")
        checks.watch(grace)
        cycle_ps = int(where.ps_per_cycle[-1])
        kernel = Kernel(
            rules, cosimulation, uprobes, grace, rcu, checks, cycle_ps, faults, perf_events
        )
        static = static_consumers(cell, workload, uprobes)
        kernel.register_before(static)
        latencies = Latencies()
        of_events = perf_event_engines(cosimulation, grace, rcu, cell.machine.cpus)
        links = Links(kernel, workload.attach_kind, of_events)
        started = list(tasks(cell, workload, kernel, links, latencies))
        processes = [cosimulation.env.process(steps) for steps in started]
        if hit_rules.instance_holds == LEASE:
            cosimulation.env.process(ri_timer(cosimulation))
        if workload.stalls:
            for thread in range(cell.cpus):
                seed = stream(cell.stream_key, len(where) + 1 + thread)
                cosimulation.env.process(stalls(cosimulation, thread, workload.stalls, seed))
        return cls(cell, programs, cosimulation, kernel, checks, static, latencies, processes)

    def play(self) -> tuple[IntArray, IntArray]:
        """Warm-up and samples: hits in each sample, and where all CPUs' time in them went."""
        cell = self.cell
        self._go_on_until(cell.warmup_ps)
        self.cosimulation.interconnect.spent(cell.warmup_ps)
        counts = [self._hits()]
        for sample in range(cell.samples):
            self._go_on_until(cell.warmup_ps + (sample + 1) * cell.sample_ps)
            counts.append(self._hits())
        spent = self.cosimulation.interconnect.spent(end_of(cell))
        hits: IntArray = np.diff(np.array(counts, dtype=np.int64)).astype(np.int64)
        return hits, spent

    def drain(self) -> None:
        """Let all threads stop, detach what is left, and check that nothing remains."""
        self._until(lambda: not any(task.is_alive for task in self.tasks))
        self.cosimulation.drain()
        self._until(self.cosimulation.drained)
        self.outcome = self.stress_outcome()
        self.kernel.unregister_after(self.static)
        uprobes = self.kernel.uprobes
        self._until(lambda: bool((uprobes.freed == uprobes.dying).all()))
        self.checks.at_the_end()

    def stress_outcome(self) -> StressOutcome:
        """What has come out beside hits so far."""
        snapshot = self.cosimulation.snapshot
        grace = self.kernel.engines.values()
        return StressOutcome(
            attach=Latency.of(self.latencies.attach),
            detach=Latency.of(self.latencies.detach),
            grace=Latency.of([ps for engine in grace for ps in engine.latencies]),
            detach_total_ps=self.latencies.detach_total_ps,
            waits={**self.kernel.waits, "dup_mmap_sem": self.kernel.dup_mmap_sem.rss.waits},
            grace_periods=sum(len(engine.periods) for engine in grace),
            unreaped_bytes=self.kernel.registry.unreaped_peak,
            firings=int(snapshot.hits.sum()),
            missed=int(snapshot.missed.sum()),
            windows=self.cosimulation.replays,
            checks=self.checks.made,
        )

    def _hits(self) -> int:
        return int(self.cosimulation.snapshot.hits.sum())

    def _go_on_until(self, until_ps: int) -> None:
        self.cosimulation.play(until_ps)
        self.kernel.settle()
        self.checks.periods_end(self.kernel.engines, PATIENCE_PS)
        if self.watch is not None:
            self.watch(self)

    def _until(self, done: Callable[[], bool]) -> None:
        """Go on until something is so; what takes longer than patience lasts is a violation."""
        last = self.cosimulation.now_ps
        while not done():
            self._go_on_until(self.cosimulation.now_ps + STRIDE_PS)
            progress = self.latencies.total + self.kernel.waits.total()
            if progress == self._seen:
                if self.cosimulation.now_ps - last > PATIENCE_PS:
                    raise Violation(names.DEADLOCK, "no thread gets any further")
            else:
                self._seen, last = progress, self.cosimulation.now_ps


def hit_rules_of(rules: Rules, perf_events: bool) -> HitRules:
    """What these rules decide for hits. Consumers of perf events have a handler of the entry each,
    those of the return too (trace_uprobe.c); of a uprobe_multi link's return probes none has."""
    return HitRules(
        lookup_takes_reference=bool(rules.lookup),
        entry_section=rules.entry_section,
        return_section=rules.return_section,
        instance_holds=INSTANCE_HOLDS[rules.prepare],
        chain_rwsem=rules.chain_rwsem,
        sessions=rules.sessions and perf_events,
    )


def _checked(cell: Cell) -> Workload:
    """The cell's workload, if it can be simulated."""
    workload = cell.workload
    assert workload is not None
    if cell.processes != 1 or cell.edits:
        raise ValueError("a cell with a workload is one process, and its path has no edits")
    at_once = workload.consumers + (workload.attach_threads if workload.batch else 0)
    if at_once > BITS:
        raise ValueError(f"a function has at most {BITS} consumers at a time, not {at_once}")
    return workload
