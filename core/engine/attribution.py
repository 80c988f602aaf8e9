"""Where every picosecond of every CPU went: private work, or an operation on a line at a distance.

Time of a CPU that waits for its store buffer to drain belongs to the store that it waits for, at
the distance the line came from; waiting in a line's queue belongs to the operation that waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import compiled, inlined

if TYPE_CHECKING:
    from core.engine.program import Program
    from core.engine.state import State

PRIVATE, SAME_CORE, SAME_CACHE, OTHER_CACHE, OTHER_SOCKET = range(5)
"""Columns of `State.spent`: private work before an operation, then the operation by distance."""

DISTANCES = ("", "same core", "same cache", "other cache", "other socket")

Record = Any


class Share(NamedTuple):
    """Time that all CPUs spent on one operation of the path at one distance, in ps.

    Private work is one share, with PRIVATE_WORK as its operation and nothing else.
    """

    function: str
    operation: str
    line: str
    distance: str
    ps: int


PRIVATE_WORK = "private work"


@inlined
def charge(s: State, cpu: Record, operation: int, column: int, until: int) -> None:
    """Account for the CPU's time up to `until`, which may lie ahead by one operation."""
    s.spent[operation, column] += until - cpu.since
    cpu.since = until


@compiled
def settle(s: State, now: int) -> None:
    """Account for every CPU up to `now` exactly, for what it is in the middle of."""
    cpus = s.cpus.size
    for index in range(cpus):
        cpu = s.cpus[index]
        if cpu.draining:
            charge(s, cpu, cpu.store_operation, s.ports[cpus + index].distance, now)
        elif cpu.executing:
            charge(s, cpu, cpu.operation, PRIVATE, now)
        else:
            charge(s, cpu, cpu.operation, s.ports[index].distance, now)


def shares(program: Program, spent: NDArray[np.int64]) -> tuple[Share, ...]:
    """`spent`, shape (operations, 5), by name; what took no time is left out.

    Steps of a tree walk, one operation each, are put together.
    """
    total: dict[tuple[str, str, str, str], int] = {}
    total["", PRIVATE_WORK, "", ""] = int(spent[:, PRIVATE].sum())
    for row, (function, operation, line) in zip(spent, program.names, strict=True):
        for column in range(SAME_CORE, len(DISTANCES)):
            if ps := int(row[column]):
                key = (function, operation, line, DISTANCES[column])
                total[key] = total.get(key, 0) + ps
    return tuple(Share(*key, ps) for key, ps in total.items())
