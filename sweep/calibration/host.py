"""Host calibration: from what was timed on this host to its machine file.

What is timed on one CPU fixes the cycles of the calls that differ between benches; what is timed on
several, the costs of a line. The rest is that of the machine that lends the costs. 1-CPU hits are
reproduced by construction; hits on more CPUs are predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import NormalDist
from typing import Any

import numpy as np
from pydantic import ValidationError

from core.calibrate.primitives import ns_per_operation
from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Calibration, Machine, load_machine
from core.machine.topology import clock_period_ps
from core.machine.work import SAVING, uprobe_syscall
from core.predict import CONFIDENCE
from sweep.calibration.by_kind import BLIND, by_kind, tells
from sweep.errors import InfrastructureError
from sweep.live.host_timings import Hit, HostTimings
from sweep.live.loops import IMUL_CYCLES
from sweep.live.timing import Timing
from sweep.machines.host import measured_title
from sweep.machines.machine_file import WAY, with_latencies

ERRS_AS = "xeon-gold-6138"
"""The machine whose discrepancy is taken over: the only one with many measured cells."""

MEMBERS = 16
RESIDENCIES_NS = tuple(2.5 * i for i in range(49))
WAITER_NS = (0.0, 0.1, 0.25, 0.5, 1.0)
ABSORBS = {
    "uprobe-nop": ("trap_entry", "trap_exit"),
    "uprobe-nop5": (SAVING,),
    "uretprobe-nop": ("prepare_uretprobe", "uretprobe_entry", "uretprobe_exit"),
    "uprobe-push": ("emulate_push", "trap_entry"),
    "uprobe-ret": ("debug_trap_entry",),
}
"""By bench: the work, in this order, that takes up what a hit is off by."""

WORK = "execution.work_cycles."
LONGEST_CYCLES = 100_000


class ImplausibleError(InfrastructureError):
    """What was timed is no machine that the model takes."""


@dataclass(frozen=True)
class HitCheck:
    """A hit as timed and as predicted, in million hits per second of all CPUs."""

    bench: str
    flavour: str
    cpus: int
    measured: float
    predicted: float

    @property
    def error(self) -> float:
        """Predicted / measured - 1."""
        return self.predicted / self.measured - 1


def calibrated(detected: Machine, timings: HostTimings) -> Machine:
    """The machine of `calibrated_and_untold`."""
    return calibrated_and_untold(detected, timings)[0]


def calibrated_and_untold(
    detected: Machine, timings: HostTimings
) -> tuple[Machine, tuple[str, ...]]:
    """The machine `detected` with costs from `timings`, intervals and an ensemble; and in words,
    which hand-offs told nothing, so that the lender's costs stay.

    Deterministic: the same timings give the same machine. Raises ImplausibleError for timings
    beyond what a machine can have, as a host that is not at rest gives them.
    """
    try:
        machine, fitted, untold = _fit(detected, timings)
    except ValidationError as error:
        first = error.errors()[0]
        raise ImplausibleError(
            "this host cannot be measured now: what was timed makes "
            f"{'.'.join(map(str, first['loc']))} {first['input']}: {first['msg']}"
        ) from None
    spans = {path: _span(machine.number(path), relative) for path, relative in fitted.items()}
    discrepancy = load_machine(ERRS_AS).calibration
    assert discrepancy is not None
    calibration = Calibration(
        curves=tuple(("atomic_inc shared", n) for n in timings.contended),
        cells=tuple((hit.bench, hit.flavour, hit.cpus) for hit in timings.hits),
        discrepancy=discrepancy.discrepancy,
        intervals=spans,
        members=tuple(_members(machine, spans)),
    )
    titled = machine.model_copy(update={"title": measured_title(detected)})
    return titled.with_calibration(calibration), untold


def disagreements(before: Machine, now: Machine) -> list[str]:
    """In words, the fitted numbers of two calibrations whose intervals have nothing in common."""
    if before.calibration is None or now.calibration is None:
        return []
    said = []
    for path, (low, high) in now.calibration.intervals.items():
        least, most = before.calibration.intervals.get(path, (low, high))
        if high < least or most < low:
            said.append(
                f"{path} was {before.number(path):g} [{least:g}, {most:g}], "
                f"is {now.number(path):g} [{low:g}, {high:g}]"
            )
    return said


def check(machine: Machine, hits: Sequence[Hit]) -> list[HitCheck]:
    """Timed hits beside what `machine` predicts."""
    return [
        HitCheck(
            hit.bench,
            hit.flavour,
            hit.cpus,
            1e3 * hit.cpus / hit.time.ns,
            simulate(_cell(machine, hit)).hits_per_s / 1e6,
        )
        for hit in hits
    ]


def _fit(
    detected: Machine, timings: HostTimings
) -> tuple[Machine, dict[str, float], tuple[str, ...]]:
    """The machine, the relative half-width of each fitted number's interval by path, and what told
    nothing."""
    fitted: dict[str, float] = {}
    tree: dict[str, Any] = detected.model_dump(mode="json", exclude={"calibration"})
    cycle_ns = timings.clock[1].ns / IMUL_CYCLES
    tree["turbo"] = _clocks(timings, cycle_ns)
    locked = timings.contended[1]
    tree["execution"]["locked_op_cycles"] = round(locked.ns / cycle_ns)
    fitted["execution.locked_op_cycles"] = _relative(locked)
    tree["coherence"] |= _latencies(tree["coherence"], timings, fitted)
    kinds = by_kind(Machine.model_validate(tree), timings.hand_offs)
    machine, fitted = kinds.machine, fitted | kinds.fitted
    contended = {n: t.ns for n, t in timings.contended.items() if n > 1}
    if contended:
        machine = _contended(machine, contended)
        widest = max(_relative(t) for n, t in timings.contended.items() if n > 1)
        fitted["coherence.residency_ns"] = widest
    for hit in timings.hits:
        machine = _absorbed(machine, hit, fitted)
    return machine, fitted, kinds.untold


def _clocks(timings: HostTimings, cycle_ns: float) -> list[dict[str, Any]]:
    """The clock by busy cores: that of one, slowed as system calls slow on as many.

    Not as the multiplications do: these do not notice where a hypervisor's CPUs share a core.
    """
    alone = timings.system_call[1].ns
    steps = []
    for cores, call in timings.system_call.items():
        slowed = max(1.0, call.ns / alone)
        steps.append({"active_cores": cores, "ghz": round(1 / (cycle_ns * slowed), 3)})
    return steps


def _latencies(
    coherence: dict[str, Any], timings: HostTimings, fitted: dict[str, float]
) -> dict[str, Any]:
    """Costs of a line that the distances give; the locked operation of each way is taken off."""
    operation = timings.contended[1].ns
    told = {d: t for d, t in timings.hand_offs.get(BLIND, {}).items() if tells(t)}
    ways = {name: max(1.0, t.ns - operation) for name, t in timings.one_way.items()}
    # What a blind operation waits for is the way itself; a sibling's is in the operation.
    ways |= {name: t.ns for name, t in told.items() if name != "same core"}
    timed = timings.one_way | {d: t for d, t in told.items() if d != "same core"}
    near = ways.get("same cache")
    far = {name: ways.get(name) for name in ("other cache", "other socket")}
    # A further distance that comes out shorter by noise is as far.
    least = near or sum(coherence[key] for key in WAY)
    far = {name: None if ns is None else max(ns, least) for name, ns in far.items()}
    changed = with_latencies(coherence, near, far["other cache"], far["other socket"])
    if "same core" in ways:
        changed["sibling_ns"] = round(max(0.0, ways["same core"] - 1.0), 2)
        fitted["coherence.sibling_ns"] = _relative(timings.one_way["same core"])
    for name, path in (
        ("same cache", "transfer_ns"),
        ("other cache", "other_cache_ns"),
        ("other socket", "other_socket_ns"),
    ):
        if name in ways and changed[path]:
            # As wide as the whole way's, though `path` may be a part of it.
            width = _relative(timed[name]) * timed[name].ns
            fitted[f"coherence.{path}"] = width / changed[path]
    return changed


def _contended(machine: Machine, contended: Mapping[int, float]) -> Machine:
    """`machine` with the best residency and, with 3 CPUs or more, the best cost of waiters."""
    waiters = WAITER_NS if max(contended) > 2 else (machine.coherence.waiter_ns,)

    def candidate(residency: float, waiter: float) -> tuple[float, Machine]:
        paths = {"coherence.residency_ns": residency, "coherence.waiter_ns": waiter}
        made = machine.with_numbers(paths)
        errors = [
            log(ns_per_operation(made, "atomic_inc shared", cpus) / ns)
            for cpus, ns in contended.items()
        ]
        return sum(error**2 for error in errors), made

    found = [candidate(residency, waiter) for residency in RESIDENCIES_NS for waiter in waiters]
    return min(found, key=lambda pair: pair[0])[1]


def _absorbed(machine: Machine, hit: Hit, fitted: dict[str, float]) -> Machine:
    """`machine` whose hit on one CPU lasts as timed; work does not become negative."""
    for _ in range(2):
        off_ns = hit.time.ns - 1e9 / simulate(_cell(machine, hit)).hits_per_s
        left = round(1000 * off_ns / clock_period_ps(machine, 1))
        values: dict[str, float] = {}
        work = machine.execution.work_cycles
        for name in ABSORBS[hit.bench]:
            sign, had = (-1, _saved(machine)) if name == SAVING else (1, work[name])
            values[WORK + name] = min(max(had + sign * left, 0), LONGEST_CYCLES)
            left -= sign * (round(values[WORK + name]) - had)
        machine = machine.with_numbers(values)
    absorber = WORK + ABSORBS[hit.bench][0]
    cycles = machine.number(absorber)
    width = _relative(hit.time) * 1000 * hit.time.ns / clock_period_ps(machine, 1)
    fitted[absorber] = width / cycles if cycles else 0.0
    return machine


def _saved(machine: Machine) -> int:
    """What the `uprobe` system call saves of a hit: never more than there is."""
    execution = machine.execution
    all_of_it = uprobe_syscall({**execution.work_cycles, SAVING: 0}, execution.load_cycles)
    return min(execution.work_cycles[SAVING], all_of_it)


def _cell(machine: Machine, hit: Hit) -> Cell:
    return Cell(
        bench=hit.bench,
        flavour=hit.flavour,
        cpus=hit.cpus,
        probes=1,
        spread="shared",
        machine=machine.with_calibration(None),
        seed=0,
        replicate=0,
        warmup_ps=10**9,
        duration_ps=4 * 10**9,
        sample_ps=10**9,
    )


def _relative(timing: Timing) -> float:
    """How far a timing's interval goes to the farther side, as a fraction."""
    return max(timing.high - timing.ns, timing.ns - timing.low) / timing.ns


def _span(value: float, relative: float) -> tuple[float, float]:
    """The ends of an interval around `value`, from 0."""
    low, high = max(0.0, value * (1 - relative)), value * (1 + relative)
    if isinstance(value, int):
        return int(low), int(high + 1)
    return round(low, 3), round(high, 3)


def _members(
    machine: Machine, spans: Mapping[str, tuple[float, float]]
) -> list[dict[str, int | float]]:
    """Members drawn from independent normals around the fit, kept inside the intervals."""
    deviate = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    drawn = np.random.default_rng(0).standard_normal((MEMBERS, len(spans)))
    members = []
    for row in drawn.tolist():
        member: dict[str, int | float] = {}
        value: int | float
        for (path, (low, high)), deviation in zip(spans.items(), row, strict=True):
            value = machine.number(path)
            moved = min(max(value + deviation * (high - low) / 2 / deviate, low), high)
            member[path] = round(moved) if isinstance(value, int) else round(moved, 3)
        members.append(member)
    return members
