"""What a cell gives beside hits: where the CPUs' time went, and what writers did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

PRIVATE_WORK = "private work"

CAUSES = ("dup_mmap_sem", "unregister", "program", "tracepoint")
"""Why a registration or unregistration waits for a grace period: an idle `dup_mmap_sem` is taken
for write; readers of what was taken off a list; a perf event's program, and its tracepoint."""


class Share(NamedTuple):
    """Time that all CPUs spent on one operation of the path at one distance, in ps.

    Private work is one share, with PRIVATE_WORK as its operation and nothing else.
    """

    function: str
    operation: str
    line: str
    distance: str
    ps: int


@dataclass(frozen=True)
class Latency:
    """Durations in integer picoseconds: how many, and their quantiles (of what was seen)."""

    count: int
    p50_ps: int
    p99_ps: int
    max_ps: int

    @classmethod
    def of(cls, durations_ps: Sequence[int]) -> Latency | None:
        """Of durations in picoseconds; None if there are none."""
        if not durations_ps:
            return None
        quantiles = np.quantile(durations_ps, (0.5, 0.99, 1.0), method="inverted_cdf")
        p50, p99, most = (int(q) for q in quantiles)
        return cls(len(durations_ps), p50, p99, most)


@dataclass(frozen=True)
class StressOutcome:
    """Latencies of attaching and detaching a link and of waiting for a grace period; from the begin
    of the first detach to the end of the last; how often a grace period was waited for, by cause
    (CAUSES); how many periods there were of the readers of uprobes; the most bytes that dead
    uprobes held at a time; probe firings in all, those that found no uprobe any more, and in how
    many windows; frees, periods and references that were checked. None where nothing happened.
    """

    attach: Latency | None
    detach: Latency | None
    grace: Latency | None
    detach_total_ps: int
    waits: Mapping[str, int]
    grace_periods: int
    unreaped_bytes: int
    firings: int
    missed: int
    windows: int
    checks: int
