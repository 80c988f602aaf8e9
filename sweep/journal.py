"""The rows of a run that are in no Parquet file yet, one JSON line each."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from sweep.errors import InfrastructureError, UsageError
from sweep.schema import SCHEMA, SCHEMA_VERSION, Row

_COLUMNS = set(SCHEMA.names)


def read_rows(path: Path) -> list[Row]:
    """The rows in the journal at `path`, one for each cell; none if there is no such file.

    A line that its writer did not finish, or that has the columns of another version, is left out:
    its cell will be simulated again.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    rows: dict[str, Row] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if (
            isinstance(row, dict)
            and row.keys() == _COLUMNS
            and row["schema_version"] == SCHEMA_VERSION
        ):
            rows[row["cell_id"]] = row
    return list(rows.values())


class Journal:
    """The journal at `path`, open for its one writer.

    A row outlives its writer as soon as `append` returns (the kernel has it; a power failure may
    take what is not yet in Parquet). The lock is the kernel's too, so it ends with its writer.
    Raises OSError if the file cannot be written, UsageError if another process writes to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise UsageError(f"another process is writing to {path.parent}") from None
        except OSError:
            os.close(self._fd)
            raise

    def append(self, row: Row) -> None:
        """Add a row. Raises InfrastructureError if it could not be written whole."""
        line = json.dumps(row).encode() + b"\n"
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise InfrastructureError(f"cannot write {self._path}: {error.strerror}") from error
        if written < len(line):
            raise InfrastructureError(f"cannot write {self._path}: no room")

    def clear(self) -> None:
        """Forget all rows."""
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Give up the lock; what is in the journal stays."""
        os.close(self._fd)
