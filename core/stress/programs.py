"""Everything the CPUs of a cell with writers may execute, in one program, and what it means.

A call of a function runs one of many variants, by how many consumers it finds. How far a hit has
come follows from the operation its CPU is at: the levels below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.program import Program, compile_path
from core.kernel.consumers import calls, with_consumers
from core.kernel.design import Design
from core.kernel.flavours import hot_path
from core.kernel.layout import Layout
from core.kernel.operation import Path, Role
from core.kernel.patches import split_at_return
from core.kernel.writers import STRETCHES, WORK_CYCLES
from core.workload import STRESS

TAKEN, ENTERED, FOUND, WALKING, WALKED, UNWALKED, LEFT = range(7)
"""How far a hit is: it has entered its read section; it knows its uprobe; it may be on the list of
consumers; it has called them; it is off the list; it has let go of the uprobe and its section."""

MOST_CONSUMERS = 12
"""Variants go up to so many consumers of either kind at most; more take as long as these."""

_LEVELS = {
    Role.READ_LOCK: ENTERED,
    Role.LOOKUP: FOUND,
    Role.GET: FOUND,
    Role.CHAIN_LOCK: WALKING,
    Role.PROGRAM: WALKED,
    Role.PREPARE_RETURN: WALKED,
    Role.CHAIN_UNLOCK: UNWALKED,
    Role.READ_UNLOCK: LEFT,
    Role.PUT: LEFT,
}
"""How far a hit is that has done a call of this role."""
_AT_RETURN = {**_LEVELS, Role.READ_UNLOCK: UNWALKED, Role.PUT_RETURN: LEFT}
_MARKS = (Role.READ_LOCK, Role.READ_UNLOCK, Role.PREPARE_RETURN)


@dataclass(frozen=True)
class Programs:
    """One program of many parts, and where each begins.

    `call[e, r]` and `back[e, r]`, square, are where a call and its return begin with e
    entry and r return consumers; `plain` where they do that hit nothing; `start` the stretches of
    writers; `level`, shape (operations,), how far a hit is that has this operation before it;
    `entry_cycles` the first stretch of a hit, jitter included.
    """

    code: Program
    call: NDArray[np.int32]
    back: NDArray[np.int32]
    plain: int
    start: Mapping[str, int]
    level: NDArray[np.int64]
    entry_cycles: int


def compile_programs(
    bench: str,
    flavour: str | Design,
    rcu: str,
    layout: Layout,
    cycles: Mapping[str, int],
    jitter: float,
    consumers: int = MOST_CONSUMERS,
) -> Programs:
    """All programs of a cell; `cycles` are the machine's. Raises as `hot_path` does.

    `consumers` is the most of either kind that a function can have, as far as variants go. The
    first stretch of a hit is shorter by `jitter` of the machine's entry, which the CPU draws.
    """
    known = {**WORK_CYCLES, **cycles}
    parts: list[Program] = []
    levels: list[IntArray] = []
    at = 0

    def place(path: Path, shorter: float = 0.0) -> int:
        nonlocal at
        program = compile_path(path, layout, known, writers=True, marks=_MARKS)
        entry = program.cycles.copy()
        entry[0] = program.entry_cycles * (1 - shorter)
        parts.append(replace(program, cycles=entry))
        levels.append(_level(path, program))
        at += len(program.kind)
        return at - len(program.kind)

    size = min(consumers, MOST_CONSUMERS) + 1
    call, back = np.zeros((2, size, size), dtype=np.int32)
    plain = place(())
    placed: dict[tuple[Path, Path], tuple[int, int]] = {}
    for entry in range(size):
        for at_return in range(size):
            paths = _variant(bench, flavour, rcu, entry, at_return)
            if paths not in placed:
                placed[paths] = place(paths[0], jitter), place(paths[1]) if paths[1] else plain
            call[entry, at_return], back[entry, at_return] = placed[paths]
    start = {name: place(path) for name, path in STRETCHES.items()}
    first = compile_path(
        _variant(bench, flavour, rcu, 1, 1)[0], layout, known, writers=True, marks=_MARKS
    )
    levels_of_all = np.concatenate(levels)
    return Programs(_joined(parts), call, back, plain, start, levels_of_all, first.entry_cycles)


def _variant(
    bench: str, flavour: str | Design, rcu: str, entry: int, at_return: int
) -> tuple[Path, Path]:
    """What a call and its return do. The consumers of a bench are all of its own kind."""
    if bench == STRESS:
        return calls(flavour, rcu, entry, at_return)
    return split_at_return(with_consumers(hot_path(flavour, bench, rcu), max(entry, at_return)))


def _level(path: Path, program: Program) -> IntArray:
    """How far a hit is that has each operation of `path` before it.

    A call has done its part with its last operation, but down_read() with the first: it has the
    lock then. A lookup that takes a reference has found its uprobe when it has that.
    """
    roles = [call.role for call in path]
    reached_by = _AT_RETURN if Role.ENTER_RETURN in roles else _LEVELS
    if Role.GET in roles:
        reached_by = {role: level for role, level in reached_by.items() if role != Role.LOOKUP}
    level = np.zeros(len(program.kind), dtype=np.int64)
    reached = TAKEN
    for row, (at, after) in enumerate(pairwise([*program.call.tolist(), len(path)])):
        level[row] = reached
        if at < len(path) and (after != at or roles[at] is Role.CHAIN_LOCK):
            reached = max(reached, reached_by.get(roles[at], TAKEN))
    return level


def _joined(parts: list[Program]) -> Program:
    joined = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Program)
        if f.name not in ("names", "entry_cycles")
    }
    names = tuple(name for part in parts for name in part.names)
    return Program(**joined, names=names, entry_cycles=0)
