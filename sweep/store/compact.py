"""Many small Parquet files of a run become few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from sweep.errors import UsageError
from sweep.store.folder import ATTRIBUTION, CELLS, FAILURES, RUN, TABLES, Folder, Location
from sweep.store.parts import is_whole, read_part
from sweep.store.place import folder_at
from sweep.store.scan import read_run, runs_at
from sweep.store.schema import SHARE_KEY
from sweep.store.store import Store, as_bytes, part_name

CELLS_PER_FILE = 10_000
"""What a compacted file holds, about."""

KEYS = {CELLS: ["cell_id"], ATTRIBUTION: SHARE_KEY, FAILURES: ["cell_id"]}
"""Columns that tell the rows of a table's file apart."""


@dataclass(frozen=True)
class Compacted:
    """How many Parquet files a run had, and has."""

    before: int
    after: int


class _Part(NamedTuple):
    """A file of a table: its kind is what it must share with others that it may become one with."""

    kind: str
    name: str
    rows: int


def compact(location: Location) -> Compacted:
    """Make few files of the many that the run at `location` has; `scan` gives the same rows.

    Files become one if their columns and provenance are the same, but for the date. The new file is
    there before the old ones go, so whatever breaks this off, no row is lost or doubled, and who
    reads meanwhile finds them all. Raises UsageError for no run, one that is being written, or a
    file that is no part of one.
    """
    folder = folder_at(location)
    if not folder.is_run():
        inside = runs_at(location)[0].location
        raise UsageError(f"{location} is a folder of runs; compact one of them, like {inside}")
    if not (about := read_run(location)):
        raise UsageError(f"{location} cannot be compacted: it has no {RUN}")
    with Store(location, about) as store:
        folder = store.folder
        before = _count(folder)
        _compact_table(folder, CELLS, (ATTRIBUTION, CELLS))
        _compact_table(folder, FAILURES, (FAILURES,))
        return Compacted(before, _count(folder))


def _count(folder: Folder) -> int:
    return sum(len(folder.parts(table)) for table in TABLES)


def _compact_table(folder: Folder, table: str, written: Iterable[str]) -> None:
    """Compact `table`, and with it, under the same names, the others of `written`, in that order.

    The old files go in the other order: who sees a cell finds its shares.
    """
    parts = sorted(_described(folder, name, table) for name in folder.parts(table))
    for _, alike in groupby(parts, key=lambda part: part.kind):
        for group in _groups(alike):
            ids = [value for name in group for value in _ids(folder, name)]
            new = part_name(ids)
            names = [name.removeprefix(f"{table}/") for name in group]
            for other in written:
                _merge(folder, other, names, new)
            for other in reversed(tuple(written)):
                for name in names:
                    if name != new:
                        folder.remove(f"{other}/{name}")


def _described(folder: Folder, name: str, table: str) -> _Part:
    part = _read(folder, name)
    metadata = dict(part.schema.metadata or {})
    metadata.pop(b"created", None)
    # Cells whose shares are gone stay apart: they are to be simulated again.
    shares = table == FAILURES or is_whole(folder, name.replace(CELLS, ATTRIBUTION, 1))
    kind = repr((sorted(metadata.items()), part.schema.remove_metadata().to_string(), shares))
    return _Part(kind, name, part.num_rows)


def _read(folder: Folder, name: str) -> pa.Table:
    """A file that is there. Raises UsageError, naming it, also if it is gone."""
    part = read_part(folder, name)
    if part is None:
        raise UsageError(f"{folder.uri(name)} is gone")
    return part


def _groups(parts: Iterable[_Part]) -> Iterator[list[str]]:
    """Names of parts that are to become one, two at least, of so many rows at most."""
    group: list[_Part] = []
    for part in (*parts, None):
        if part is None or sum(one.rows for one in group) + part.rows > CELLS_PER_FILE:
            if len(group) > 1:
                yield [one.name for one in group]
            group = []
        if part is not None:
            group.append(part)


def _ids(folder: Folder, name: str) -> list[str]:
    ids: list[str] = _read(folder, name)["cell_id"].to_pylist()
    return ids


def _merge(folder: Folder, table: str, names: Iterable[str], new: str) -> None:
    """Write the rows of the files `names` as `new`, each once; the last failure of each cell."""
    parts = (read_part(folder, f"{table}/{name}") for name in names)
    tables = [part for part in parts if part is not None]
    if tables:
        frame = pl.concat([_frame(one) for one in tables])
        if table == FAILURES:
            frame = frame.sort("failed_at", descending=True)
        once = frame.unique(KEYS[table], keep="first", maintain_order=True)
        folder.write(f"{table}/{new}", as_bytes(once.to_arrow().cast(tables[-1].schema)))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
