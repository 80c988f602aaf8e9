"""The columns of a run's Parquet files: cells, and where the time of each went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from core import MODEL_VERSION
from core.cell import PS_PER_SECOND, Cell, CellResult
from core.outcome import Share
from sweep.spec.churn import COUNTS, DEFAULTS, SECONDS, axes, columns

SCHEMA_VERSION = 3
"""Raised whenever a column is added, dropped or means something else."""

ATTRIBUTION_VERSION = 1
"""The same, for the columns of ATTRIBUTION_SCHEMA."""

Row = dict[str, Any]
"""A value for every column: of SCHEMA one finished cell, of ATTRIBUTION_SCHEMA one share."""

MEASURED = {
    "source": pa.string(),
    "kernel": pa.string(),
    "cpu_model": pa.string(),
    "topology": pa.string(),
    "attach": pa.string(),
    "nop_bytes": pa.int64(),
    "cpu_share": pa.float64(),
}
"""Columns of where a row's figures come from, nullable: all but `source` are null if simulated.

`source` is one of SOURCES; `kernel` a release; `attach` what the probe hung on (bpf, perf, multi);
`nop_bytes` the length of the probed nop, 1 for any other instruction; `cpu_share` how much of the
samples' time the threads had their CPUs, 1 if nothing else ran there, null for a log.
"""

NULLABLE = frozenset({"predicted_low", "predicted_high", *MEASURED, *COUNTS, *SECONDS})
"""Columns without a value where there is nothing to say."""

SIMULATED, LIVE, LOG = SOURCES = ("simulated", "live", "log")

SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=name in NULLABLE)
        for name, kind in {
            "cell_id": pa.string(),
            "run_id": pa.string(),
            "bench": pa.string(),
            "flavour": pa.string(),
            "rcu": pa.string(),
            "owner_beside_count": pa.bool_(),
            "cpus": pa.int64(),
            "probes": pa.int64(),
            "processes": pa.int64(),
            "spread": pa.string(),
            **dict.fromkeys(DEFAULTS, pa.int64()),
            "machine": pa.string(),
            "machine_digest": pa.string(),
            "seed": pa.int64(),
            "replicate": pa.int64(),
            "ensemble": pa.int64(),
            "warmup_s": pa.float64(),
            "duration_s": pa.float64(),
            "sample_s": pa.float64(),
            "hits": pa.int64(),
            "sim_seconds": pa.float64(),
            "hits_per_s": pa.float64(),
            "hits_per_s_stddev": pa.float64(),
            "hits_per_s_per_cpu": pa.float64(),
            "predicted_low": pa.float64(),
            "predicted_high": pa.float64(),
            "samples": pa.int64(),
            **dict.fromkeys(COUNTS, pa.int64()),
            **dict.fromkeys(SECONDS, pa.float64()),
            "line_ops": pa.int64(),
            "wall_seconds": pa.float64(),
            "model_version": pa.string(),
            **MEASURED,
            "schema_version": pa.int64(),
        }.items()
    ]
)
"""Every file has these columns, in this order.

`warmup_s`, `duration_s`, `sample_s` and `sim_seconds` (what the samples cover) are simulated,
`wall_seconds` is the engine's own wall time. Rates are hits per simulated second of all CPUs
(`_per_cpu`: of one), mean and sample standard deviation over `samples`; `hits` are those of all
samples. `predicted_low` and `predicted_high`, hits per second, are the ends of the 90 % interval
that `ensemble` members give; null without one. The axes of a workload and what comes of it are in
`sweep.spec.churn`; the latter is null where there are no writers. `line_ops` are operations on
shared lines that the weave served, warm-up included.
"""

ATTRIBUTION_SCHEMA = pa.schema(
    [
        pa.field("cell_id", pa.string(), nullable=False),
        pa.field("function", pa.string(), nullable=False),
        pa.field("operation", pa.string(), nullable=False),
        pa.field("line", pa.string(), nullable=False),
        pa.field("distance", pa.string(), nullable=False),
        pa.field("ps", pa.int64(), nullable=False),
        pa.field("ns_per_hit", pa.float64()),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("schema_version", pa.int64(), nullable=False),
    ]
)
"""Every file of shares has these columns, in this order.

The first five tell shares apart, see `core.engine.shares.Share`: `line` is "" for a line of
the CPU's own, `function`, `line` and `distance` for private work. `ps` is the time of all CPUs in
all samples, which sums to cpus x samples x sample over a cell; `ns_per_hit` is that time for each
hit, null in a cell without one, and `share` for each of the CPUs' picoseconds.
"""

SHARE_KEY = ATTRIBUTION_SCHEMA.names[:5]

BEFORE_2 = {"rcu": "default", "owner_beside_count": False, "processes": 1, "ensemble": 0}
"""What files of schema version 1, which lack these columns, were simulated with."""

BEFORE_3 = {"source": SIMULATED, **DEFAULTS}
"""The same for files of versions 1 and 2."""


def row(cell: Cell, result: CellResult, run_id: str) -> Row:
    """The row of a finished cell."""
    return {
        "cell_id": result.cell_id,
        "run_id": run_id,
        "bench": cell.bench,
        "flavour": cell.flavour,
        "rcu": cell.rcu,
        "owner_beside_count": cell.owner_beside_count,
        "cpus": cell.cpus,
        "probes": cell.probes,
        "processes": cell.processes,
        "spread": cell.spread,
        **axes(cell.workload),
        "machine": cell.machine.name,
        "machine_digest": cell.machine.digest,
        "seed": cell.seed,
        "replicate": cell.replicate,
        "ensemble": cell.ensemble,
        "warmup_s": cell.warmup_ps / PS_PER_SECOND,
        "duration_s": cell.duration_ps / PS_PER_SECOND,
        "sample_s": cell.sample_ps / PS_PER_SECOND,
        "hits": result.hits,
        "sim_seconds": result.sim_seconds,
        "hits_per_s": result.hits_per_s,
        "hits_per_s_stddev": result.hits_per_s_stddev,
        "hits_per_s_per_cpu": result.hits_per_s / max(cell.cpus, 1),
        "predicted_low": result.predicted_low,
        "predicted_high": result.predicted_high,
        "samples": len(result.hits_per_sample),
        **columns(result.stress),
        "line_ops": int(result.line_ops),
        "wall_seconds": float(result.wall_seconds),
        "model_version": MODEL_VERSION,
        **dict.fromkeys(MEASURED),
        "source": SIMULATED,
        "schema_version": SCHEMA_VERSION,
    }


def share_rows(cell: Row, shares: Iterable[Share]) -> Iterator[Row]:
    """The rows of a cell's shares; `cell` is its own row."""
    shares = tuple(shares)
    whole = sum(share.ps for share in shares)
    for share in shares:
        yield {
            "cell_id": cell["cell_id"],
            **share._asdict(),
            "ns_per_hit": share.ps / (1000 * cell["hits"]) if cell["hits"] else None,
            "share": share.ps / whole,
            "schema_version": ATTRIBUTION_VERSION,
        }
