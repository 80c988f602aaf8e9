"""A run's folder on disk: what a sweep writes, and `scan`, which reads it.

- run.json: the spec and the provenance of the last session that wrote here
- cells/: the scanned folder; Parquet, about 100 cells a file
- attribution/: where the time of the cells of the file of the same name in cells/ went
- journal.jsonl: finished cells that are in no such file yet
- failures.json: cells that failed, with their tracebacks; absent if none did
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.engine.shares import Share
from sweep.errors import UsageError, nearest
from sweep.journal import Entry, Journal, read_entries, read_rows
from sweep.plan import ORDER
from sweep.provenance import Provenance
from sweep.schema import (
    ATTRIBUTION_SCHEMA,
    BEFORE_2,
    BEFORE_3,
    SCHEMA,
    SIMULATED,
    Row,
    share_rows,
)
from sweep.whole_file import whole_file

if TYPE_CHECKING:
    import polars as pl

RUNS = Path("results/runs")
"""Where runs land by default, from the working directory."""

ROWS_PER_FILE = 100

CELLS, ATTRIBUTION = "cells", "attribution"
JOURNAL, RUN, FAILURES = "journal.jsonl", "run.json", "failures.json"


class Store:
    """The run folder `out`, open for its one writer. A context manager.

    `about` becomes run.json; its entry `provenance` also the metadata of every file of cells, a key
    each, in JSON what is not text. Opening recovers the rows that a killed writer left in the
    journal, under that writer's provenance. Raises UsageError for a folder that cannot be written,
    is being written, or holds runs itself.
    """

    def __init__(self, out: Path, about: dict[str, Any]) -> None:
        self._out = out
        if not is_run(out) and (runs := run_names(out)):
            raise UsageError(f"{out} is a folder of runs; a run has its own, like {out / runs[0]}")
        try:
            for folder in (out / CELLS, out / ATTRIBUTION):
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise UsageError(f"cannot write to {folder}: Permission denied")
            self._journal = Journal(out / JOURNAL)
        except OSError as error:
            raise UsageError(f"cannot write to {out}: {error.strerror}") from None
        try:
            self._provenance: Provenance = (read_run(out) or about)["provenance"]
            self.flush()
            self._provenance = about["provenance"]
            self.write_json(RUN, about)
        except BaseException:
            self._journal.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, row: Row, attribution: Sequence[Share] = ()) -> None:
        """Keep a cell's row and shares, whatever becomes of this process.

        Raises InfrastructureError if it cannot.
        """
        self._journal.append(Entry(row, attribution))
        self._waiting += 1
        if self._waiting >= ROWS_PER_FILE:
            self.flush()

    def flush(self) -> None:
        """Move the journal's entries into two Parquet files, one of cells and one of their shares.

        The journal itself says which those are, so an interrupt anywhere in here or in `append`
        loses none. Raises InfrastructureError if the disk fails; they then stay there.
        """
        entries = read_entries(self._out / JOURNAL)
        if entries:
            entries.sort(key=lambda entry: [entry.row[column] for column in ORDER])
            rows = [entry.row for entry in entries]
            shares = [share for entry in entries for share in share_rows(*entry)]
            ids = "".join(sorted(row["cell_id"] for row in rows))
            name = hashlib.blake2b(ids.encode(), digest_size=8).hexdigest()
            metadata = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in self._provenance.items()
            }
            # The shares first: who sees a cell finds them.
            for folder, part, schema in (
                (ATTRIBUTION, shares, ATTRIBUTION_SCHEMA),
                (CELLS, rows, SCHEMA),
            ):
                table = pa.Table.from_pylist(part, schema=schema.with_metadata(metadata))
                with whole_file(self._out / folder / f"{name}.parquet", self._out) as temporary:
                    pq.write_table(table, temporary)
        self._journal.clear()
        self._waiting = 0

    def write_json(self, name: str, value: object) -> None:
        """Write `value` into the file `name` of the run folder."""
        with whole_file(self._out / name, self._out) as temporary:
            temporary.write_text(json.dumps(value, indent=1) + "\n")

    def remove(self, name: str) -> None:
        """Remove the file `name` of the run folder, if it is there."""
        (self._out / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Flush, and let others write here."""
        try:
            self.flush()
        finally:
            self._journal.close()


def is_run(path: Path) -> bool:
    """Whether `path` is a run folder."""
    return (path / CELLS).is_dir()


def run_names(folder: Path) -> list[str]:
    """Names of the runs in `folder`."""
    if not folder.is_dir():
        return []
    return sorted(child.name for child in folder.iterdir() if is_run(child))


def runs_at(path: Path) -> list[Path]:
    """The run folder `path`, or those in it. Raises UsageError if there is none."""
    runs = [path] if is_run(path) else [path / name for name in run_names(path)]
    if not runs:
        names = run_names(path.parent)
        known = nearest(path.name, names) if names else f"there is none in {path.parent}"
        raise UsageError(f"no such run: {path}: {known}")
    return runs


def read_run(out: Path) -> dict[str, Any]:
    """What the run.json of the folder `out` says; {} if there is none. Raises UsageError."""
    try:
        about: dict[str, Any] = json.loads((out / RUN).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {out / RUN}: {error}") from None
    return about


def finished(out: Path) -> set[str]:
    """Ids of the cells that the folder `out` has, in Parquet or journal; none if it is no run.

    Raises UsageError for a file among them that is no Parquet.
    """
    ids = {row["cell_id"] for row in read_rows(out / JOURNAL)} if is_run(out) else set()
    for path in _files(out):
        try:
            ids.update(pq.read_table(path, columns=["cell_id"])["cell_id"].to_pylist())
        except (pa.ArrowException, OSError, KeyError) as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"{path} holds no cells, move it away: {reason}") from None
    return ids


def scan(path: str | Path) -> pl.LazyFrame:
    """The cells of a run folder, or of all runs in a folder, with the columns of `SCHEMA`.

    One row for each `cell_id`, those in the journal included, in no particular order. Where a run
    was taken again after the model or a machine changed, only rows of its last session's model and
    machines are given, and all that was measured; the others are still in the files. Raises
    UsageError if there is no run.
    """
    import polars as pl

    return pl.concat([_scan_run(run) for run in runs_at(Path(path))]).unique(
        "cell_id", keep="first", maintain_order=True
    )


def _scan_run(run: Path) -> pl.LazyFrame:
    import polars as pl

    schema = pl.DataFrame(SCHEMA.empty_table()).schema
    # The journal first: rows may move to a file meanwhile; seen twice is better than never.
    frame = pl.LazyFrame(read_rows(run / JOURNAL), schema=schema)
    if files := _files(run):
        cells = pl.scan_parquet(
            files, schema=schema, missing_columns="insert", extra_columns="ignore"
        )
        before = {**BEFORE_2, **BEFORE_3}
        added = [pl.col(column).fill_null(value) for column, value in before.items()]
        frame = pl.concat([cells.with_columns(added), frame])
    if about := read_run(run):
        current = about["provenance"]
        measured = pl.col("source") != SIMULATED
        frame = frame.filter(measured | (pl.col("model_version") == current["model_version"]))
        for name, digest in current["machines"].items():
            same = (pl.col("machine") != name) | (pl.col("machine_digest") == digest)
            frame = frame.filter(measured | same)
    return frame


def _files(run: Path) -> list[Path]:
    return sorted((run / CELLS).glob("*.parquet"))
