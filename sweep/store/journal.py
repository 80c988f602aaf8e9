"""The outcomes of a run that are in no Parquet file yet, one JSON line each."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from core.outcome import Share
from sweep.errors import InfrastructureError, UsageError
from sweep.store.checked import odd
from sweep.store.failures import FAILURE_COLUMNS, FAILURE_VERSION
from sweep.store.schema import COLUMNS, SCHEMA_VERSION, Column, Row

_ID = re.compile("[0-9a-f]{16}")
_LOG = logging.getLogger(__name__)


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

    A line that its writer did not finish, or that is of another version of the columns, is left
    out: its cell will be simulated again. So is any other line that is no entry, or has another
    rate of a cell than one before it, which goes too, with a warning that names it.
    """
    try:
        return _contents(path.read_bytes(), path)
    except FileNotFoundError:
        return Contents([], [])


def _contents(text: bytes, path: Path) -> Contents:
    entries: dict[str, Entry] = {}
    failures: dict[str, Row] = {}
    *whole, _ = text.split(b"\n")
    for number, line in enumerate(whole, start=1):
        try:
            parts = json.loads(line, parse_constant=_no_constant)
            if "failure" in parts:
                failure = _row(parts["failure"], _FAILURE_COLUMNS, FAILURE_VERSION)
                failures[failure["cell_id"]] = failure
            else:
                row = _row(parts["row"], _COLUMNS, SCHEMA_VERSION)
                shares = tuple(_share(share) for share in parts["attribution"])
                known = entries.pop(row["cell_id"], None)
                if known is not None and known.row["hits_per_s"] != row["hits_per_s"]:
                    raise ValueError
                entries[row["cell_id"]] = Entry(row, shares)
        except _EarlierError:
            continue
        except (ValueError, TypeError, KeyError, RecursionError):
            _name_odd(f"{path}:{number}")
    return Contents(list(entries.values()), list(failures.values()))


@cache
def _name_odd(place: str) -> None:
    _LOG.warning("left out: %s is no entry of a journal; its cell is simulated again", place)


class _EarlierError(Exception):
    """A line of another version of the columns."""


def _row(found: Any, columns: Mapping[str, frozenset[type]], version: int) -> Row:
    """A row of these columns, by the types that each may have.

    Raises _EarlierError, or ValueError, TypeError or KeyError for what is no row.
    """
    row = dict(found)
    if type(row["schema_version"]) is int and row["schema_version"] != version:
        raise _EarlierError
    if row.keys() != columns.keys():
        raise ValueError
    types = map(type, map(row.__getitem__, columns))
    if not all(map(frozenset.__contains__, columns.values(), types)):
        raise ValueError
    if any(isinstance(value, int | float) and not 0 <= value < 2**63 for value in row.values()):
        raise ValueError
    if not _ID.fullmatch(row["cell_id"]):
        raise ValueError
    if odd({name: (value,) for name, value in row.items()}):
        raise ValueError
    return row


def _no_constant(text: str) -> None:
    """NaN and the infinities, which are no JSON and no figures."""
    raise ValueError(text)


def _types(column: Column) -> frozenset[type]:
    """Of the values that a column may have in JSON."""
    kinds: set[type] = {str}
    if pa.types.is_boolean(column.type):
        kinds = {bool}
    elif pa.types.is_integer(column.type):
        kinds = {int}
    elif pa.types.is_floating(column.type):
        kinds = {int, float}
    return frozenset(kinds | ({type(None)} if column.nullable else set()))


_COLUMNS = {column.name: _types(column) for column in COLUMNS}
_FAILURE_COLUMNS = {column.name: _types(column) for column in FAILURE_COLUMNS}


def _share(found: Any) -> Share:
    share = Share(*found)
    if not isinstance(share.ps, int) or not all(isinstance(text, str) for text in share[:-1]):
        raise TypeError
    return share


class Journal:
    """The journal at `path`, open for its one writer; `of` is the run's name in messages.

    A line outlives its writer as soon as it is appended (the kernel has it; a power failure may
    take what is not yet in Parquet). It is read and written by the file that is open, in the folder
    `dir_fd` if that is held, whatever becomes of its name. The lock is the kernel's, so it ends
    with its writer. Raises OSError if the file cannot be written, UsageError if another process
    writes to it.
    """

    def __init__(self, path: Path, of: object, dir_fd: int | None = None) -> None:
        self._path, self._dir_fd = path, dir_fd
        self._at = path if dir_fd is None else Path(path.name)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._fd = os.open(self._at, flags, 0o666, dir_fd=dir_fd)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise UsageError(f"another process is writing to {of}") from None
        except OSError:
            os.close(self._fd)
            raise

    def read(self) -> Contents:
        """What it has, see `read_journal`."""
        size = os.fstat(self._fd).st_size
        return _contents(os.pread(self._fd, size, 0) if size else b"", self._path)

    def append(self, entry: Entry) -> None:
        """Add a finished cell. Raises InfrastructureError if it could not be written whole."""
        self._write(entry._asdict())

    def append_failure(self, failure: Row) -> None:
        """Add a cell that failed. Raises InfrastructureError if it could not be written whole."""
        self._write({"failure": failure})

    def refuse_vanished(self) -> None:
        """Raises InfrastructureError if its name leads nowhere, or to another file."""
        try:
            there = os.stat(self._at, dir_fd=self._dir_fd)
        except OSError:
            there = None
        if there is None or there.st_ino != os.fstat(self._fd).st_ino:
            raise InfrastructureError(f"{self._path} is gone: it was removed while it was written")

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
