"""How long an operation takes each of some threads, from short windows that nobody disturbed."""

from __future__ import annotations

import mmap
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sweep.live.callers import LINES, Callers
from sweep.live.code import Mapping, function
from sweep.live.loops import Loop

WINDOW_S = 0.01
FEWEST = 8
"""Undisturbed windows that there have to be on every line, if PATIENCE times as long is enough."""
PATIENCE = 4
LINES_TIMED = PARTS = 8
UNDISTURBED = 0.985
"""Share of a window that every thread has to have had its CPU for. What a hypervisor takes away is
not seen."""

Window = tuple[float, float]
"""Nanoseconds of an operation, and the least share of its CPU that a thread had."""


@dataclass(frozen=True)
class Timing:
    """Nanoseconds of one operation in one thread: the median over windows.

    `low` and `high` are the least and the greatest median of PARTS successive parts of the windows.
    `undisturbed` of the `windows` were used: those with every thread on its CPU all the time, or
    the best tenth if there were fewer than that.
    """

    ns: float
    low: float
    high: float
    windows: int
    undisturbed: int


def of_loop(loop: Loop, cpus: Sequence[int], seconds: float) -> Timing:
    """Time an operation of `loop` with a thread on each of `cpus`.

    Several threads meet on LINES_TIMED lines, one after another: how long a line takes depends on
    where its home is, which follows from its address.
    """
    found: list[Window] = []
    lines = LINES_TIMED if len(cpus) > 1 else 1
    with _mapped(loop.code) as at:
        for line in range(lines):
            with Callers(function(at), cpus, line * LINES // lines) as callers:
                found += _windows(callers, seconds / lines, loop.operations)
    return from_windows(found)


def of_callers(callers: Callers, seconds: float) -> Timing:
    """Time the calls of running threads."""
    return from_windows(_windows(callers, seconds, 1))


def _windows(callers: Callers, seconds: float, operations: int) -> list[Window]:
    """Windows for `seconds`, and then until enough of them are undisturbed, or patience ends."""
    time.sleep(WINDOW_S)
    least = max(FEWEST, round(seconds / WINDOW_S))
    found: list[Window] = []
    for number in range(PATIENCE * least):
        undisturbed = sum(share >= UNDISTURBED for _, share in found)
        if number >= least and undisturbed >= FEWEST:
            break
        found.append(_window(callers, operations))
    return found


def from_windows(windows: Sequence[Window]) -> Timing:
    """The timing from windows, in the order of time.

    Nothing at all done in a window is infinitely many ns, and never used if there is another.
    """
    finite = [window for window in windows if window[0] < float("inf")] or list(windows)
    kept = [ns for ns, share in finite if share >= UNDISTURBED]
    fewest = max(3, len(finite) // 10)
    if len(kept) < fewest:
        least_share = sorted((share for _, share in finite), reverse=True)[:fewest][-1]
        kept = [ns for ns, share in finite if share >= least_share]
    ends = np.linspace(0, len(kept), min(PARTS, len(kept)) + 1).astype(int)
    parts = [statistics.median(kept[a:b]) for a, b in pairwise(ends.tolist())]
    return Timing(statistics.median(kept), min(parts), max(parts), len(windows), len(kept))


def _window(callers: Callers, operations: int) -> Window:
    cpu, calls, began = callers.cpu_seconds(), callers.calls(), time.perf_counter()
    time.sleep(WINDOW_S)
    done, now = callers.calls() - calls, time.perf_counter()
    busy = [b - a for a, b in zip(cpu, callers.cpu_seconds(), strict=True)]
    # Of the threads' own time: for operations that need no other thread, no window is disturbed.
    ns = 1e9 * sum(busy) / (done * operations) if done else float("inf")
    return ns, min(busy) / (now - began)


@contextmanager
def _mapped(code: bytes) -> Iterator[int]:
    """Code in a file of ours, mapped; its address."""
    fd = os.memfd_create("uprobe-sweep-loop")
    try:
        os.write(fd, code.ljust(mmap.PAGESIZE, b"\xcc"))
        mapping = Mapping(fd)
    finally:
        os.close(fd)
    try:
        yield mapping.at
    finally:
        mapping.close()
