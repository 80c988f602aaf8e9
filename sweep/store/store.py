"""What a sweep writes: a run's folder, open for its one writer.

- run.json: the spec and the provenance of the last session that wrote here
- cells/: the scanned folder; Parquet, about 100 cells a file
- attribution/: where the time of the cells of the file of the same name in cells/ went
- failures/: cells that failed, with their tracebacks
- journal.jsonl: outcomes that are in no such file yet; of a run in an object store, on this machine
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.outcome import Share
from sweep.errors import InfrastructureError, UsageError
from sweep.spec.axes import ORDER
from sweep.store.failures import FAILURE_SCHEMA
from sweep.store.folder import ATTRIBUTION, CELLS, FAILURES, RUN, Folder, Location
from sweep.store.journal import Entry, Journal
from sweep.store.parts import is_whole
from sweep.store.place import folder_at, parents
from sweep.store.provenance import Provenance
from sweep.store.scan import about_or_none, run_names
from sweep.store.schema import ATTRIBUTION_SCHEMA, SCHEMA, Row, share_rows

_LOG = logging.getLogger(__name__)

ROWS_PER_FILE = 100


class Store:
    """The run folder at `out`, open for its one writer. A context manager.

    `about` becomes run.json; its entry `provenance` also the metadata of every Parquet file, a key
    each, in JSON what is not text. Opening recovers what a killed writer left in the journal, under
    that writer's provenance, and removes its half-written files. Raises UsageError for a folder
    that cannot be written, is being written, holds runs itself or is inside one;
    InfrastructureError if the disk or the object store fails.
    """

    def __init__(self, out: Location, about: dict[str, Any]) -> None:
        self._folder = folder = folder_at(out)
        if not folder.is_run() and (runs := run_names(out)):
            inside = folder.uri(runs[0])
            raise UsageError(f"{out} is a folder of runs; a run has its own, like {inside}")
        if not folder.is_run():
            _refuse_inside_a_run(out)
        folder.prepare()
        folder.hold()
        try:
            try:
                self._journal = Journal(folder.journal, out, folder.descriptor)
            except OSError as error:
                message = f"cannot write to {folder.journal}: {error.strerror}"
                raise UsageError(message) from None
            try:
                folder.tidy()
                self._put_aside()
                self._provenance: Provenance = (about_or_none(folder) or about)["provenance"]
                self.flush()
                self._provenance = about["provenance"]
                folder.write(RUN, (json.dumps(about, indent=1) + "\n").encode())
            except BaseException:
                self._journal.close()
                raise
        except BaseException:
            folder.release()
            raise

    def _put_aside(self) -> None:
        """Shares that were cut short are no part any more: their cells are simulated again."""
        for name in self._folder.parts(ATTRIBUTION):
            if not is_whole(self._folder, name):
                content = self._folder.read(name) or b""
                self._folder.write(f"{name}.damaged", content)
                self._folder.remove(name)
                where = self._folder.uri(name)
                _LOG.warning("left out: %s was cut short; it is kept as %s.damaged", where, where)

    @property
    def folder(self) -> Folder:
        """The folder, held."""
        return self._folder

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except InfrastructureError:
            # What it was closed for says more, and the journal has it all.
            if error is None:
                raise

    def append(self, row: Row, attribution: Sequence[Share] = ()) -> None:
        """Keep a cell's row and shares, whatever becomes of this process.

        Raises InfrastructureError if it cannot, or if the folder or its journal was moved or
        removed meanwhile: what was appended then is where the folder is.
        """
        self._journal.append(Entry(row, attribution))
        self._appended()

    def append_failure(self, failure: Row) -> None:
        """Keep the row of a cell that failed. Raises as `append` does."""
        self._journal.append_failure(failure)
        self._appended()

    def flush(self) -> None:
        """Move what the journal has into Parquet files: cells, their shares, and failures.

        The journal itself says which those are, so an interrupt anywhere in here or in `append`
        loses none. Raises InfrastructureError if the disk fails; they then stay there.
        """
        entries, failures = self._journal.read()
        entries.sort(key=lambda entry: [entry.row[column] for column in ORDER])
        rows = [entry.row for entry in entries]
        shares = (share for entry in entries for share in share_rows(*entry))
        # The shares first: who sees a cell finds them.
        self._write_part(ATTRIBUTION, rows, shares, ATTRIBUTION_SCHEMA)
        self._write_part(CELLS, rows, rows, SCHEMA)
        self._write_part(FAILURES, failures, failures, FAILURE_SCHEMA)
        self._journal.clear()
        self._waiting, self._flushed = 0, time.monotonic()

    def close(self) -> None:
        """Flush, and let others write here. Raises InfrastructureError as `flush` and `append`."""
        try:
            self.flush()
            self._folder.refuse_vanished()
        finally:
            self._journal.close()
            self._folder.release()

    def _appended(self) -> None:
        # What was appended is in the files that are open: `close` brings it to where they are.
        self._folder.refuse_vanished()
        self._journal.refuse_vanished()
        self._waiting += 1
        late = time.monotonic() - self._flushed > self._folder.flush_seconds
        if self._waiting >= ROWS_PER_FILE or late:
            self.flush()

    def _write_part(
        self, table: str, cells: Sequence[Row], rows: Iterable[Row], schema: pa.Schema
    ) -> None:
        """Write `rows`, which are of `cells`, as a file that is named after those; none for none.

        The same cells have the same name, so that what is written twice is there once.
        """
        if cells:
            name = part_name(row["cell_id"] for row in cells)
            metadata = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in self._provenance.items()
            }
            made = pa.Table.from_pylist(list(rows), schema=schema.with_metadata(metadata))
            self._folder.write(f"{table}/{name}", as_bytes(made))


def _refuse_inside_a_run(out: Location) -> None:
    for above in parents(out):
        folder = folder_at(above)
        if folder.read(RUN) is not None and folder.is_run():
            raise UsageError(f"{out} is inside the run {above}; a run has a folder of its own")


def part_name(ids: Iterable[str]) -> str:
    """The name of the file that has the rows of the cells `ids`."""
    text = "".join(sorted(set(ids)))
    return f"{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.parquet"


def as_bytes(table: pa.Table) -> bytes:
    """The bytes of a Parquet file of `table`."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    content: bytes = buffer.getvalue().to_pybytes()
    return content
