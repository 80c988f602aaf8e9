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
from sweep.live.loops import HandOff, Loop
from sweep.live.refused import BusyHostError

WINDOW_S = 0.01
FEWEST = 8
"""Undisturbed windows that there have to be. On every line windows are repeated until there are, or
until PATIENCE times as many were tried."""
PATIENCE = 4
LINES_TIMED = PARTS = 8
UNDISTURBED = 0.985
"""Share of a window that every thread has to have had its CPU for. What a hypervisor takes away is
not seen."""

Window = tuple[float, float]
"""Nanoseconds of an operation, and the least share of its CPU that a thread had."""


@dataclass(frozen=True)
class Timing:
    """Nanoseconds of one operation in one thread: the median over windows, and over runs.

    `low` and `high` are the least and the greatest median of PARTS successive parts of the windows,
    of all `runs`, whose own medians these are: none for a single run. `undisturbed` of the
    `windows` were used: those with every thread on its CPU all the time.
    """

    ns: float
    low: float
    high: float
    windows: int
    undisturbed: int
    runs: tuple[float, ...] = ()

    @property
    def spread(self) -> float:
        """The range of the runs' medians, as a fraction of theirs; 0 for a single run."""
        return (max(self.runs) - min(self.runs)) / abs(self.ns) if self.runs and self.ns else 0.0


def pooled(timings: Sequence[Timing]) -> Timing:
    """One timing of several runs: the median of theirs, and the range that they span together."""
    return Timing(
        statistics.median(timing.ns for timing in timings),
        min(timing.low for timing in timings),
        max(timing.high for timing in timings),
        sum(timing.windows for timing in timings),
        sum(timing.undisturbed for timing in timings),
        tuple(timing.ns for timing in timings),
    )


def of_hand_off(kind: HandOff, cpus: tuple[int, int], seconds: float, what: str) -> Timing:
    """How much longer the operations last where the line comes from the other CPU.

    May come out below nought where that does not tell. Raises BusyHostError, naming `what`.
    """
    thread = 1 if kind.second else None
    shared, own = (of_loop(x, cpus, seconds, what, thread) for x in (kind.shared, kind.own))
    return Timing(
        shared.ns - own.ns,
        shared.low - own.high,
        shared.high - own.low,
        shared.windows + own.windows,
        shared.undisturbed + own.undisturbed,
    )


def of_loop(
    loop: Loop, cpus: Sequence[int], seconds: float, what: str, thread: int | None = None
) -> Timing:
    """Time an operation of `loop` with a thread on each of `cpus`; that of one `thread`, if given.

    Several threads meet on LINES_TIMED lines, one after another: how long a line takes depends on
    where its home is, which follows from its address. Raises BusyHostError, naming `what`.
    """
    found: list[Window] = []
    lines = LINES_TIMED if len(cpus) > 1 else 1
    with mapped(loop.code) as at:
        for line in range(lines):
            with Callers(function(at), cpus, line * LINES // lines) as callers:
                found += _windows(callers, seconds / lines, loop.operations, thread)
    return from_windows(found, what)


def of_callers(callers: Callers, seconds: float, what: str) -> Timing:
    """Time the calls of running threads. Raises BusyHostError, naming `what`."""
    return from_windows(_windows(callers, seconds, 1), what)


def _windows(
    callers: Callers, seconds: float, operations: int, thread: int | None = None
) -> list[Window]:
    """Windows for `seconds`, and then until enough of them are undisturbed, or patience ends."""
    time.sleep(WINDOW_S)
    least = max(FEWEST, round(seconds / WINDOW_S))
    found: list[Window] = []
    for number in range(PATIENCE * least):
        undisturbed = sum(share >= UNDISTURBED for _, share in found)
        if number >= least and undisturbed >= FEWEST:
            break
        found.append(_window(callers, operations, thread))
    return found


def from_windows(windows: Sequence[Window], what: str) -> Timing:
    """The timing from windows, in the order of time.

    A window in which a thread lost its CPU, or in which nothing at all was done, is never used.
    Raises BusyHostError, naming `what` was timed, if fewer than FEWEST are left.
    """
    kept = [ns for ns, share in windows if share >= UNDISTURBED and ns < float("inf")]
    if len(kept) < FEWEST:
        raise BusyHostError(
            f"this host is too busy to be measured now: {what}: its threads had their CPUs in "
            f"{len(kept)} of {len(windows)} windows, and {FEWEST} have to be undisturbed; stop "
            "what else runs here"
        )
    ends = np.linspace(0, len(kept), min(PARTS, len(kept)) + 1).astype(int)
    parts = [statistics.median(kept[a:b]) for a, b in pairwise(ends.tolist())]
    return Timing(statistics.median(kept), min(parts), max(parts), len(windows), len(kept))


def _window(callers: Callers, operations: int, thread: int | None) -> Window:
    cpu, calls, began = callers.cpu_seconds(), callers.calls_each(), time.perf_counter()
    time.sleep(WINDOW_S)
    after, now = callers.calls_each(), time.perf_counter()
    done = [b - a for a, b in zip(calls, after, strict=True)]
    busy = [b - a for a, b in zip(cpu, callers.cpu_seconds(), strict=True)]
    of = slice(None) if thread is None else slice(thread, thread + 1)
    # Of the threads' own time: for operations that need no other thread, no window is disturbed.
    counted = sum(done[of]) * operations
    ns = 1e9 * sum(busy[of]) / counted if counted else float("inf")
    return ns, min(busy) / (now - began)


@contextmanager
def mapped(code: bytes) -> Iterator[int]:
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
