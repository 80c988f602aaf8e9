"""The finished cells of a run that are in no Parquet file yet, one JSON line each."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.engine.shares import Share
from sweep.errors import InfrastructureError, UsageError
from sweep.schema import SCHEMA, SCHEMA_VERSION, Row

_COLUMNS = set(SCHEMA.names)


class Entry(NamedTuple):
    """What is kept of a finished cell: its row, and where its CPUs' time went."""

    row: Row
    attribution: Sequence[Share]


def read_rows(path: Path) -> list[Row]:
    """The rows of `read_entries`."""
    return [entry.row for entry in read_entries(path)]


def read_entries(path: Path) -> list[Entry]:
    """The entries of the journal at `path`, one for each cell; none if there is no such file.

    A line that its writer did not finish, or that has the columns of another version, is left out:
    its cell will be simulated again.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    entries: dict[str, Entry] = {}
    for line in lines:
        try:
            parts = json.loads(line)
            row = dict(parts["row"])
            shares = tuple(Share(*share) for share in parts["attribution"])
        except (ValueError, TypeError, KeyError):
            continue
        if row.keys() == _COLUMNS and row["schema_version"] == SCHEMA_VERSION:
            entries[row["cell_id"]] = Entry(row, shares)
    return list(entries.values())


class Journal:
    """The journal at `path`, open for its one writer.

    An entry outlives its writer as soon as `append` returns (the kernel has it; a power failure may
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

    def append(self, entry: Entry) -> None:
        """Add an entry. Raises InfrastructureError if it could not be written whole."""
        line = json.dumps(entry._asdict()).encode() + b"\n"
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise InfrastructureError(f"cannot write {self._path}: {error.strerror}") from error
        if written < len(line):
            raise InfrastructureError(f"cannot write {self._path}: no room")

    def clear(self) -> None:
        """Forget all entries."""
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Give up the lock; what is in the journal stays."""
        os.close(self._fd)
