"""The requests that wait at the home of a line, and which of them is served next. Compiled.

A home that is busy refuses requests, and they come again. So one that comes late may be served
before some that came earlier, up to OVERTAKEN of them. Two kinds go ahead: who has a copy and wants
to write, unless that is invalidated meanwhile; and, while nobody has modified the line, loads,
which need not exclude each other.
"""

from __future__ import annotations

from typing import Any

from core.engine.chance import drawn
from core.engine.compiled import at, inlined
from core.engine.events import cancel
from core.engine.state import NONE, SHIFT, State
from core.kernel.operation import Kind

LOAD = int(Kind.LOAD)

OVERTAKEN = 8
"""Chosen: 32 give the same curves. With none, a queue keeps its order for milliseconds, and with it
how often it crosses sockets: published deviations within a run are too small for that."""

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@inlined
def enqueue(s: State, cpu: Record, port: int, line: Record, index: int) -> None:
    """Let a request wait. If it is the first of all now, nothing is scheduled for that."""
    upgrades = s.ports[at(port)].kind != LOAD and has_copy(s, cpu, line, index)
    s.ports[at(port)].upgrades = upgrades
    line.waiting += 1
    line.waiting_loads += s.ports[at(port)].kind == LOAD
    before = NONE
    if not upgrades:
        before = line.last_port
        passed = drawn(s) * OVERTAKEN >> SHIFT
        while passed > 0 and before != line.first_port and not s.ports[at(before)].upgrades:
            before = s.ports[at(before)].previous
            passed -= 1
    elif line.first_port != NONE and line.serving == NONE:
        cancel(s.events, line.first_port)
    _insert(s, line, port, before)


@inlined
def dequeue(s: State, line: Record) -> None:
    """Take the first request out of the queue."""
    line.waiting -= 1
    line.waiting_loads -= s.ports[at(line.first_port)].kind == LOAD
    _remove(s, line, line.first_port)


@inlined
def lets_load_ahead(s: State, line: Record) -> bool:
    """Whether a load goes ahead of the first that waits: then that load is the first."""
    port = line.first_port
    if line.owner != NONE or line.sharers == 0 or line.waiting_loads == 0:
        return False
    if s.ports[at(port)].upgrades or s.ports[at(port)].kind == LOAD:
        return False
    while s.ports[at(port)].kind != LOAD:
        port = s.ports[at(port)].next
    _remove(s, line, port)
    _insert(s, line, port, NONE)
    return True


@inlined
def lost_copy(s: State, cpu: Record, port: int, line: Record, index: int) -> bool:
    """Whether a request that went ahead of others has no right to any more."""
    ahead: bool = s.ports[at(port)].upgrades and line.first_port != NONE
    return ahead and not has_copy(s, cpu, line, index)


@inlined
def has_copy(s: State, cpu: Record, line: Record, index: int) -> bool:
    """Whether the CPU's core has a copy of a line that nobody has modified."""
    valid: bool = line.owner == NONE and s.copy[at(index), at(cpu.core)] == line.epoch
    return valid


@inlined
def _insert(s: State, line: Record, port: int, before: int) -> None:
    """Put a port behind `before`; NONE: first of all."""
    behind = line.first_port if before == NONE else s.ports[at(before)].next
    s.ports[at(port)].previous = before
    s.ports[at(port)].next = behind
    if before == NONE:
        line.first_port = port
    else:
        s.ports[at(before)].next = port
    if behind == NONE:
        line.last_port = port
    else:
        s.ports[at(behind)].previous = port


@inlined
def _remove(s: State, line: Record, port: int) -> None:
    before = s.ports[at(port)].previous
    behind = s.ports[at(port)].next
    if before == NONE:
        line.first_port = behind
    else:
        s.ports[at(before)].next = behind
    if behind == NONE:
        line.last_port = before
    else:
        s.ports[at(behind)].previous = before
