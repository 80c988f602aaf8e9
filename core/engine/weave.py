"""The weave: all CPUs' operations on shared lines, played in time order. Compiled.

What happens to one operation: it begins (`_begin`); a core that holds the line in the right state
executes it at once (`_execute`). Otherwise a request travels to the line's home (`_send`), from
when the core has given the line up if it may do no more on one that it still has, waits there and
is served (`_at_home`), and the operation executes when the line is here (`_complete`). Plain stores
wait in the store buffer until they commit, and do this from there while the CPU goes on; locked
operations wait until it is empty.

Not modelled: a store buffer deeper than one missing store.
"""

from __future__ import annotations

from typing import Any

from core.engine.attribution import charge
from core.engine.coherence import answer, count_locked, holds, serve
from core.engine.compiled import at, compiled, inlined
from core.engine.events import NEVER, NO_EVENT, exchange, insert, schedule, take_first
from core.engine.home import dequeue, enqueue, lets_load_ahead, lost_copy
from core.engine.locks import blocks
from core.engine.pipeline import advance, line_of, next_hit
from core.engine.program import END
from core.engine.shares import PRIVATE, SAME_CORE
from core.engine.state import (
    AT_OPERATION,
    COMMITTING,
    FILLING,
    JOINED,
    NONE,
    QUEUED,
    SNOOPING,
    TRAVELLING,
    State,
)
from core.kernel.operation import Kind

LOAD = int(Kind.LOAD)
STORE = int(Kind.STORE)
LOCKED = int(Kind.LOCKED)
CMPXCHG = int(Kind.CMPXCHG)
BARRIER = int(Kind.BARRIER)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


GO_ON, ASK, EXECUTE, STOP = range(4)
"""What comes of an operation that begins: nothing more, its request, it executes at once, or it
needs a hit that is not there."""


@compiled
def weave(s: State, until: int) -> bool:
    """Play every event before `until` (ps). False: stopped early because a CPU ran out of hits.

    That CPU is then `stopped` of the totals, and it is at the end of its last hit.

    An event is what happens to a port; `due` is when something happens to it next, which often is
    the first event of all and then never lies among the others.
    """
    ports = (1 << s.events.bits) - 1
    end = until << s.events.bits
    events = 0
    key = take_first(s.events)
    while key < end:
        events += 1
        port = key & ports
        now = key >> s.events.bits
        cpu = _cpu(s, port)
        phase = s.ports[at(port)].phase
        due = NEVER
        step = EXECUTE
        distance = SAME_CORE
        if phase == AT_OPERATION:
            step, due = _begin(s, cpu, now)
            if step == STOP:
                s.totals[0].events += events
                insert(s.events, key)
                return False
        elif phase == COMMITTING:
            step = _commit(s, cpu, port, now)
        elif phase < FILLING:
            step = GO_ON
            due = _at_home(s, cpu, port, phase, now)
        else:
            distance = s.ports[at(port)].distance
        if step == ASK:
            due = _send(s, cpu, port, now)
        elif step == EXECUTE:
            index = s.ports[at(port)].line
            came = s.lines[at(index)].version
            due = _complete(s, cpu, port, distance, now)
            if FILLING <= phase < JOINED:
                _let_sibling(s, cpu, port, index, came, now)
        key = (
            take_first(s.events)
            if due == NEVER
            else exchange(s.events, due << s.events.bits | port)
        )
    s.totals[0].events += events
    if key != NO_EVENT:
        insert(s.events, key)
    return True


@inlined
def _cpu(s: State, port: int) -> Record:
    """Whose port it is."""
    return s.cpus[at(port if port < s.cpus.size else port - s.cpus.size)]


@inlined
def _begin(s: State, cpu: Record, now: int) -> tuple[int, int]:
    """The CPU is at its next operation: what comes of it, and when it is at one again, if known."""
    charge(s, cpu, cpu.operation, PRIVATE, now)
    kind = s.code[at(cpu.operation)].kind
    if kind == END:
        if cpu.taken == cpu.filled:
            s.totals[0].stopped = cpu.index
            return STOP, NEVER
        s.done_ps[at(cpu.done), at(cpu.index)] = now
        cpu.done += 1
        return GO_ON, next_hit(s, cpu, now)
    if kind >= STORE and cpu.store_line != NONE:
        cpu.draining = 1
        cpu.executing = 0
        return GO_ON, NEVER
    if kind > CMPXCHG:
        done = now
        if kind == BARRIER:
            done += cpu.locked_ps
            charge(s, cpu, cpu.operation, SAME_CORE, done)
            cpu.answers_from = now + cpu.barrier_answer_ps
        return GO_ON, advance(s, cpu, done, False)
    index = line_of(s, cpu, cpu.operation)
    if kind == STORE:
        _store(s, cpu, index, now)
        return GO_ON, advance(s, cpu, now, False)
    s.ports[at(cpu.index)].line = index
    s.ports[at(cpu.index)].kind = kind
    if holds(s, cpu, s.lines[at(index)], index, kind, now):
        return EXECUTE, NEVER
    cpu.executing = 0
    return ASK, NEVER


@inlined
def _store(s: State, cpu: Record, index: int, now: int) -> None:
    """A plain store retires into the store buffer, which is empty."""
    cpu.store_line = index
    cpu.store_operation = cpu.operation
    port = s.cpus.size + cpu.index
    s.ports[at(port)].line = index
    s.ports[at(port)].kind = STORE
    s.ports[at(port)].phase = COMMITTING
    schedule(s.events, port, now + cpu.commit_ps)


@inlined
def _commit(s: State, cpu: Record, port: int, now: int) -> int:
    """A store reaches the head of the store buffer: it lands, or asks for its line."""
    index = s.ports[at(port)].line
    if not holds(s, cpu, s.lines[at(index)], index, STORE, now):
        return ASK
    s.ports[at(port)].distance = SAME_CORE
    return EXECUTE


@inlined
def _execute(s: State, cpu: Record, line: Record, kind: int, now: int, distance: int) -> int:
    """Do the CPU's operation on a line that is here, from `distance`: when it is at the next."""
    done = now
    if kind >= LOCKED:
        done = max(now, line.free_at) + cpu.locked_ps
        if line.user == cpu.sibling and cpu.sibling != NONE:
            done += s.costs[0].sibling
        line.free_at = done
        count_locked(cpu, line)
    elif distance == SAME_CORE:
        done += cpu.load_ps
    if distance != SAME_CORE:
        cpu.after_transfer = 1
    if line.owner == cpu.core:
        line.user = cpu.index
    charge(s, cpu, cpu.operation, distance, done)
    if kind == CMPXCHG and cpu.loaded_version != line.version:
        cpu.loaded_version = line.version
        return done + cpu.commit_ps + cpu.mispredict_ps
    if kind == LOAD:
        cpu.loaded_version = line.version
    elif s.code[at(cpu.operation)].reference_count:
        line.version += 1
    if s.code[at(cpu.operation)].lock and blocks(s, cpu, line, done):
        return NEVER
    return advance(s, cpu, done, kind == LOAD)


@inlined
def _send(s: State, cpu: Record, port: int, now: int) -> int:
    """Ask for a line, or wait for it with the core's other thread, if that has asked already."""
    index = s.ports[at(port)].line
    if cpu.sibling != NONE and (
        _asks(s, cpu.sibling, index) or _asks(s, cpu.sibling + s.cpus.size, index)
    ):
        s.ports[at(port)].phase = JOINED
        return NEVER
    s.ports[at(port)].phase = TRAVELLING
    line = s.lines[at(index)]
    lost_at = line.lost_at if line.owner == cpu.core and line.lost_at < NEVER else now
    return max(now, lost_at) + s.costs[0].request


@inlined
def _asks(s: State, port: int, index: int) -> bool:
    return TRAVELLING <= s.ports[at(port)].phase < JOINED and s.ports[at(port)].line == index


@inlined
def _at_home(s: State, cpu: Record, port: int, phase: int, now: int) -> int:
    """A request arrives at its line's home, is the first there, or its snoop is answered.

    The first that waits is served as soon as the home is free.
    """
    index = s.ports[at(port)].line
    line = s.lines[at(index)]
    if phase == SNOOPING:
        due = answer(s, cpu, port, line, index, now)
    elif phase == QUEUED and lets_load_ahead(s, line):
        due = NEVER
    elif phase == QUEUED or _is_idle(line, now):
        due = NEVER
        if phase == QUEUED:
            dequeue(s, line)
        if phase == QUEUED and lost_copy(s, cpu, port, line, index):
            enqueue(s, cpu, port, line, index)
        else:
            due = serve(s, cpu, port, line, index, now)
    else:
        s.ports[at(port)].phase = QUEUED
        enqueue(s, cpu, port, line, index)
        if line.serving == NONE and line.first_port == port:
            return max(now, line.home_free_at)
        return NEVER
    if line.serving == NONE and line.first_port != NONE:
        schedule(s.events, line.first_port, max(now, line.home_free_at))
    return due


@inlined
def _is_idle(line: Record, now: int) -> bool:
    """Whether its home can serve a request that arrives."""
    return line.serving == NONE and line.home_free_at <= now and line.first_port == NONE


@inlined
def _complete(s: State, cpu: Record, port: int, distance: int, now: int) -> int:
    """Execute the operation of a port whose line is here."""
    s.ports[at(port)].phase = AT_OPERATION
    if port < s.cpus.size:
        cpu.executing = 1
        s.totals[0].line_ops += 1
        line = s.lines[s.ports[at(port)].line]
        return _execute(s, cpu, line, s.ports[at(port)].kind, now, distance)
    _land(s, cpu, distance, now)
    return NEVER


@inlined
def _land(s: State, cpu: Record, distance: int, now: int) -> None:
    """The CPU's store lands, and who waited for that goes on."""
    s.totals[0].line_ops += 1
    cpu.store_line = NONE
    if cpu.draining:
        if s.code[at(cpu.operation)].kind == BARRIER:
            cpu.answers_from = now + cpu.barrier_answer_ps
        charge(s, cpu, cpu.store_operation, distance, now)
        cpu.draining = 0
        cpu.executing = 1
        schedule(s.events, cpu.index, now)


@inlined
def _let_sibling(s: State, cpu: Record, served: int, index: int, came: int, now: int) -> None:
    """Let the core's other requests have the line too; one to write a mere copy has to ask.

    A load sees the line as it `came`, not what the request that was served has written to it.
    """
    if cpu.sibling == NONE:
        return
    other = s.cpus[at(cpu.sibling)]
    for port in range(other.index, s.ports.size, s.cpus.size):
        if s.ports[at(port)].phase != JOINED or s.ports[at(port)].line != index:
            continue
        if s.ports[at(port)].kind != LOAD and s.lines[at(index)].owner != other.core:
            due = _send(s, other, port, now)
        else:
            s.ports[at(port)].distance = s.ports[at(served)].distance
            due = _complete(s, other, port, s.ports[at(port)].distance, now)
            if s.ports[at(port)].kind == LOAD:
                other.loaded_version = came
        if due != NEVER:
            schedule(s.events, port, due)
