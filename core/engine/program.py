"""A hot path compiled to arrays: what the weave executes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Kind, Line, Lock, Path, Role

END = len(Kind)
"""Kind of the pseudo-operation that completes a hit."""


@dataclass(frozen=True)
class Program:
    """Operations of one hit, in order, END last. Arrays have a row per operation.

    `kind`: Kind or END; `cycles`: private work right before it, core cycles (0 for the first, whose
    work is `entry_cycles` and drawn hit by hit); `reference_count`: it writes a reference count;
    `line`: the line it touches if the hit finds probe 0 in process 0, or NOWHERE; `step` and
    `stride`: what to add for every further probe and process, 0 if all share it; `ancestor`: which
    ancestor's line it touches instead, a column of `Probes.walk`, and not at all where that is
    NOWHERE; -1 if none;
    `call`: place of its call in the path (END's is after the last); `names`: kernel function, kind
    and line of each, as words; `lock` and `sleeps`: what it does to its line's lock.
    """

    kind: IntArray
    cycles: IntArray
    reference_count: NDArray[np.bool_]
    line: IntArray
    step: IntArray
    stride: IntArray
    ancestor: IntArray
    lock: IntArray
    sleeps: NDArray[np.bool_]
    call: IntArray
    names: tuple[tuple[str, str, str], ...]
    entry_cycles: int


def compile_path(
    path: Path,
    layout: Layout,
    work_cycles: Mapping[str, int],
    *,
    writers: bool = False,
    marks: Container[Role] = (),
) -> Program:
    """`path` for the lines of `layout`, its named private work taken from `work_cycles`.

    Without `writers` nobody can find a lock taken, and locks are left out. A call whose role is in
    `marks` and that does private work only gets a Kind.MARK right after it. Raises KeyError for
    work that has no entry in `work_cycles`.
    """
    kinds: list[int] = []
    cycles: list[int] = []
    refs: list[bool] = []
    lines: list[int] = []
    steps: list[int] = []
    strides: list[int] = []
    ancestors: list[int] = []
    names: list[tuple[str, str, str]] = []
    locks: list[int] = []
    sleeps: list[bool] = []
    places: list[int] = []
    place = pending = 0

    def emit(
        kind: int,
        line: int,
        function: str,
        name: str = "",
        ref: bool = False,
        step: int = 0,
        stride: int = 0,
        ancestor: int = -1,
        lock: int = Lock.NONE,
        sleeping: bool = False,
    ) -> None:
        nonlocal pending
        kinds.append(kind)
        cycles.append(pending)
        refs.append(ref)
        lines.append(line)
        steps.append(step)
        strides.append(stride)
        ancestors.append(ancestor)
        locks.append(lock if writers else Lock.NONE)
        sleeps.append(sleeping)
        places.append(place)
        names.append((function, "" if kind == END else Kind(kind).name.lower(), name))
        pending = 0

    for place, call in enumerate(path):  # noqa: B007 - emit() reads it
        for op in call.operations:
            if op.kind is Kind.WORK:
                pending += work_cycles[op.work] if op.cycles is None else op.cycles
            elif op.ancestors:
                for ancestor in range(layout.depth):
                    emit(op.kind, NOWHERE, call.function, Line.UPROBE.value, ancestor=ancestor)
            elif op.line is None:
                emit(op.kind, NOWHERE, call.function)
            else:
                emit(
                    op.kind,
                    layout.first(op.line),
                    call.function,
                    op.line.value,
                    ref=op.reference_count,
                    step=layout.step(op.line),
                    stride=layout.stride(op.line),
                    lock=op.lock,
                    sleeping=op.sleeps,
                )
        if call.role in marks and all(op.kind is Kind.WORK for op in call.operations):
            emit(Kind.MARK, NOWHERE, call.function)
    place = len(path)
    emit(END, NOWHERE, "")
    entry_cycles, cycles[0] = cycles[0], 0
    return Program(
        np.array(kinds, dtype=np.int64),
        np.array(cycles, dtype=np.int64),
        np.array(refs, dtype=np.bool_),
        np.array(lines, dtype=np.int64),
        np.array(steps, dtype=np.int64),
        np.array(strides, dtype=np.int64),
        np.array(ancestors, dtype=np.int64),
        np.array(locks, dtype=np.int64),
        np.array(sleeps, dtype=np.bool_),
        np.array(places, dtype=np.int64),
        tuple(names),
        entry_cycles,
    )
