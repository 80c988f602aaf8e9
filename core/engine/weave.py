"""The weave: all CPUs' operations on shared lines, played in time order. Compiled.

What happens to one operation: it begins (`_begin`); a core that holds the line in the right state
executes it at once. Otherwise a request travels to the line's home, waits there first come first
served (`_arrive`), is served (`coherence.serve`), and the operation executes when the line arrives
(`_granted`). Plain stores wait in the store buffer until they commit, and do this from there while
the CPU goes on; locked operations wait until it is empty.

Not modelled: a store buffer deeper than one missing store.
"""

from __future__ import annotations

from typing import Any

from core.engine.attribution import charge
from core.engine.coherence import answer, count_locked, dequeue, enqueue, holds, serve
from core.engine.compiled import compiled, inlined
from core.engine.events import bring_near, first_key, put_back, schedule, take_first
from core.engine.locks import blocks
from core.engine.pipeline import advance, next_hit
from core.engine.program import END
from core.engine.shares import PRIVATE, SAME_CORE
from core.engine.state import (
    AT_OPERATION,
    COMMITTING,
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
MARK = int(Kind.MARK)

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@compiled
def weave(s: State, until: int) -> bool:
    """Play every event before `until` (ps). False: stopped early because a CPU ran out of hits.

    That CPU is then `stopped` of the totals, and it is at the end of its last hit.
    """
    ports = (1 << s.events.bits) - 1
    end = until << s.events.bits
    while True:
        key = first_key(s.events)
        if key >= end:
            if bring_near(s.events):
                continue
            return True
        take_first(s.events)
        port = key & ports
        now = key >> s.events.bits
        phase = s.ports[port].phase
        if phase == AT_OPERATION:
            if not _begin(s, s.cpus[port], now):
                put_back(s.events)
                return False
        else:
            cpu = _cpu(s, port)
            line = s.ports[port].line
            if phase == COMMITTING:
                _commit(s, cpu, port, s.lines[line], line, now)
            elif phase == TRAVELLING:
                _arrive(s, cpu, port, s.lines[line], line, now)
            elif phase == QUEUED:
                dequeue(s, s.lines[line])
                _serve(s, cpu, port, s.lines[line], line, now)
            elif phase == SNOOPING:
                if answer(s, cpu, port, s.lines[line], line, now):
                    _serve_next(s, s.lines[line], now)
            else:
                _here(s, cpu, port, s.lines[line], line, now)


@inlined
def _cpu(s: State, port: int) -> Record:
    """Whose port it is."""
    return s.cpus[port if port < s.cpus.size else port - s.cpus.size]


@inlined
def _begin(s: State, cpu: Record, now: int) -> bool:
    """The CPU is at its next operation. False if that needs a hit that is not there."""
    charge(s, cpu, cpu.operation, PRIVATE, now)
    kind = s.code[cpu.operation].kind
    if kind == END:
        if cpu.taken == cpu.filled:
            s.totals[0].stopped = cpu.index
            return False
        s.done_ps[cpu.index, cpu.done] = now
        cpu.done += 1
        next_hit(s, cpu, now)
        return True
    if kind >= LOCKED and cpu.store_line != NONE:
        _wait_for_drain(s, cpu)
        return True
    if kind == BARRIER:
        charge(s, cpu, cpu.operation, SAME_CORE, now + cpu.locked_ps)
        cpu.answers_from = now + cpu.barrier_answer_ps
        advance(s, cpu, now + cpu.locked_ps, False)
        return True
    if kind == MARK:
        advance(s, cpu, now, False)
        return True
    index = s.code_line[cpu.operation, cpu.probe] + s.code[cpu.operation].stride * cpu.process
    if kind == STORE:
        _store(s, cpu, index, now)
    elif holds(s, cpu, s.lines[index], index, kind, now):
        _execute(s, cpu, s.lines[index], kind, now, SAME_CORE)
    else:
        cpu.executing = 0
        _send(s, cpu, cpu.index, index, kind, now)
    return True


@inlined
def _store(s: State, cpu: Record, index: int, now: int) -> None:
    """A plain store retires into the store buffer and the CPU goes on; a second one waits."""
    if cpu.store_line != NONE:
        _wait_for_drain(s, cpu)
        return
    cpu.store_line = index
    cpu.store_operation = cpu.operation
    port = s.cpus.size + cpu.index
    s.ports[port].line = index
    s.ports[port].kind = STORE
    s.ports[port].phase = COMMITTING
    schedule(s.events, port, now + cpu.commit_ps)
    advance(s, cpu, now, False)


@inlined
def _commit(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """A store reaches the head of the store buffer: it lands, or asks for its line."""
    if holds(s, cpu, line, index, STORE, now):
        s.ports[port].distance = SAME_CORE
        _complete(s, cpu, port, line, now)
    else:
        _send(s, cpu, port, index, STORE, now)


@inlined
def _wait_for_drain(s: State, cpu: Record) -> None:
    cpu.draining = 1
    cpu.executing = 0


@inlined
def _execute(s: State, cpu: Record, line: Record, kind: int, now: int, distance: int) -> None:
    """Do the CPU's operation on a line that is here, from `distance`."""
    s.totals[0].line_ops += 1
    done = now
    if kind >= LOCKED:
        done = max(now, line.free_at) + cpu.locked_ps
        if line.user == cpu.sibling and cpu.sibling != NONE:
            done += s.costs[0].sibling
        line.free_at = done
        count_locked(cpu, line)
    elif distance == SAME_CORE:
        done += cpu.load_ps
    if line.owner == cpu.core:
        line.user = cpu.index
    charge(s, cpu, cpu.operation, distance, done)
    if kind == CMPXCHG and cpu.loaded_version != line.version:
        cpu.loaded_version = line.version
        schedule(s.events, cpu.index, done + cpu.commit_ps)
        return
    if kind == LOAD:
        cpu.loaded_version = line.version
    elif s.code[cpu.operation].reference_count:
        line.version += 1
    if s.code[cpu.operation].lock and blocks(s, cpu, line, done):
        return
    advance(s, cpu, done, kind == LOAD)


@inlined
def _send(s: State, cpu: Record, port: int, index: int, kind: int, now: int) -> None:
    """Ask for a line, or wait for it with the core's other thread, if that has asked already."""
    s.ports[port].line = index
    s.ports[port].kind = kind
    joined = cpu.sibling != NONE and (
        _asks(s, cpu.sibling, index) or _asks(s, cpu.sibling + s.cpus.size, index)
    )
    if joined:
        s.ports[port].phase = JOINED
    else:
        s.ports[port].phase = TRAVELLING
        schedule(s.events, port, now + s.costs[0].request)


@inlined
def _asks(s: State, port: int, index: int) -> bool:
    return TRAVELLING <= s.ports[port].phase < JOINED and s.ports[port].line == index


@inlined
def _arrive(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """A request reaches the home: served at once if that is free, queued otherwise."""
    if line.serving == NONE and line.home_free_at <= now and line.first_port == NONE:
        _serve(s, cpu, port, line, index, now)
        return
    s.ports[port].phase = QUEUED
    enqueue(s, cpu, port, line, index)
    if line.serving == NONE and line.first_port == port:
        _serve_next(s, line, now)


@inlined
def _serve(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    if serve(s, cpu, port, line, index, now):
        _serve_next(s, line, now)


@inlined
def _serve_next(s: State, line: Record, now: int) -> None:
    """Let the first request that waits be served as soon as the home is free."""
    if line.first_port != NONE:
        schedule(s.events, line.first_port, max(now, line.home_free_at))


@inlined
def _here(s: State, cpu: Record, port: int, line: Record, index: int, now: int) -> None:
    """The line is here: execute, and let the sibling's requests have it too."""
    _complete(s, cpu, port, line, now)
    if cpu.sibling != NONE:
        _also(s, cpu.sibling, port, line, index, now)
        _also(s, cpu.sibling + s.cpus.size, port, line, index, now)


@inlined
def _also(s: State, port: int, served: int, line: Record, index: int, now: int) -> None:
    """Serve another request of the core that got the line; one to write a mere copy has to ask."""
    if s.ports[port].phase != JOINED or s.ports[port].line != index:
        return
    cpu = _cpu(s, port)
    if s.ports[port].kind != LOAD and line.owner != cpu.core:
        _send(s, cpu, port, index, s.ports[port].kind, now)
        return
    s.ports[port].distance = s.ports[served].distance
    _complete(s, cpu, port, line, now)


@inlined
def _complete(s: State, cpu: Record, port: int, line: Record, now: int) -> None:
    """Execute the operation that a port waited for."""
    s.ports[port].phase = AT_OPERATION
    distance = s.ports[port].distance
    if port < s.cpus.size:
        cpu.executing = 1
        _execute(s, cpu, line, s.ports[port].kind, now, distance)
        return
    s.totals[0].line_ops += 1
    cpu.store_line = NONE
    if cpu.draining:
        if s.code[cpu.operation].kind == BARRIER:
            cpu.answers_from = now + cpu.barrier_answer_ps
        charge(s, cpu, cpu.store_operation, distance, now)
        cpu.draining = 0
        cpu.executing = 1
        schedule(s.events, cpu.index, now)
