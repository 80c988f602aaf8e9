"""What host calibration measures: primitives at every distance, and hits on one CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.kernel.bench import NAMED
from core.machine.machine import Machine
from core.machine.topology import place
from sweep.errors import UsageError
from sweep.live import loops
from sweep.live.callers import Callers
from sweep.live.code import CALL_OPCODE, Code
from sweep.live.kernel import NOP5, flavour_of, measured_on, running
from sweep.live.probe import Probe
from sweep.live.refused import refuse_if_impossible
from sweep.live.session import refuse_lost, usable_cpus
from sweep.live.timing import Timing, of_callers, of_hand_off, of_loop, pooled

SECONDS = 1.5
"""For each figure, over all runs, if nothing disturbs it."""
RUNS = 3
"""Every figure is timed in so many runs through all of them, each with memory of its own."""

CALLED = "uprobe-nop5"
"""Timed where the kernel has turned its instruction into a call."""
TIMED = ("uprobe-nop", CALLED, "uretprobe-nop", "uprobe-push", "uprobe-ret")

Report = Callable[[str, Timing], None]
"""Gets every figure of every run, by name."""


@dataclass(frozen=True)
class Hit:
    """A hit timed on `cpus` CPUs: what was probed, and the design that it ran through."""

    bench: str
    flavour: str
    cpus: int
    time: Timing


@dataclass(frozen=True)
class HostTimings:
    """Times of one thread, ns. Of `contended`, `system_call` and `clock` by busy CPUs.

    `clock` is a core's cycle, by busy cores; `one_way` by distance (`same core` between siblings)
    is a line's way from one CPU to another, with the locked operation that fetches it; `contended`
    one locked operation on a word that all use, 1 CPU: on a word of its own; `hand_offs`, by kind
    of transaction and distance, what a line's way adds to the operations of `loops.HAND_OFFS`.
    """

    kernel: str
    clock: dict[int, Timing]
    system_call: dict[int, Timing]
    one_way: dict[str, Timing]
    contended: dict[int, Timing]
    hits: tuple[Hit, ...]
    hand_offs: dict[str, dict[str, Timing]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def pairs(machine: Machine) -> dict[str, tuple[int, int]]:
    """For each distance that the topology offers, CPU 0 and the first CPU so far away."""
    where = place(machine, machine.cpus)
    found: dict[str, tuple[int, int]] = {}
    for cpu in range(1, machine.cpus):
        if where.core[cpu] == where.core[0]:
            distance = "same core"
        elif where.cache[cpu] == where.cache[0]:
            distance = "same cache"
        else:
            distance = "other cache" if where.socket[cpu] == where.socket[0] else "other socket"
        found.setdefault(distance, (0, cpu))
    return found


def counts(most: int) -> list[int]:
    """1, 2, 4, ... and `most`."""
    return sorted({n for n in (2**i for i in range(12)) if n < most} | {most})


def steps(machine: Machine) -> int:
    """How many figures `measure` reports of all runs, at most: a hit that this kernel cannot make
    is left out."""
    cores, far = len(counts(machine.cores_per_socket)), len(pairs(machine))
    hand_offs = len(loops.HAND_OFFS) * far
    return RUNS * (2 * cores + far + len(counts(machine.cpus)) + hand_offs + len(TIMED))


def measure(machine: Machine, report: Report, seconds: float = SECONDS) -> HostTimings:
    """Time this host, whose topology `machine` has; calls `report` after each figure.

    Raises UsageError if this process may not run on all of the host's CPUs, RefusedError where
    probes are not allowed, BusyHostError where others leave no undisturbed time.
    """
    refuse_if_impossible()
    cpus = usable_cpus()
    if len(cpus) != machine.cpus:
        raise UsageError(
            f"calibration needs all {machine.cpus} CPUs of this host, and this process may run on "
            f"{len(cpus)}: see taskset and the container's cpuset"
        )

    def named(run: int) -> Report:
        return lambda name, timing: report(f"run {run} of {RUNS}: {name}", timing)

    return pooled_runs([_run(machine, named(run), seconds / RUNS) for run in range(1, RUNS + 1)])


def pooled_runs(runs: Sequence[HostTimings]) -> HostTimings:
    """One set of timings from several of the same host: each figure as `timing.pooled` has it."""
    first = runs[0]
    hits: dict[tuple[str, str, int], list[Timing]] = {}
    for hit in (hit for run in runs for hit in run.hits):
        hits.setdefault((hit.bench, hit.flavour, hit.cpus), []).append(hit.time)
    return HostTimings(
        first.kernel,
        {n: pooled([run.clock[n] for run in runs]) for n in first.clock},
        {n: pooled([run.system_call[n] for run in runs]) for n in first.system_call},
        {name: pooled([run.one_way[name] for run in runs]) for name in first.one_way},
        {n: pooled([run.contended[n] for run in runs]) for n in first.contended},
        tuple(Hit(*what, pooled(timings)) for what, timings in hits.items()),
        {
            kind: {far: pooled([run.hand_offs[kind][far] for run in runs]) for far in by_distance}
            for kind, by_distance in first.hand_offs.items()
        },
    )


def _run(machine: Machine, report: Report, seconds: float) -> HostTimings:
    cpus = usable_cpus()

    def timed(loop: loops.Loop, name: str, places: range | tuple[int, ...]) -> Timing:
        found = of_loop(loop, [cpus[place] for place in places], seconds, name)
        report(name, found)
        return found

    def handed(kind: loops.HandOff, distance: str, pair: tuple[int, int]) -> Timing:
        two = (cpus[pair[0]], cpus[pair[1]])
        name = f"{kind.name}, {distance}"
        found = of_hand_off(kind, two, seconds, name)
        report(name, found)
        return found

    where = place(machine, machine.cpus)
    firsts = [int((where.core == core).argmax()) for core in range(machine.cores_per_socket)]
    clock, call = loops.CLOCK, loops.SYSTEM_CALL
    cores = counts(machine.cores_per_socket)
    return HostTimings(
        running(),
        {n: timed(clock, f"a multiplication, {n} cores", tuple(firsts[:n])) for n in cores},
        {n: timed(call, f"a system call, {n} cores", tuple(firsts[:n])) for n in cores},
        {d: timed(loops.PING_PONG, f"a line's way, {d}", p) for d, p in pairs(machine).items()},
        {
            n: timed(loops.LOCKED, f"a locked operation, {n} CPUs on a line", range(n))
            for n in counts(machine.cpus)
        },
        tuple(_hits(cpus, 1, seconds, report)),
        {k.name: {d: handed(k, d, p) for d, p in pairs(machine).items()} for k in loops.HAND_OFFS},
    )


def check(machine: Machine, seconds: float = SECONDS) -> Iterator[Hit]:
    """The same hits on 2, 4, ... and all CPUs: nothing is fitted on them."""
    for count in counts(machine.cpus)[1:]:
        yield from _hits(usable_cpus(), count, seconds, lambda name, timing: None)


def _hits(cpus: list[int], count: int, seconds: float, report: Report) -> Iterator[Hit]:
    kernel = measured_on(running())
    for name in TIMED:
        if name == CALLED and NOP5 not in kernel.release.patches:
            continue
        bench, where = NAMED[name], cpus[:count]
        with Code(bench.instruction) as code, Probe(code, bench, "bpf", where) as probe:
            with Callers(code.caller, where) as callers:
                found = of_callers(callers, seconds, f"{name}, {count} CPUs")
            refuse_lost(f"{name}, {count} CPUs", callers.calls(), probe.hits())
            if name == CALLED and code.first_byte() != CALL_OPCODE:
                continue
            flavour = flavour_of(kernel, bench, code.first_byte())
        report(f"{name}, {count} CPUs", found)
        yield Hit(name, flavour, count, found)
