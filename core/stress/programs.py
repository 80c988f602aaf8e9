"""Everything the CPUs of a cell with writers may execute, in one program, and what it means.

A call of a function runs one of many variants, by how many consumers it finds. How far a hit has
come follows from the operation its CPU is at: the levels below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.engine.program import Program, compile_path
from core.kernel.consumers import PREPARE, PROGRAMS, calls, with_consumers
from core.kernel.flavours import hot_path
from core.kernel.layout import Layout
from core.kernel.operation import Path
from core.kernel.patches import split_at_return
from core.kernel.rcu_flavours import READ_SIDES
from core.kernel.writers import STRETCHES, WORK_CYCLES
from core.workload import STRESS

TAKEN, ENTERED, FOUND, WALKING, WALKED, UNWALKED, LEFT = range(7)
"""How far a hit is: it has entered its read section; it knows its uprobe; it may be on the list of
consumers; it has called them; it is off the list; it has let go of the uprobe and its section."""

MOST_CONSUMERS = 12
"""Variants go up to so many consumers of either kind at most; more take as long as these."""

_LOCKS = {side.lock.function for side in READ_SIDES.values()}
_UNLOCKS = {side.unlock.function for side in READ_SIDES.values()}
_FINDS = ("rb_find", "rb_find_rcu")
_GETS = ("get_uprobe", "try_get_uprobe")
_DOWN_READ = "down_read(&uprobe->register_rwsem)"
_LEVELS = {
    **dict.fromkeys(_LOCKS, ENTERED),
    **dict.fromkeys((*_FINDS, *_GETS), FOUND),
    _DOWN_READ: WALKING,
    **dict.fromkeys((*PROGRAMS, PREPARE), WALKED),
    "up_read(&uprobe->register_rwsem)": UNWALKED,
    "put_uprobe": LEFT,
}
_MARKS = {*_LOCKS, *_UNLOCKS, PREPARE}


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
    flavour: str,
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
        levels.append(_level(program, is_return=_is_return(path)))
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


def _variant(bench: str, flavour: str, rcu: str, entry: int, at_return: int) -> tuple[Path, Path]:
    """What a call and its return do. The consumers of a bench are all of its own kind."""
    if bench == STRESS:
        return calls(flavour, rcu, entry, at_return)
    return split_at_return(with_consumers(hot_path(flavour, bench, rcu), max(entry, at_return)))


def _is_return(path: Path) -> bool:
    return bool(path) and split_at_return(path)[0] == ()


def _level(program: Program, *, is_return: bool) -> IntArray:
    """How far a hit is that has each operation before it.

    A call has done its part with its last operation, but down_read() with the first: it has the
    lock then. A lookup that takes a reference has found its uprobe when it has that.
    """
    level = np.zeros(len(program.kind), dtype=np.int64)
    functions = [function for function, _, _ in program.names]
    gets = any(function in _GETS for function in functions)
    reached = TAKEN
    for row, function in enumerate(functions):
        level[row] = reached
        goes_on = functions[row + 1 : row + 2] == [function] and function != _DOWN_READ
        if not goes_on and not (gets and function in _FINDS):
            reached = max(reached, _reached_by(function, is_return=is_return))
    return level


def _reached_by(function: str, *, is_return: bool) -> int:
    if function in _UNLOCKS:
        return UNWALKED if is_return else LEFT
    if is_return and function in ("put_uprobe (return instance)", "hprobe_consume"):
        return LEFT
    return _LEVELS.get(function, TAKEN)


def _joined(parts: list[Program]) -> Program:
    joined = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Program)
        if f.name not in ("names", "entry_cycles")
    }
    names = tuple(name for part in parts for name in part.names)
    return Program(**joined, names=names, entry_cycles=0)
