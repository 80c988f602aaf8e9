"""One live measurement: place a probe, let N CPUs hit it, count, compare, remove it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from core.kernel.bench import NAMED, Bench
from sweep.errors import InfrastructureError, UsageError, nearest
from sweep.live.callers import Callers
from sweep.live.code import CALL_OPCODE, Code
from sweep.live.kernel import flavour_of, measured_on, running
from sweep.live.probe import ATTACH, Probe
from sweep.live.refused import refuse_if_impossible
from sweep.store.schema import UNSHARED

WARMUP_S, DURATION_S, SAMPLE_S = 1.0, 5.0, 1.0
MAX_S = 3600.0
PATIENCE = 3
"""How many times as many samples are taken, at most, if others use the CPUs."""

Sample = tuple[int, float, float]
"""Hits, seconds, and the share of that time in which the threads had their CPUs, on average."""


@dataclass(frozen=True)
class Measurement:
    """What one measurement gave. `samples` are hits per second, one of each interval.

    `flavour` is the modelled design that hits ran through, `optimized` whether the kernel had put a
    call in place of the breakpoint. `hits` are all that the kernel counted, warm-up included, and
    equal to the calls that the threads made. `cpu_share` is how much of the samples' time the
    threads had their CPUs: below 1 if something else ran there.
    """

    bench: Bench
    cpus: int
    attach: str
    flavour: str
    optimized: bool
    kernel: str
    warmup_s: float
    sample_s: float
    samples: tuple[float, ...]
    hits_in_samples: int
    hits: int
    cpu_share: float
    seconds: float

    @property
    def path_taken(self) -> str:
        """In words, what the kernel did at each hit to get in."""
        how = "a call to the uprobe system call" if self.optimized else "int3"
        return f"{how} on a {self.bench.instruction}"

    @property
    def mean(self) -> float:
        """Hits per second of all CPUs, over the samples."""
        return fmean(self.samples)

    @property
    def stddev(self) -> float:
        """Sample standard deviation over the samples; 0 for a single one."""
        return statistics.stdev(self.samples) if len(self.samples) > 1 else 0.0


class LostHitsError(InfrastructureError):
    """The kernel has not counted what the threads called."""


def refuse_lost(what: str, calls: int, hits: int) -> None:
    """Raises LostHitsError unless every call was counted."""
    if calls != hits:
        raise LostHitsError(f"{what}: {calls:,} calls were made, {hits:,} hits counted")


def usable_cpus() -> list[int]:
    """The CPUs that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def check_request(
    benches: Sequence[str],
    cpus: Sequence[int],
    attach: str,
    times: tuple[float, float, float] = (WARMUP_S, DURATION_S, SAMPLE_S),
) -> None:
    """Raises UsageError for what cannot be measured; `times` are warm-up, duration and sample."""
    for bench in benches:
        if bench not in NAMED:
            raise UsageError(f"unknown bench {bench!r}: {nearest(bench, NAMED)}")
    there = len(usable_cpus())
    for count in cpus:
        if not 1 <= count <= there:
            near = min(max(count, 1), there)
            raise UsageError(
                f"{count} CPUs, but this process may run on {there}: allowed are 1 to {there}, "
                f"nearest {near}; `uprobe-sweep predict` goes beyond"
            )
    if attach not in ATTACH:
        raise UsageError(f"unknown way to attach {attach!r}: {nearest(attach, ATTACH)}")
    warmup, duration, sample = times
    if not 0 <= warmup <= MAX_S:
        raise UsageError(f"warmup {warmup:g} s: allowed are 0 to {MAX_S:g}")
    if not 0.001 <= sample <= duration <= MAX_S:
        raise UsageError(
            f"duration {duration:g} s in samples of {sample:g} s: "
            f"allowed are 0.001 <= sample <= duration <= {MAX_S:g}"
        )


def measure_one(
    bench: str,
    cpus: int,
    warmup: float = WARMUP_S,
    duration: float = DURATION_S,
    sample: float = SAMPLE_S,
    attach: str = "bpf",
    sleep: Callable[[float], None] = time.sleep,
) -> Measurement:
    """Measure `bench` with `cpus` threads on as many CPUs; times in seconds.

    As the kernel's bench does it: after `warmup`, the mean is over duration / sample + 1 samples.
    Samples in which others had the CPUs are repeated, see `Measurement.cpu_share`.
    The probe is gone when this returns or raises. Raises UsageError, RefusedError, and
    LostHitsError if not every call was counted.
    """
    check_request([bench], [cpus], attach, (warmup, duration, sample))
    kernel = running()
    refuse_if_impossible()
    what, where = NAMED[bench], usable_cpus()[:cpus]
    began = time.perf_counter()
    with Code(what.instruction) as code, Probe(code, what, attach, where) as probe:
        with Callers(code.caller, where) as callers:
            sleep(warmup)
            samples = _samples(probe, callers, round(duration / sample) + 1, sample, sleep)
        first_byte = code.first_byte()
        calls, hits = callers.calls(), probe.hits()
    refuse_lost(f"{bench}, {cpus} CPUs", calls, hits)
    return Measurement(
        bench=what,
        cpus=cpus,
        attach="multi" if what.multi else attach,
        flavour=flavour_of(measured_on(kernel), what, first_byte),
        optimized=first_byte == CALL_OPCODE,
        kernel=kernel,
        warmup_s=warmup,
        sample_s=sample,
        samples=tuple(hits / seconds for hits, seconds, _ in samples),
        hits_in_samples=sum(hits for hits, _, _ in samples),
        hits=hits,
        cpu_share=min(1.0, fmean(share for _, _, share in samples)),
        seconds=time.perf_counter() - began,
    )


def _samples(
    probe: Probe, callers: Callers, wanted: int, sample: float, sleep: Callable[[float], None]
) -> list[Sample]:
    """So many samples, in the order of time: those in which every thread had its CPU.

    Others are repeated, until there were PATIENCE times as many; then the best of them are taken.
    """
    found: list[Sample] = []
    hits, cpu, then = probe.hits(), callers.cpu_seconds(), time.perf_counter()
    while sum(share >= UNSHARED for _, _, share in found) < wanted:
        if len(found) == PATIENCE * wanted:
            break
        sleep(sample)
        last, before, began = hits, cpu, then
        hits, cpu, then = probe.hits(), callers.cpu_seconds(), time.perf_counter()
        busy = fmean(b - a for a, b in zip(before, cpu, strict=True))
        found.append((hits - last, then - began, busy / (then - began)))
    best = sorted(range(len(found)), key=lambda i: -min(found[i][2], UNSHARED))
    return [found[i] for i in sorted(best[:wanted])]
