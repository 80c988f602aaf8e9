"""Who has a cache line, who may use it, and what moving it costs. Compiled; called by the weave.

A home serves one transaction of a line at a time (`core.engine.home`). It snoops the owner and is
free again when that has answered, while the line is still on its way; after a load of a modified
line `load_hold` later. A store right after that load has asked by then; a cmpxchg, which begins
later, has not. So the next snoop may be at the new owner before the line is, in turn
`transfer - snoop` before: it is answered a `residency` after the line came, or as long after it
came itself as one in turn, and until then the owner goes on using it, but for more than
`locked_per_stay` locked operations. A snoop that finds a line settled is answered at once. An owner
that waits for another line is late, and goes on using it; one that has just executed a barrier is
late too, and does not.

A load of a modified line leaves both with a shared copy. Loads of a line that nobody has modified
are served side by side; a write of one invalidates all copies at once.

Not modelled: where a line's home is, directory and link bandwidth shared between lines, evictions.
"""

from __future__ import annotations

from typing import Any

from core.engine.chance import varied
from core.engine.compiled import at, inlined
from core.engine.events import NEVER
from core.engine.pipeline import scaled
from core.engine.shares import OTHER_CACHE, OTHER_SOCKET, SAME_CACHE, SAME_CORE
from core.engine.state import (
    FILLING,
    JOINED,
    NONE,
    READING,
    SCALE,
    SNOOPING,
    TRAVELLING,
    State,
)
from core.kernel.operation import Kind

LOAD = int(Kind.LOAD)
LOCKED = int(Kind.LOCKED)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@inlined
def holds(s: State, cpu: Record, line: Record, index: int, kind: int, now: int) -> bool:
    """Whether the CPU's core can execute the operation without asking anybody."""
    if line.owner == cpu.core and line.filled_at <= now < line.lost_at:
        return kind < LOCKED or line.snooped_at > now or _locked_ops(cpu, line) < _limit(s)
    if kind != LOAD:
        return False
    if cpu.store_line == index:
        return True
    if s.copy[at(index), at(cpu.core)] != line.epoch:
        return False
    if cpu.sibling == NONE:
        return True
    return s.ports[at(cpu.sibling)].phase != FILLING or s.ports[at(cpu.sibling)].line != index


@inlined
def _limit(s: State) -> int:
    limit: int = s.costs[0].locked_per_stay
    return limit


@inlined
def _locked_ops(cpu: Record, line: Record) -> int:
    """Locked operations that the CPU did on its core's line since that came."""
    done: int = line.sibling_locked_ops if cpu.index > cpu.sibling >= 0 else line.locked_ops
    return done


@inlined
def count_locked(cpu: Record, line: Record) -> None:
    """The CPU does a locked operation on its core's line."""
    if cpu.index > cpu.sibling >= 0:
        line.sibling_locked_ops += 1
    else:
        line.locked_ops += 1


@inlined
def serve(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> int:
    """The home, which is free, begins to serve a request. When something happens to that next.

    It is free for another if `line.serving` is still NONE.
    """
    load = s.ports[at(port)].kind == LOAD
    if line.owner == cpu.core or (load and s.copy[at(index), at(cpu.core)] == line.epoch):
        s.ports[at(port)].distance = SAME_CORE
        s.ports[at(port)].phase = READING
        return max(now, line.filled_at) if line.owner == cpu.core else now
    if load and line.owner == NONE and line.sharers > 0:
        return _share(s, cpu, port, line, index, now)
    line.serving = port
    distance, crossing = _way(s, cpu, port, line, index)
    s.ports[at(port)].distance = distance
    snoop = varied(s, s.costs[0].snoop, s.costs[0].spread)
    line.snooped_at = now + snoop + scaled(crossing, s.costs[0].snoop_crossing)
    s.ports[at(port)].phase = SNOOPING
    answer = line.snooped_at
    if line.owner != NONE and line.snooped_at < line.filled_at:
        stay = s.costs[0].store_residency if line.stored else s.costs[0].residency
        in_turn = line.snooped_at + s.costs[0].transfer - s.costs[0].snoop
        stay = varied(s, stay, s.costs[0].residency_spread)
        answer = max(line.filled_at, in_turn) + 1 + stay
    line.lost_at = answer
    return answer


@inlined
def answer(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> int:
    """The owner, or who has copies, answers the snoop for a request, if it can.

    Then `line.serving` is NONE. When the line is there, or the owner to be looked at again.
    """
    if line.owner != NONE:
        user = s.cpus[at(line.user)]
        if line.free_at > now:
            return line.free_at
        later = _answers_from(s, user)
        if later > now:
            return later
        if not line.late and _core_waits(s, user, index):
            line.late = 1
            line.lost_at = now + user.late_ps
            return line.lost_at
    distance, crossing = _way(s, cpu, port, line, index)
    further = crossing - scaled(crossing, s.costs[0].snoop_crossing)
    hold = 0
    if s.ports[at(port)].kind == LOAD and line.owner != NONE:
        hold = s.costs[0].load_hold + further
        _read(s, cpu, line, index)
    else:
        if line.sharers > 0:
            hold = s.costs[0].upgrade_hold + further
        _own(s, cpu, port, line, index)
    line.serving = NONE
    line.snooped_at = NEVER
    line.lost_at = NEVER
    line.late = 0
    line.home_free_at = now + hold
    transfer = s.costs[0].transfer + s.costs[0].waiter * line.waiting
    line.filled_at = now + varied(s, transfer, s.costs[0].spread) + further
    s.ports[at(port)].phase = FILLING
    s.ports[at(port)].distance = distance
    return line.filled_at


@inlined
def _answers_from(s: State, cpu: Record) -> int:
    """From when on the core of a CPU answers snoops, after its barriers."""
    free: int = cpu.answers_from
    if cpu.sibling != NONE and s.cpus[at(cpu.sibling)].answers_from > free:
        free = s.cpus[at(cpu.sibling)].answers_from
    return free


@inlined
def _core_waits(s: State, cpu: Record, index: int) -> bool:
    """Whether a CPU or its sibling waits for another line than this."""
    if _waits(s, cpu.index, index):
        return True
    return cpu.sibling != NONE and _waits(s, cpu.sibling, index)


@inlined
def _waits(s: State, cpu: int, index: int) -> bool:
    return _outstanding(s, cpu, index) or _outstanding(s, cpu + s.cpus.size, index)


@inlined
def _outstanding(s: State, port: int, index: int) -> bool:
    return TRAVELLING <= s.ports[at(port)].phase <= JOINED and s.ports[at(port)].line != index


@inlined
def _further(s: State, distance: int) -> int:
    """What a distance adds to an ownership within a last-level cache."""
    added: int = 0
    if distance == OTHER_SOCKET:
        added = s.costs[0].other_socket
    elif distance == OTHER_CACHE:
        added = s.costs[0].other_cache
    return added


@inlined
def _share(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> int:
    """A load of a line that nobody has modified: from the nearest cache with a copy."""
    distance = SAME_CACHE
    if s.copies_in_cache[at(index), at(cpu.cache)] == 0:
        near = s.copies_in_socket[at(index), at(cpu.socket)] > 0
        distance = OTHER_CACHE if near else OTHER_SOCKET
    _add_copy(s, line, index, cpu.core)
    s.ports[at(port)].phase = READING
    s.ports[at(port)].distance = distance
    return now + s.costs[0].shared_read + _further(s, distance)


@inlined
def _read(s: State, cpu: Record, line: Record, index: int) -> None:
    """A load of another core's line: both have a copy."""
    _add_copy(s, line, index, line.owner)
    _add_copy(s, line, index, cpu.core)
    line.owner = NONE


@inlined
def _own(s: State, cpu: Record, port: int, line: Record, index: int) -> None:
    """The only valid copy."""
    if line.sharers > 0:
        line.sharers = 0
        s.copies_in_cache[index, :] = 0
        s.copies_in_socket[index, :] = 0
    line.owner = cpu.core
    line.user = cpu.index
    line.epoch += 1
    line.stored = port >= s.cpus.size
    line.locked_ops = 0
    line.sibling_locked_ops = 0


@inlined
def _way(s: State, cpu: Record, port: int, line: Record, index: int) -> tuple[int, int]:
    """Distance to the owner or the furthest copy, and what it adds to a request, ps."""
    factor = SCALE
    if line.owner != NONE:
        distance = _distance(s, cpu, line.owner)
        if s.ports[at(port)].kind == LOAD:
            factor = s.costs[0].load_crossing
    else:
        in_socket = s.copies_in_socket[at(index), at(cpu.socket)]
        distance = SAME_CACHE
        if line.sharers > in_socket:
            distance = OTHER_SOCKET
        elif in_socket > s.copies_in_cache[at(index), at(cpu.cache)]:
            distance = OTHER_CACHE
        if line.sharers > 0 and s.copy[at(index), at(cpu.core)] == line.epoch:
            factor = s.costs[0].upgrade_crossing
    return distance, scaled(_further(s, distance), factor)


@inlined
def _add_copy(s: State, line: Record, index: int, core: int) -> None:
    s.copy[at(index), at(core)] = line.epoch
    s.copies_in_cache[index, s.cache_of_core[at(core)]] += 1
    s.copies_in_socket[index, s.socket_of_core[at(core)]] += 1
    line.sharers += 1


@inlined
def _distance(s: State, cpu: Record, core: int) -> int:
    """How far the CPU is from another core."""
    if s.cache_of_core[at(core)] == cpu.cache:
        return SAME_CACHE
    return OTHER_CACHE if s.socket_of_core[at(core)] == cpu.socket else OTHER_SOCKET
