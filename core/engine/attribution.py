"""Where every picosecond of every CPU goes, to be kept while the weave plays. Compiled.

Time of a CPU that waits for its store buffer to drain belongs to the store that it waits for, at
the distance the line came from; waiting in a line's queue belongs to the operation that waits.
"""

from __future__ import annotations

from typing import Any

from core.engine.compiled import at, compiled, inlined
from core.engine.shares import ASLEEP, BLOCKED, PRIVATE
from core.engine.state import State

Record = Any
"""A row of one of State's record arrays; numba passes it as a pointer."""


@inlined
def charge(s: State, cpu: Record, operation: int, column: int, until: int) -> None:
    """Account for the CPU's time up to `until`, which may lie ahead by one operation."""
    s.spent[at(operation), at(column)] += until - cpu.since
    cpu.since = until


@compiled
def settle(s: State, now: int) -> None:
    """Account for every CPU up to `now`, for what it is in the middle of.

    Where that is still on its way, the distance is that of the port's last request.
    """
    cpus = s.cpus.size
    for index in range(cpus):
        cpu = s.cpus[at(index)]
        if cpu.asleep:
            charge(s, cpu, cpu.operation, ASLEEP, now)
        elif cpu.blocked:
            charge(s, cpu, cpu.operation, BLOCKED, now)
        elif cpu.draining:
            charge(s, cpu, cpu.store_operation, s.ports[at(cpus + index)].distance, now)
        elif cpu.executing:
            charge(s, cpu, cpu.operation, PRIVATE, now)
        else:
            charge(s, cpu, cpu.operation, s.ports[at(index)].distance, now)
