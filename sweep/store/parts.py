"""The Parquet files of a run's tables, read whole and checked: what is odd is refused by name."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.errors import UsageError
from sweep.store.checked import BY_ROW, CHECKED, odd
from sweep.store.failures import FAILURE_SCHEMA, FAILURE_VERSION
from sweep.store.folder import ATTRIBUTION, CELLS, FAILURES, Folder
from sweep.store.schema import (
    ATTRIBUTION_SCHEMA,
    ATTRIBUTION_VERSION,
    COLUMNS,
    POOLED,
    RETYPED,
    SCHEMA,
    SCHEMA_VERSION,
    SHARE_KEY,
)

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"PAR1"
"""Ends every whole Parquet file; one that was cut short lacks it."""


@dataclass(frozen=True)
class Table:
    """What the files of a table have; rows that agree in `key` are the same but for who wrote them.

    No number of any table is negative, NaN or infinite.
    """

    schema: pa.Schema
    version: int
    key: tuple[str, ...] = ()


KINDS = {
    CELLS: Table(SCHEMA, SCHEMA_VERSION, ("cell_id",)),
    ATTRIBUTION: Table(ATTRIBUTION_SCHEMA, ATTRIBUTION_VERSION, tuple(SHARE_KEY)),
    FAILURES: Table(FAILURE_SCHEMA, FAILURE_VERSION),
}

LATER = {column.name for column in COLUMNS if column.since > 1}
"""Columns that files of earlier versions lack."""


def is_whole(folder: Folder, name: str) -> bool:
    """Whether a file is there and was not cut short."""
    return folder.ending(name, len(MAGIC)) == MAGIC


def read_part(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
    """The columns of a file that it has, all by default; None if the file is gone.

    Raises UsageError, naming the file, for what is no Parquet file of its table: another type of a
    column or none, a version that is not known yet, what `checked.odd` names, or
    two rows of one cell that differ.
    """
    content = folder.read(name)
    if content is None:
        return None
    table = name.partition("/")[0]
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        _refuse_schema(file.schema_arrow, table)
        found = file.read()
        _refuse_values(found, table)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{folder.uri(name)} holds no {table}, move it away: {reason}") from None
    return found if columns is None else found.select(_there(found, columns))


def read_parts(
    folder: Folder, table: str, columns: Sequence[str] | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """All files of a table by name, while others write or compact it; rows may be there twice.

    What is removed meanwhile has been written elsewhere before, so files are listed again until no
    new one turns up. Raises as `read_part`, and for two files with other rates of one cell.
    """
    seen: set[str] = set()
    rates: dict[str, tuple[float, str]] = {}
    while new := [name for name in folder.parts(table) if name not in seen]:
        for name in new:
            seen.add(name)
            part = read_part(folder, name)
            if part is None:
                continue
            if table == CELLS:
                _refuse_other_rates(folder, name, part, rates)
            yield name, part if columns is None else part.select(_there(part, columns))


def _there(part: pa.Table, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in part.schema.names]


def _refuse_other_rates(
    folder: Folder, name: str, part: pa.Table, rates: dict[str, tuple[float, str]]
) -> None:
    cells = zip(part["cell_id"].to_pylist(), part["hits_per_s"].to_pylist(), strict=True)
    for cell, rate in cells:
        known, other = rates.setdefault(cell, (rate, name))
        if known != rate:
            raise UsageError(
                f"{folder.uri(other)} and {folder.uri(name)} differ in cell {cell}, {known:g} and "
                f"{rate:g} hits/s: move one of them away"
            )


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
    for field in found.schema:
        column, name = found[field.name], field.name
        required = name in kind.schema.names and not kind.schema.field(name).nullable
        if required and column.null_count:
            raise ValueError(f"its column {name} has rows without a value")
        if pa.types.is_floating(field.type) and pc.all(pc.is_finite(column)).as_py() is False:
            raise ValueError(f"its column {name} has values that are no numbers")
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            least = pc.min(column).as_py()
            if least is not None and least < 0:
                raise ValueError(f"its column {name} has {least}")
    looked_at = [name for name in CHECKED if name in found.schema.names]
    if said := odd(
        {n: (found[n] if n in BY_ROW else pc.unique(found[n])).to_pylist() for n in looked_at}
    ):
        raise ValueError(said)
    if kind.key and (twice := _differing(found, kind)):
        raise ValueError(f"it has two rows of {' '.join(kind.key)} {twice} that differ")


def _differing(found: pa.Table, kind: Table) -> str | None:
    """The key of two rows that differ in more than who wrote them; None if there are none."""
    key = list(kind.key)
    distinct = found[key[0]].unique() if len(key) == 1 else found.group_by(key).aggregate([])
    if len(distinct) == len(found):
        return None
    told = [name for name in found.schema.names if name not in POOLED or name in key]
    rows = Counter(
        tuple(row.values()) for row in found.group_by(told).aggregate([]).select(key).to_pylist()
    )
    worst, count = rows.most_common(1)[0]
    return " ".join(worst) if count > 1 else None
