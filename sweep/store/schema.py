"""The columns of a run's Parquet files: cells, and where the time of each went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyarrow as pa

from core import MODEL_VERSION
from core.cell import PS_PER_SECOND, Cell, CellResult
from core.outcome import Share
from sweep.spec.axes import AXES, Axis
from sweep.spec.parameters import parameters
from sweep.store.stress_columns import COUNTS, SECONDS, WAITS, columns

ATTRIBUTION_VERSION = 1
"""The same, for the columns of ATTRIBUTION_SCHEMA."""

TIMES = ("warmup", "duration", "sample")
"""Simulated times that a cell has: `_ps` in a Cell, `_s` in a row."""

NO_MODEL = "none"
"""In place of a model version: nothing was simulated."""

Row = dict[str, Any]
"""A value for every column: of SCHEMA one finished cell, of ATTRIBUTION_SCHEMA one share."""


class Role(Enum):
    """What a column is to rows that are put together."""

    KEY = "tells rows apart: rows that differ in it are never averaged"
    PATH = "follows from bench, flavour and kernel: tells rows apart that agree in all else"
    FIGURE = "what came out: averaged over rows that agree in every key"
    POOLED = "names one row of those that are averaged: repeats, ids, what writing it took"


@dataclass(frozen=True)
class Column:
    """A column of SCHEMA. Files of schema versions before `since` lack it and are read as `before`.

    A column is a key unless it says otherwise, so that a forgotten one splits rows. A `digest`, or
    what reads like one, is shown only where nothing else tells rows apart.
    """

    name: str
    type: pa.DataType
    role: Role = Role.KEY
    nullable: bool = False
    since: int = 1
    before: Any = None
    retyped: int = 0
    digest: bool = False


SIMULATED, LIVE, LOG = SOURCES = ("simulated", "live", "log")

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
_TYPES = {str: _TEXT, int: _WHOLE, bool: pa.bool_()}

MEASURED = (
    Column("source", _TEXT, nullable=True, since=3, before=SIMULATED),
    Column("kernel", _TEXT, nullable=True, since=3),
    Column("cpu_model", _TEXT, nullable=True, since=3, digest=True),
    Column("topology", _TEXT, nullable=True, since=3, digest=True),
    Column("attach", _TEXT, Role.PATH, nullable=True, since=3),
    Column("nop_bytes", _WHOLE, Role.PATH, nullable=True, since=3),
    Column("cpu_share", _REAL, Role.FIGURE, nullable=True, since=3),
)
"""Columns of where a row's figures come from, nullable: all but `source` are null if simulated.

`source` is one of SOURCES; `kernel` a release; `attach` what the probe hung on (bpf, perf, multi);
`nop_bytes` the length of the probed nop, 1 for any other instruction; `cpu_share` how much of the
samples' time the threads had their CPUs, 1 if nothing else ran there, null for a log.
"""

UNSHARED = 0.97
"""The least `cpu_share` of an undisturbed row: figures of one below are too low."""


def _column(name: str, axis: Axis) -> Column:
    role = Role.POOLED if name == "seed" else Role.KEY
    before = axis.default if axis.before is None else axis.before
    kind = _TYPES[axis.type]
    return Column(name, kind, role, since=axis.since, before=before, retyped=axis.retyped)


CELL = (
    Column("cell_id", _TEXT, Role.POOLED),
    Column("run_id", _TEXT, Role.POOLED),
    *(_column(name, axis) for name, axis in AXES.items()),
    Column("machine_digest", _TEXT, digest=True),
    Column("path_digest", _TEXT, Role.PATH, nullable=True, since=4, digest=True),
    Column("replicate", _WHOLE, Role.POOLED),
    Column("ensemble", _WHOLE, since=2, before=0),
    Column("warmup_s", _REAL),
    Column("duration_s", _REAL),
    Column("sample_s", _REAL),
    Column("precision", _REAL, nullable=True, since=5),
    Column("model_version", _TEXT),
)
"""Columns of what a cell is, in the table of failures too. Seeds are repeats, as replicates are.

`path_digest` is null of what was measured, and in files before schema version 4. It follows from
bench, flavour and other axes as long as the tree stays the same: rows that agree in these and
differ in it are of two trees, or of two designs of one name.
"""

COLUMNS = (
    *CELL,
    Column("hits", _WHOLE, Role.FIGURE),
    Column("sim_seconds", _REAL, Role.FIGURE),
    Column("hits_per_s", _REAL, Role.FIGURE),
    Column("hits_per_s_stddev", _REAL, Role.FIGURE),
    Column("hits_per_s_per_cpu", _REAL, Role.FIGURE),
    Column("predicted_low", _REAL, Role.FIGURE, nullable=True),
    Column("predicted_high", _REAL, Role.FIGURE, nullable=True),
    Column("state_low", _REAL, Role.FIGURE, nullable=True, since=5),
    Column("state_high", _REAL, Role.FIGURE, nullable=True, since=5),
    Column("samples", _WHOLE, Role.FIGURE),
    Column("half_width", _REAL, Role.FIGURE, nullable=True, since=5),
    *(Column(name, _WHOLE, Role.FIGURE, nullable=True, since=3) for name in COUNTS),
    *(Column(name, _REAL, Role.FIGURE, nullable=True, since=3) for name in SECONDS),
    *(Column(name, _WHOLE, Role.FIGURE, nullable=True, since=4) for name in WAITS),
    Column("detach_total_s", _REAL, Role.FIGURE, nullable=True, since=4),
    Column("line_ops", _WHOLE, Role.FIGURE),
    Column("wall_seconds", _REAL, Role.POOLED),
    *MEASURED,
    Column("schema_version", _WHOLE, Role.POOLED),
)
"""Every column, in the order of SCHEMA.

`warmup_s`, `duration_s`, `sample_s` and `sim_seconds` (what the samples cover) are simulated,
`wall_seconds` is the engine's own wall time. Rates are hits per simulated second of all CPUs
(`_per_cpu`: of one), mean and sample standard deviation over `samples`; `hits` are those of all
samples. With a `precision`, two samples are from each of some starts, each after a warm-up;
`duration_s` is the most, the deviation that within starts, and `half_width` that of the 95 %
interval of the mean over starts, as a share of it; null otherwise. `predicted_low` and
`predicted_high`, hits per second, are the ends of the 90 % interval that `ensemble` members give;
null without one. `state_low` and `state_high` are the rates of the two states that a cell falls
into by how its CPUs start, null where its starts or ensemble show no two; the rate, samples and
attribution of a cell that depends on that are those of as many starts as there are members. What
comes of a workload is null where nothing disturbs the hits. `line_ops` are operations on shared
lines that the weave served, warm-up included.
"""

BY_NAME = {column.name: column for column in COLUMNS}

SCHEMA_VERSION = max(max(column.since, column.retyped) for column in COLUMNS)
"""Of rows that are written now: that of the latest column."""

FIGURES = frozenset(column.name for column in COLUMNS if column.role is Role.FIGURE)
"""Columns that are averaged."""

POOLED = frozenset(column.name for column in COLUMNS if column.role is Role.POOLED)
"""Columns in which rows of one average differ. All that are neither of these are keys."""


def schema_of(columns: Iterable[Column]) -> pa.Schema:
    """The schema of a file with these columns."""
    return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in columns])


SCHEMA = schema_of(COLUMNS)
"""Every file has these columns, in this order."""

BEFORE = {c.name: c.before for c in COLUMNS if c.since > 1 and c.before is not None}
"""What files that lack these columns were made with; other columns that they lack are null."""

RETYPED = tuple(c.name for c in COLUMNS if c.retyped)
"""Columns that older files hold as another type, which is cast."""

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


def cell_columns(cell: Cell, run_id: str) -> Row:
    """A value for each column of CELL."""
    named = parameters(cell)
    times = {f"{name}_s": named[f"{name}_ps"] / PS_PER_SECOND for name in TIMES}
    found = {
        **named,
        **times,
        "run_id": run_id,
        "machine_digest": cell.machine.digest,
        "model_version": MODEL_VERSION,
    }
    return {column.name: found[column.name] for column in CELL}


def row(cell: Cell, result: CellResult, run_id: str) -> Row:
    """The row of a finished cell."""
    return {
        **dict.fromkeys(SCHEMA.names),
        **cell_columns(cell, run_id),
        "cell_id": result.cell_id,
        "hits": result.hits,
        "sim_seconds": result.sim_seconds,
        "hits_per_s": result.hits_per_s,
        "hits_per_s_stddev": result.hits_per_s_stddev,
        "hits_per_s_per_cpu": result.hits_per_s / max(cell.cpus, 1),
        "predicted_low": result.predicted_low,
        "predicted_high": result.predicted_high,
        "state_low": result.states and result.states.low,
        "state_high": result.states and result.states.high,
        "samples": len(result.hits_per_sample),
        "half_width": result.half_width,
        **columns(result.stress),
        "line_ops": int(result.line_ops),
        "wall_seconds": float(result.wall_seconds),
        "source": SIMULATED,
        "schema_version": SCHEMA_VERSION,
    }


def measured_row(source: str, cpus: int, hits_per_s: float, **known: Any) -> Row:
    """The row of a measurement, of which `known` is what it says beside the rate of all CPUs.

    Axes that measurements do not have are at their defaults; counts and times not known are 0.
    """
    return {
        **dict.fromkeys(SCHEMA.names),
        **{name: axis.default for name, axis in AXES.items()},
        **{
            c.name: 0
            for c in COLUMNS
            if c.type in (_WHOLE, _REAL) and c.name not in AXES and not c.nullable
        },
        "cpus": cpus,
        "hits_per_s": hits_per_s,
        "hits_per_s_per_cpu": hits_per_s / cpus,
        "model_version": NO_MODEL,
        "source": source,
        **known,
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
