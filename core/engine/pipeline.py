"""What a CPU does next: its private work, its next operation, its next hit. Compiled.

Not modelled: how two siblings share a core while one of them changes between work and waiting.
"""

from __future__ import annotations

from typing import Any

from core.engine.attribution import charge
from core.engine.compiled import at, compiled, inlined
from core.engine.events import cancel, schedule
from core.engine.probes import slot_of
from core.engine.shares import ASLEEP, PRIVATE, STALLED
from core.engine.state import AT_OPERATION, NONE, SHIFT, State
from core.kernel.layout import NOWHERE
from core.kernel.operation import Kind

CMPXCHG = int(Kind.CMPXCHG)

RETURN = -1
"""In a ring in place of a probe: the function that was called last returns."""

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@compiled
def start(s: State) -> None:
    """Let every CPU take its first hit, at time 0; one without a hit ahead falls asleep."""
    for index in range(s.cpus.size):
        cpu = s.cpus[at(index)]
        if cpu.taken < cpu.filled:
            schedule(s.events, index, next_hit(s, cpu, 0))
        else:
            _sleep(cpu)


@compiled
def resume(s: State, index: int, operation: int, probe: int, extra_ps: int, now: int) -> None:
    """Let CPU `index`, which is at an end, do what begins at `operation`, on `probe`.

    It begins with `extra_ps` of private work besides its own.
    """
    cpu = s.cpus[at(index)]
    charge(s, cpu, cpu.operation, ASLEEP if cpu.asleep else PRIVATE, now)
    cpu.asleep = 0
    cpu.executing = 1
    cpu.operation = operation
    cpu.probe = slot_of(s.probes, s.lines, probe)
    cancel(s.events, index)
    schedule(s.events, index, now + extra_ps + _private_work(s, cpu))


@compiled
def stall(s: State, index: int, for_ps: int, now: int) -> bool:
    """Keep CPU `index` from its next operation for so long; False if it waits for something."""
    cpu = s.cpus[at(index)]
    if s.ports[at(index)].phase != AT_OPERATION or cpu.asleep or cpu.blocked or cpu.draining:
        return False
    due = cancel(s.events, index)
    charge(s, cpu, cpu.operation, PRIVATE, now)
    charge(s, cpu, cpu.operation, STALLED, now + for_ps)
    schedule(s.events, index, due + for_ps)
    return True


@compiled
def fall_asleep(s: State, index: int) -> None:
    """Let CPU `index`, which is at an end, do nothing until it is resumed."""
    cancel(s.events, index)
    _sleep(s.cpus[at(index)])


@inlined
def next_hit(s: State, cpu: Record, now: int) -> int:
    """Take the next hit of the ring, which is not empty: a call, or the return of the last one.

    When the CPU is at its first operation.
    """
    slot = cpu.taken & (s.probe.shape[0] - 1)
    cpu.taken += 1
    probe = s.probe[at(slot), at(cpu.index)]
    if probe == RETURN:
        cpu.depth -= 1
        cpu.probe = s.frame[at(cpu.index), at(cpu.depth)]
        cpu.operation = s.exit[at(cpu.index), at(cpu.depth)]
    else:
        probe = slot_of(s.probes, s.lines, probe)
        cpu.probe = probe
        cpu.operation = s.entry[at(probe)]
        if s.frame.shape[1] > 0:
            s.frame[at(cpu.index), at(cpu.depth)] = probe
            s.exit[at(cpu.index), at(cpu.depth)] = s.leave[at(probe)]
            cpu.depth += 1
    begins = now + _slowed(s, cpu, s.private_ps[at(slot), at(cpu.index)])
    return begins + _private_work(s, cpu)


@inlined
def _private_work(s: State, cpu: Record) -> int:
    """The private work right before the CPU's operation."""
    work: int = _slowed(s, cpu, s.code[at(cpu.operation)].cycles * cpu.ps_per_cycle)
    return work


@inlined
def _slowed(s: State, cpu: Record, private: int) -> int:
    """Private work beside a busy sibling, which is looked at once, when the work starts.

    After a transfer what fits into the out-of-order window is bound by latency: the sibling does
    not slow it, nor short stretches that follow.
    """
    slowed = private
    if cpu.after_transfer:
        slowed = max(private - cpu.smt_window_ps, 0)
        cpu.after_transfer = slowed == 0
    if cpu.sibling != NONE and s.cpus[at(cpu.sibling)].executing:
        private += scaled(slowed, s.costs[0].sibling_slowdown) - slowed
    return private


@inlined
def scaled(value: int, factor: int) -> int:
    """`value` times a factor by SCALE, rounded down."""
    return value * factor >> SHIFT


@inlined
def line_of(s: State, cpu: Record, operation: int) -> int:
    """The line that an operation of the CPU's hit touches; NOWHERE."""
    op = s.code[at(operation)]
    if op.ancestor != NONE:
        return int(s.probes.walk[at(cpu.probe), at(op.ancestor)])
    return int(op.line + op.step * cpu.probe + op.stride * cpu.process)


@inlined
def advance(s: State, cpu: Record, now: int, loaded: bool) -> int:
    """Go on to the next operation: when the CPU is there, after its private work.

    `loaded`: the last operation was a load; a cmpxchg that depends on it starts only then.
    """
    operation = cpu.operation + 1
    while s.code[at(operation)].ancestor != NONE and line_of(s, cpu, operation) == NOWHERE:
        operation += 1
    cpu.operation = operation
    private = _private_work(s, cpu)
    if loaded and s.code[at(operation)].kind == CMPXCHG:
        private += cpu.cmpxchg_ps
    return now + private


@inlined
def _sleep(cpu: Record) -> None:
    """Nothing to do for this CPU, which has no event."""
    cpu.asleep = 1
    cpu.executing = 0
