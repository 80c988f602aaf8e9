"""The Parquet files of a run's tables, read whole and checked: what is odd is refused by name."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from core.kernel.bench import NAMED
from core.workload import STRESS
from sweep.errors import UsageError, nearest, quoted
from sweep.store.failures import FAILURE_SCHEMA, FAILURE_VERSION
from sweep.store.folder import ATTRIBUTION, CELLS, FAILURES, Folder
from sweep.store.schema import (
    ATTRIBUTION_SCHEMA,
    ATTRIBUTION_VERSION,
    COLUMNS,
    RETYPED,
    SCHEMA,
    SCHEMA_VERSION,
    SOURCES,
)

if TYPE_CHECKING:
    import polars as pl

BENCHES = (*NAMED, STRESS)
"""What cells of a run may have hit their probes with."""

MAGIC = b"PAR1"
"""Ends every whole Parquet file; one that was cut short lacks it."""


@dataclass(frozen=True)
class Table:
    """What the files of a table have; `rates` are columns that are never NaN or infinite.

    No number of any table is negative.
    """

    schema: pa.Schema
    version: int
    rates: tuple[str, ...] = ()


RATES = ("hits_per_s", "hits_per_s_stddev", "hits_per_s_per_cpu")
KINDS = {
    CELLS: Table(SCHEMA, SCHEMA_VERSION, RATES),
    ATTRIBUTION: Table(ATTRIBUTION_SCHEMA, ATTRIBUTION_VERSION),
    FAILURES: Table(FAILURE_SCHEMA, FAILURE_VERSION),
}
CHECKED = ("schema_version", "bench", "source", "cpus")
"""Columns that are looked at whichever are asked for, if there are such."""

LATER = {column.name for column in COLUMNS if column.since > 1}
"""Columns that files of earlier versions lack."""


def is_whole(folder: Folder, name: str) -> bool:
    """Whether a file is there and was not cut short."""
    return folder.ending(name, len(MAGIC)) == MAGIC


def read_part(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
    """The columns of a file that it has, all by default; None if the file is gone.

    Raises UsageError, naming the file, for what is no Parquet file of its table: another type of a
    column or none, a version that is not known yet, a rate that is none, an unknown bench.
    """
    content = folder.read(name)
    if content is None:
        return None
    table = name.partition("/")[0]
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        _refuse_schema(file.schema_arrow, table)
        needed = {*CHECKED, *KINDS[table].rates} & set(KINDS[table].schema.names)
        wanted = None if columns is None else [*columns, *(needed - set(columns))]
        found = file.read(columns=wanted)
        _refuse_values(found, table)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{folder.uri(name)} holds no {table}, move it away: {reason}") from None
    return (
        found if columns is None else found.select([c for c in columns if c in found.schema.names])
    )


def read_parts(
    folder: Folder, table: str, columns: Sequence[str] | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """All files of a table by name, while others write or compact it; rows may be there twice.

    What is removed meanwhile has been written elsewhere before, so files are listed again until no
    new one turns up. Raises as `read_part`.
    """
    seen: set[str] = set()
    while new := [name for name in folder.parts(table) if name not in seen]:
        for name in new:
            seen.add(name)
            part = read_part(folder, name, columns)
            if part is not None:
                yield name, part


def scan_parts(folder: Folder, table: str) -> pl.LazyFrame:
    """The rows of all files of a table, read when they are collected: see `read_parts`.

    Columns that earlier versions lack are null, and those of another type then are cast.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    schema = pl.DataFrame(KINDS[table].schema.empty_table()).schema

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> list[pl.DataFrame]:
        wanted = schema.names() if columns is None else columns
        types = {name: schema[name] for name in wanted}
        parts = [_typed(part, types) for _, part in read_parts(folder, table, wanted)]
        frame = pl.concat([pl.DataFrame(schema=types), *parts])
        frame = frame if predicate is None else frame.filter(predicate)
        return [frame if rows is None else frame.head(rows)]

    return register_io_source(lambda *asked: iter(frames(*asked)), schema=schema)


def _typed(part: pa.Table, types: dict[str, pl.DataType]) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame(part)
    there = set(frame.columns)
    return frame.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name)
        for name, kind in types.items()
    )


def _refuse_schema(schema: pa.Schema, table: str) -> None:
    for field in KINDS[table].schema:
        if field.name not in schema.names:
            if field.nullable or field.name in LATER:
                continue
            raise ValueError(f"it has no column {field.name}")
        kind = schema.field(field.name).type
        if not _alike(kind, field.type) and field.name not in RETYPED:
            raise ValueError(f"its column {field.name} is {kind}, not {field.type}")


def _alike(kind: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    return bool(kind.equals(wanted) or pa.types.is_null(kind))


def _refuse_values(found: pa.Table, table: str) -> None:
    # A run that begins reads none, and this takes as long to import as all of pyarrow besides.
    import pyarrow.compute as pc

    kind = KINDS[table]
    newest = pc.max(found["schema_version"]).as_py()
    if newest is not None and newest > kind.version:
        raise ValueError(
            f"it was written by a later version of this program: schema {newest}, known are up to "
            f"{kind.version}"
        )
    for name in kind.rates:
        if not pc.all(pc.is_finite(found[name]), skip_nulls=False).as_py() and len(found):
            raise ValueError(f"its column {name} has values that are no rates")
    for field in found.schema:
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            least = pc.min(found[field.name]).as_py()
            if least is not None and least < 0:
                raise ValueError(f"its column {field.name} has {least}")
    if table == CELLS:
        if "source" in found.schema.names:
            for source in pc.unique(found["source"]).to_pylist():
                if source not in (None, *SOURCES):
                    raise ValueError(f"unknown source {quoted(source)}: {nearest(source, SOURCES)}")
        for bench in pc.unique(found["bench"]).to_pylist():
            if bench not in BENCHES:
                raise ValueError(f"unknown bench {quoted(bench)}: {nearest(str(bench), BENCHES)}")
