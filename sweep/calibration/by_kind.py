"""Costs of a line by kind of transaction, from hand-offs timed between two CPUs of this host.

Each kind fixes what the ones before it leave: a blind locked operation the way of a line, a load
before it how long the home is busy after a load (beyond the socket: how much more a load's crossing
costs), a load of a clean line `shared_read_ns`. What tells nothing leaves the lender's cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from core.calibrate.hand_offs import hand_off_ns
from core.machine.machine import Machine
from sweep.live.timing import Timing

BLIND, THEN_LOCKED, CLEAN = (
    "blind locked operation",
    "load, then locked operation",
    "load of a clean line",
)
"""The first two as in `core.calibrate.hand_offs`."""

WIDEST = 1.0
"""A figure whose interval is wider than this share of it tells nothing."""

LEADS_TO = {
    (THEN_LOCKED, "same cache"): ("coherence.load_hold_ns", 0.0, 300.0),
    (THEN_LOCKED, "other socket"): ("coherence.load_crossing", 0.0, 3.0),
    (CLEAN, "same cache"): ("coherence.shared_read_ns", 0.0, 500.0),
}
"""By kind and distance: the number of the machine that it fixes, and its bounds."""

STEPS = 60
"""Between the bounds; the first two steps that have a figure between them are interpolated."""

HandOffs = Mapping[str, Mapping[str, Timing]]


@dataclass(frozen=True)
class ByKind:
    """A machine with what hand-offs told, the relative half-width of each fitted number's interval
    by path, and in words what could not be told."""

    machine: Machine
    fitted: dict[str, float]
    untold: tuple[str, ...]


def tells(timing: Timing) -> bool:
    """Whether a hand-off tells a cost: above nought throughout, known to better than itself."""
    return timing.low > 0 and timing.high - timing.low <= WIDEST * timing.ns


def by_kind(machine: Machine, hand_offs: HandOffs) -> ByKind:
    """`machine`, whose ways of a line are those of this host, with the costs of other kinds."""
    fitted: dict[str, float] = {}
    untold = []
    for kind, by_distance in hand_offs.items():
        for distance, timing in by_distance.items():
            if not tells(timing):
                span = f"{timing.ns:.1f} ns [{timing.low:.1f}, {timing.high:.1f}]"
                untold.append(f"{kind}, {distance}: {span} tells nothing")
                continue
            if (kind, distance) not in LEADS_TO:
                continue
            path, low, high = LEADS_TO[kind, distance]
            value = _found(machine, kind, distance, timing.ns, (low, high))
            if value is None:
                untold.append(
                    f"{kind}, {distance}: {timing.ns:.1f} ns is beyond what {path} can be"
                )
                continue
            machine = machine.with_numbers({path: value})
            fitted[path] = max(timing.high - timing.ns, timing.ns - timing.low) / max(value, 1e-9)
            if kind != CLEAN:
                fitted[path] *= _per_ns(machine, kind, distance, path)
    return ByKind(machine, fitted, tuple(untold))


def modelled_ns(machine: Machine, kind: str, distance: str) -> float:
    """What a line's way adds to the operations of a kind: the hand-off less the operations."""
    if kind == CLEAN:
        return machine.coherence.shared_read_ns
    cycle_ns = 1 / machine.turbo[0].ghz
    execution = machine.execution
    own = execution.locked_op_cycles
    if kind == THEN_LOCKED:
        own += max(execution.load_cycles, execution.cmpxchg_cycles)
    return hand_off_ns(machine, kind, distance) - own * cycle_ns


def _found(
    machine: Machine, kind: str, distance: str, ns: float, bounds: tuple[float, float]
) -> float | None:
    """The value between the bounds at which the model has `ns`; None if there is none."""
    path = LEADS_TO[kind, distance][0]

    def modelled(value: float) -> float:
        return modelled_ns(machine.with_numbers({path: value}), kind, distance)

    low, high = bounds
    values = [low + (high - low) * i / STEPS for i in range(STEPS + 1)]
    for (value, before), (beyond, after) in pairwise((v, modelled(v)) for v in values):
        if before <= ns <= after:
            share = (ns - before) / (after - before) if after > before else 0.0
            return round(value + share * (beyond - value), 2)
    return None


def _per_ns(machine: Machine, kind: str, distance: str, path: str) -> float:
    """By how much the number at `path` moves for a nanosecond of the hand-off."""
    _, low, high = LEADS_TO[kind, distance]
    step = (high - low) / STEPS
    more = machine.with_numbers({path: machine.number(path) + step})
    rise = modelled_ns(more, kind, distance) - modelled_ns(machine, kind, distance)
    return step / rise if rise > 0 else 1.0
