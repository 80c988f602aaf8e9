"""Who has a cache line, who may use it, and what moving it costs. Compiled; called by the weave.

One transfer of a modified line costs the same whatever asks for it, and is served one at a time.
The owner goes on using the line until the home's snoop reaches it, `snoop_share` of the transfer
later. Every request that waits as it starts adds `waiter_ns` to it, for the home keeps refusing it.
A load takes over the ownership of a line that its owner has written (the migratory sharing of Cox
and Fowler, ISCA 1993), and otherwise leaves both with a shared copy. Loads of a line that nobody
has modified are served side by side; a write of one invalidates all copies at once.

Not modelled: where a line's home is, directory and link bandwidth shared between lines, evictions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.engine.compiled import inlined
from core.engine.events import schedule
from core.engine.shares import OTHER_CACHE, OTHER_SOCKET, SAME_CACHE
from core.engine.state import IN_SERVICE, NONE, READING, SCALE, State
from core.kernel.operation import Kind

LOAD = int(Kind.LOAD)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@inlined
def holds(s: State, cpu: Record, line: Record, index: int, kind: int, now: int) -> bool:
    """Whether the CPU's core can execute the operation without asking anybody."""
    if line.owner == cpu.core and line.serving == NONE:
        return True
    if line.leaving == cpu.core and max(now, line.free_at) < line.leaves_at:
        return True
    if kind == LOAD:
        return s.copy[index, cpu.core] == line.epoch or cpu.store_line == index
    return False


@inlined
def serve(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """The home answers a request of a line that is not moving; the answer is the port's event."""
    if s.ports[port].kind == LOAD and line.owner == NONE and line.sharers > 0:
        _share(s, cpu, port, line, index, now)
        return
    begin = max(now, line.free_at)
    line.leaving = line.owner
    if s.ports[port].kind == LOAD and line.owner != NONE and not line.written:
        distance = _read(s, cpu, line, index)
    else:
        distance = _take(s, cpu, line, index)
    cost = s.costs[0].transfer + _further(s, distance)
    cost = _spread(s, cost * cpu.transfer_scale // SCALE)
    line.leaves_at = begin + cost * s.costs[0].snoop_share // SCALE
    line.serving = port
    s.ports[port].phase = IN_SERVICE
    s.ports[port].distance = distance
    s.totals[0].transfers += 1
    schedule(s.events, port, begin + cost + s.costs[0].waiter * line.waiting)


@inlined
def _further(s: State, distance: int) -> int:
    """What a distance adds to the cost of one within a last-level cache."""
    if distance == OTHER_SOCKET:
        return s.costs[0].other_socket
    return s.costs[0].other_cache if distance == OTHER_CACHE else 0


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
    """A load of a line that nobody has modified: from the nearest cache with a copy."""
    distance = SAME_CACHE
    if s.copies_in_cache[index, cpu.cache] == 0:
        near = s.copies_in_socket[index, cpu.socket] > 0
        distance = OTHER_CACHE if near else OTHER_SOCKET
    _add_copy(s, line, index, cpu.core)
    s.ports[port].phase = READING
    s.ports[port].distance = distance
    schedule(s.events, port, now + s.costs[0].shared_read + _further(s, distance))


@inlined
def _read(s: State, cpu: Record, line: Record, index: int) -> int:
    """A load of a line whose owner has not written it: both have a copy. Returns the distance."""
    distance = _distance(s, cpu, line.owner)
    _add_copy(s, line, index, line.owner)
    _add_copy(s, line, index, cpu.core)
    line.owner = NONE
    return distance


@inlined
def _take(s: State, cpu: Record, line: Record, index: int) -> int:
    """The only valid copy. Returns the distance to the furthest that another core had."""
    if line.owner != NONE:
        distance = _distance(s, cpu, line.owner)
    else:
        in_socket = s.copies_in_socket[index, cpu.socket]
        distance = SAME_CACHE
        if line.sharers > in_socket:
            distance = OTHER_SOCKET
        elif in_socket > s.copies_in_cache[index, cpu.cache]:
            distance = OTHER_CACHE
        line.sharers = 0
        s.copies_in_cache[index, :] = 0
        s.copies_in_socket[index, :] = 0
    line.owner = cpu.core
    line.written = 0
    line.epoch += 1
    return distance


@inlined
def _add_copy(s: State, line: Record, index: int, core: int) -> None:
    s.copy[index, core] = line.epoch
    s.copies_in_cache[index, s.cache_of_core[core]] += 1
    s.copies_in_socket[index, s.socket_of_core[core]] += 1
    line.sharers += 1


@inlined
def _distance(s: State, cpu: Record, core: int) -> int:
    """How far the CPU is from another core."""
    if s.cache_of_core[core] == cpu.cache:
        return SAME_CACHE
    return OTHER_CACHE if s.socket_of_core[core] == cpu.socket else OTHER_SOCKET


@inlined
def enqueue(s: State, port: int, line: Record) -> None:
    """Put a request behind those that wait for the line."""
    line.waiting += 1
    s.ports[port].before = line.tail
    s.ports[port].after = NONE
    if line.tail == NONE:
        line.head = port
    else:
        s.ports[line.tail].after = port
    line.tail = port


@inlined
def unlink(s: State, port: int, line: Record) -> None:
    """Take a request out of the line's queue."""
    line.waiting -= 1
    before, after = s.ports[port].before, s.ports[port].after
    if before == NONE:
        line.head = after
    else:
        s.ports[before].after = after
    if after == NONE:
        line.tail = before
    else:
        s.ports[after].before = before
