"""The outcomes of a run that are in no Parquet file yet, one JSON line each."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.outcome import Share
from sweep.errors import InfrastructureError, UsageError
from sweep.store.failures import FAILURE_SCHEMA, FAILURE_VERSION
from sweep.store.schema import SCHEMA, SCHEMA_VERSION, Row

_COLUMNS, _FAILURE_COLUMNS = set(SCHEMA.names), set(FAILURE_SCHEMA.names)


class Entry(NamedTuple):
    """What is kept of a finished cell: its row, and where its CPUs' time went."""

    row: Row
    attribution: Sequence[Share]


class Contents(NamedTuple):
    """What a journal has: an entry for each finished cell, a row for each that failed."""

    entries: list[Entry]
    failures: list[Row]


def read_rows(path: Path) -> list[Row]:
    """The rows of finished cells in the journal at `path`."""
    return [entry.row for entry in read_journal(path).entries]


def read_journal(path: Path) -> Contents:
    """What the journal at `path` has, the last word on each cell; nothing if there is none.

    A line that its writer did not finish, or that has the columns of another version, is left out:
    its cell will be simulated again.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Contents([], [])
    entries: dict[str, Entry] = {}
    failures: dict[str, Row] = {}
    for line in lines:
        try:
            parts = json.loads(line)
            if "failure" in parts:
                failure = dict(parts["failure"])
                if _is_whole(failure, _FAILURE_COLUMNS, FAILURE_VERSION):
                    failures[failure["cell_id"]] = failure
                continue
            row = dict(parts["row"])
            shares = tuple(Share(*share) for share in parts["attribution"])
        except (ValueError, TypeError, KeyError):
            continue
        if _is_whole(row, _COLUMNS, SCHEMA_VERSION):
            entries[row["cell_id"]] = Entry(row, shares)
    return Contents(list(entries.values()), list(failures.values()))


def _is_whole(row: Row, columns: set[str], version: int) -> bool:
    return row.keys() == columns and row["schema_version"] == version


class Journal:
    """The journal at `path`, open for its one writer; `of` is the run's name in messages.

    A line outlives its writer as soon as it is appended (the kernel has it; a power failure may
    take what is not yet in Parquet). The lock is the kernel's too, so it ends with its writer.
    Raises OSError if the file cannot be written, UsageError if another process writes to it.
    """

    def __init__(self, path: Path, of: object) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise UsageError(f"another process is writing to {of}") from None
        except OSError:
            os.close(self._fd)
            raise

    def append(self, entry: Entry) -> None:
        """Add a finished cell. Raises InfrastructureError if it could not be written whole."""
        self._write(entry._asdict())

    def append_failure(self, failure: Row) -> None:
        """Add a cell that failed. Raises InfrastructureError if it could not be written whole."""
        self._write({"failure": failure})

    def clear(self) -> None:
        """Forget everything."""
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Give up the lock; what is in the journal stays."""
        os.close(self._fd)

    def _write(self, line: object) -> None:
        data = json.dumps(line).encode() + b"\n"
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            raise InfrastructureError(f"cannot write {self._path}: {error.strerror}") from error
        if written < len(data):
            raise InfrastructureError(f"cannot write {self._path}: no room")
