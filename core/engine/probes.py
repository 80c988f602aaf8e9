"""Lines of probes, laid out when a probe is first hit, one probe after the other. Compiled.

A cell may hit few of very many probes; what it touches then lies together. Probes are in a tree
that is taken as perfectly balanced: who looks for one walks down from the root by halves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.compiled import at, compiled, inlined
from core.engine.program import Program
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Line


class Probes(NamedTuple):
    """Where what each probe has for itself is.

    `slot`, shape (probes,), is which of those laid out it is, NOWHERE if it is not; `walk`, shape
    (probes, depth), by slot, has the lines that a walk reads before it finds the probe, NOWHERE
    behind the last. `first` are the lines of slot 0 that the program touches, `uprobe` the one that
    a walk reads. `laid_out`, shape (1,), is how many are; `idle`, shape (1,), a line at rest.
    """

    slot: NDArray[np.int32]
    walk: NDArray[np.int32]
    first: NDArray[np.int64]
    uprobe: int
    laid_out: NDArray[np.int64]
    idle: NDArray[np.void]


def no_probes(layout: Layout, program: Program, idle: NDArray[np.void]) -> Probes:
    """None laid out yet; `idle` is a record of a line."""
    uprobe = layout.first(Line.UPROBE)
    first = np.union1d(program.line[program.step > 0], [uprobe])
    slot = np.full(layout.probes, NOWHERE, dtype=np.int32)
    walk = np.empty((layout.probes, layout.depth), dtype=np.int32)
    return Probes(slot, walk, first, uprobe, np.zeros(1, dtype=np.int64), idle)


@inlined
def slot_of(probes: Probes, lines: NDArray[np.void], probe: int) -> int:
    """Which of those laid out a probe is, with all that it is found through."""
    if probes.slot[at(probe)] == NOWHERE:
        lay_out(probes, lines, probe, False)
    return int(probes.slot[at(probe)])


@compiled
def lay_out(probes: Probes, lines: NDArray[np.void], probe: int, in_order: bool) -> None:
    """Lay out what is not yet on the way from the tree's root to a probe.

    `in_order`: each probe at its own number, for which it has to be so for all.
    """
    low, high, depth = 0, probes.slot.size - 1, 0
    above = NOWHERE
    while True:
        middle = (low + high) // 2
        slot = probes.slot[middle]
        if slot == NOWHERE:
            slot = middle if in_order else probes.laid_out[0]
            probes.slot[middle] = slot
            probes.laid_out[0] += 1
            for first in probes.first:
                lines[first + slot] = probes.idle[0]
            for level in range(probes.walk.shape[1]):
                probes.walk[slot, level] = probes.walk[above, level] if depth > 0 else NOWHERE
            if depth > 0:
                probes.walk[slot, depth - 1] = probes.uprobe + above
        if middle == probe:
            return
        above = slot
        depth += 1
        if probe > middle:
            low = middle + 1
        else:
            high = middle - 1


def lay_out_in_order(probes: Probes, lines: NDArray[np.void]) -> None:
    """Lay out all probes, each at its number: for who knows them by that."""
    for probe in range(len(probes.slot)):
        lay_out(probes, lines, probe, True)
