"""The weave: all CPUs' operations on shared lines, played in time order. Compiled.

What happens to one operation: it begins (`_begin`); a core that holds the line in the right state
executes it at once. Otherwise a request travels to the line's home, waits there first come first
served (`_arrive`), is served (`_serve`: the home finds the copies and moves the line, one request
at a time), and the operation executes when the line arrives (`_granted`). The home hears of the
arrival a while later; only then can it start the next transfer, and until then the core goes on
using the line. Plain stores wait in the store buffer until they commit, and do this from there
while the CPU goes on; locked operations wait until it is empty.

Not modelled: where a line's home is, a store buffer deeper than one missing store, directory and
link bandwidth shared between lines, evictions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.engine.compiled import compiled, inlined
from core.engine.events import NEVER, schedule
from core.engine.program import END
from core.engine.state import (
    AT_OPERATION,
    COMMITTING,
    IN_SERVICE,
    NONE,
    QUEUED,
    READING,
    SCALE,
    TRAVELLING,
    State,
)
from core.kernel.layout import NOWHERE
from core.kernel.operation import Kind

LOAD = int(Kind.LOAD)
STORE = int(Kind.STORE)
LOCKED = int(Kind.LOCKED)
CMPXCHG = int(Kind.CMPXCHG)
BARRIER = int(Kind.BARRIER)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@compiled
def weave(s: State, until: int) -> bool:
    """Play every event before `until` (ps). False: stopped early because a CPU ran out of hits."""
    cpus = s.cpus.size
    while True:
        port = s.events.port[1]
        now = s.events.time[1]
        if now >= until:
            return True
        phase = s.ports[port].phase
        if phase == AT_OPERATION:
            if not _begin(s, s.cpus[port], now):
                return False
        else:
            cpu = s.cpus[port if port < cpus else port - cpus]
            line = s.ports[port].line
            if phase == COMMITTING:
                _commit(s, cpu, port, s.lines[line], line, now)
            elif phase == TRAVELLING:
                _arrive(s, cpu, port, s.lines[line], line, now)
            elif phase == READING:
                _complete(s, cpu, port, s.lines[line], now)
            else:
                _granted(s, cpu, port, s.lines[line], line, now)


@compiled
def start(s: State) -> None:
    """Let every CPU take its first hit, at time 0."""
    for cpu in range(s.cpus.size):
        _next_hit(s, s.cpus[cpu], 0)


@inlined
def _begin(s: State, cpu: Record, now: int) -> bool:
    """The CPU is at its next operation. False if that needs a hit that is not there."""
    kind = s.code[cpu.operation].kind
    if kind == END:
        if cpu.taken == cpu.filled:
            return False
        s.done_ps[cpu.index, cpu.done] = now
        cpu.done += 1
        _next_hit(s, cpu, now)
        return True
    if kind >= LOCKED and cpu.store_line != NONE:
        _wait_for_drain(s, cpu)
        return True
    if kind == BARRIER:
        _advance(s, cpu, now + cpu.locked_ps, 0)
        return True
    index = s.code_line[cpu.operation, cpu.probe]
    if kind == STORE:
        _store(s, cpu, index, now)
    elif _holds(s, cpu, s.lines[index], index, kind, now):
        _execute(s, cpu, s.lines[index], kind, now, 0)
    else:
        cpu.executing = 0
        _send(s, cpu.index, index, kind, now)
    return True


@inlined
def _store(s: State, cpu: Record, index: int, now: int) -> None:
    """A plain store retires into the store buffer and the CPU goes on; a second one waits."""
    if cpu.store_line != NONE:
        _wait_for_drain(s, cpu)
        return
    cpu.store_line = index
    port = s.cpus.size + cpu.index
    s.ports[port].line = index
    s.ports[port].kind = STORE
    s.ports[port].phase = COMMITTING
    schedule(s.events, port, now + s.costs[0].commit)
    _advance(s, cpu, now, 0)


@inlined
def _commit(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """A store reaches the head of the store buffer: it lands, or asks for its line."""
    if _holds(s, cpu, line, index, STORE, now):
        _complete(s, cpu, port, line, now)
    else:
        _send(s, port, index, STORE, now)


@inlined
def _next_hit(s: State, cpu: Record, now: int) -> None:
    slot = cpu.taken % s.probe.shape[1]
    cpu.taken += 1
    cpu.probe = s.probe[cpu.index, slot]
    cpu.operation = 0
    schedule(s.events, cpu.index, now + _slowed(s, cpu, s.private_ps[cpu.index, slot]))


@inlined
def _slowed(s: State, cpu: Record, private: int) -> int:
    """Private work beside a busy sibling. The sibling is looked at once, when the work starts."""
    if cpu.sibling != NONE and s.cpus[cpu.sibling].executing:
        return private * s.costs[0].sibling_slowdown // SCALE
    return private


@inlined
def _advance(s: State, cpu: Record, now: int, hidden: int) -> None:
    """Schedule the next operation after its private work, of which `hidden` ps are done already."""
    operation = cpu.operation + 1
    while s.code[operation].skippable and s.code_line[operation, cpu.probe] == NOWHERE:
        operation += 1
    cpu.operation = operation
    private = _slowed(s, cpu, s.code[operation].cycles * cpu.ps_per_cycle)
    schedule(s.events, cpu.index, now + max(private - hidden, 0))


@inlined
def _wait_for_drain(s: State, cpu: Record) -> None:
    cpu.draining = 1
    cpu.executing = 0
    schedule(s.events, cpu.index, NEVER)


@inlined
def _holds(s: State, cpu: Record, line: Record, index: int, kind: int, now: int) -> bool:
    """Whether the CPU's core can execute the operation without asking anybody."""
    if line.owner == cpu.core and line.serving == NONE:
        return True
    if line.leaving == cpu.core and max(now, line.free_at) < line.leaves_at:
        return True
    if kind == LOAD:
        return s.copy[index, cpu.core] == line.epoch or cpu.store_line == index
    return False


@inlined
def _execute(s: State, cpu: Record, line: Record, kind: int, now: int, hidden: int) -> int:
    """Do the CPU's operation on a line that is here and go on. Returns when it is done."""
    s.totals[0].line_ops += 1
    done = now
    if kind >= LOCKED:
        done = max(now, line.free_at) + cpu.locked_ps
        line.free_at = done
        line.written = 1
    if kind == CMPXCHG and cpu.seen != line.version:
        cpu.seen = line.version
        schedule(s.events, cpu.index, done)
        return done
    if kind == LOAD:
        cpu.seen = line.version
    elif s.code[cpu.operation].reference_count:
        line.version += 1
    _advance(s, cpu, done, hidden)
    return done


@inlined
def _send(s: State, port: int, index: int, kind: int, now: int) -> None:
    s.ports[port].line = index
    s.ports[port].kind = kind
    s.ports[port].phase = TRAVELLING
    schedule(s.events, port, now + s.costs[0].request)


@inlined
def _arrive(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """A request reaches the home: served at once if the line is free, queued otherwise."""
    if _holds(s, cpu, line, index, s.ports[port].kind, now):
        _complete(s, cpu, port, line, now)
    elif line.serving == NONE:
        if s.ports[port].kind == LOAD and line.owner == NONE and line.sharers > 0:
            _share(s, cpu, port, line, index, now)
        else:
            _serve(s, cpu, port, line, index, max(now, line.free_at))
    else:
        s.ports[port].phase = QUEUED
        s.ports[port].before = line.tail
        s.ports[port].after = NONE
        if line.tail == NONE:
            line.head = port
        else:
            s.ports[line.tail].after = port
        line.tail = port
        schedule(s.events, port, NEVER)


@inlined
def _unlink(s: State, port: int, line: Record) -> None:
    """Take a request out of the line's queue."""
    before, after = s.ports[port].before, s.ports[port].after
    if before == NONE:
        line.head = after
    else:
        s.ports[before].after = after
    if after == NONE:
        line.tail = before
    else:
        s.ports[after].before = before


@inlined
def _serve(s: State, cpu: Record, port: int, line: Record, index: int, begin: int) -> None:
    """The home starts to move the line to the port's core; the grant is an event of the port."""
    line.leaving = line.owner
    if s.ports[port].kind == LOAD and (line.owner == NONE or not line.written):
        cost = _read(s, cpu, line, index)
    else:
        cost = _take(s, cpu, line, index)
    line.leaves_at = begin + cost * s.costs[0].snoop_share // SCALE
    line.serving = port
    s.ports[port].phase = IN_SERVICE
    s.totals[0].transfers += 1
    schedule(s.events, port, begin + _spread(s, cost * cpu.transfer_scale // SCALE))


@inlined
def _spread(s: State, cost: int) -> int:
    """A cost, spread evenly around its mean: cores sit nearer to a line's home or further away."""
    x = np.uint64(s.totals[0].random)
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.totals[0].random = np.int64(x)
    deviation = np.int64(x >> np.uint64(54)) - SCALE // 2
    return cost + cost * s.costs[0].spread * deviation * 2 // (SCALE * SCALE)


@inlined
def _share(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """A load of a line that nobody has modified: from the cache, beside any other such load."""
    costs = s.costs[0]
    cost = costs.shared_read + (costs.other_socket if s.copies[index, cpu.socket] == 0 else 0)
    s.copies[index, cpu.socket] += 1
    s.copy[index, cpu.core] = line.epoch
    line.sharers += 1
    s.ports[port].phase = READING
    schedule(s.events, port, now + cost)


@inlined
def _read(s: State, cpu: Record, line: Record, index: int) -> int:
    """A load of a modified line: its owner keeps a shared copy. Returns the cost."""
    costs = s.costs[0]
    cost = costs.transfer
    if line.owner != NONE:
        owner_socket = s.socket_of_core[line.owner]
        cost += costs.other_socket if owner_socket != cpu.socket else 0
        s.copy[index, line.owner] = line.epoch
        s.copies[index, owner_socket] += 1
        line.sharers += 1
        line.owner = NONE
    s.copies[index, cpu.socket] += 1
    line.sharers += 1
    return cost


@inlined
def _take(s: State, cpu: Record, line: Record, index: int) -> int:
    """The only valid copy: every other one is invalidated, at once. Returns the cost."""
    costs = s.costs[0]
    owner = line.owner
    cost = costs.transfer
    if owner == cpu.core:
        cost = 0
    elif owner != NONE:
        cost += costs.other_socket if s.socket_of_core[owner] != cpu.socket else 0
    else:
        cost += costs.other_socket if line.sharers > s.copies[index, cpu.socket] else 0
        line.sharers = 0
        for socket in range(s.copies.shape[1]):
            s.copies[index, socket] = 0
    line.owner = cpu.core
    line.written = 0
    line.epoch += 1
    return cost


@inlined
def _granted(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """The line is here: execute, let the core's other requests have it too, serve the next."""
    cpus = s.cpus.size
    line.serving = NONE
    read = line.owner != cpu.core
    if read:
        s.copy[index, cpu.core] = line.epoch
    done = _complete(s, cpu, port, line, now)
    done = _also(s, port - cpus if port >= cpus else port + cpus, line, index, read, done)
    if cpu.sibling != NONE:
        done = _also(s, cpu.sibling, line, index, read, done)
        _also(s, cpu.sibling + cpus, line, index, read, done)
    while line.head != NONE and line.serving == NONE:
        waiting = line.head
        _unlink(s, waiting, line)
        waiter = s.cpus[waiting if waiting < cpus else waiting - cpus]
        if s.ports[waiting].kind == LOAD and line.owner == NONE:
            _share(s, waiter, waiting, line, index, now)
        else:
            _serve(s, waiter, waiting, line, index, max(now, line.free_at))


@inlined
def _also(s: State, port: int, line: Record, index: int, read: bool, now: int) -> int:
    """Serve another request of the same core that waits for this line: no transfer is needed."""
    if s.ports[port].phase != QUEUED or s.ports[port].line != index:
        return now
    if read and s.ports[port].kind != LOAD:
        return now
    _unlink(s, port, line)
    return _complete(s, s.cpus[port % s.cpus.size], port, line, now)


@inlined
def _complete(s: State, cpu: Record, port: int, line: Record, now: int) -> int:
    """Execute the operation that a port waited for. Returns when it is done."""
    s.ports[port].phase = AT_OPERATION
    if port < s.cpus.size:
        kind = s.ports[port].kind
        cpu.executing = 1
        return _execute(s, cpu, line, kind, now, s.costs[0].out_of_order if kind == LOAD else 0)
    s.totals[0].line_ops += 1
    line.written = 1
    cpu.store_line = NONE
    schedule(s.events, port, NEVER)
    if cpu.draining:
        cpu.draining = 0
        cpu.executing = 1
        schedule(s.events, cpu.index, now)
    return now
