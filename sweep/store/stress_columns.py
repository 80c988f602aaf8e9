"""The columns of what came of a cell's workload."""

from __future__ import annotations

from typing import Any

from core.cell import PS_PER_SECOND
from core.outcome import CAUSES, Latency, StressOutcome

LATENCIES = ("attach", "detach", "grace")
"""What is timed: attaching and detaching a link, waiting for a grace period."""

QUANTILES = ("p50", "p99", "max")

COUNTS = ("attaches", "detaches", "grace_waits", "grace_periods", "unreaped_bytes", "missed")
"""Columns of whole numbers: links attached and detached, waits for grace periods and how many
there were, the most bytes that dead uprobes held, hits that found no uprobe any more."""

WAITS = tuple(f"{cause}_waits" for cause in CAUSES)
"""How often a grace period was waited for, by cause; `detach_total_s` is from the begin of the
first detach to the end of the last."""

TIMED = {what: {q: f"{what}_{q}_s" for q in QUANTILES} for what in LATENCIES}
"""The columns of the quantiles of what is timed."""

SECONDS = tuple(column for columns in TIMED.values() for column in columns.values())
"""Columns of simulated seconds; null where nothing was timed."""


def columns(outcome: StressOutcome | None) -> dict[str, Any]:
    """A value for each of COUNTS and SECONDS; all null without a workload."""
    if outcome is None:
        return dict.fromkeys((*COUNTS, *WAITS, *SECONDS, "detach_total_s"))
    timed = {what: getattr(outcome, what) for what in LATENCIES}
    counted = {what: latency.count if latency else 0 for what, latency in timed.items()}
    return {
        "attaches": counted["attach"],
        "detaches": counted["detach"],
        "grace_waits": counted["grace"],
        "grace_periods": outcome.grace_periods,
        "unreaped_bytes": outcome.unreaped_bytes,
        "missed": outcome.missed,
        **{f"{cause}_waits": outcome.waits.get(cause, 0) for cause in CAUSES},
        "detach_total_s": outcome.detach_total_ps / PS_PER_SECOND,
        **{
            column: _seconds(timed[what], quantile)
            for what, columns in TIMED.items()
            for quantile, column in columns.items()
        },
    }


def _seconds(latency: Latency | None, quantile: str) -> float | None:
    return None if latency is None else float(getattr(latency, f"{quantile}_ps")) / PS_PER_SECOND
