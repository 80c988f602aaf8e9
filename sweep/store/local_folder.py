"""Runs in a folder on disk."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

from sweep.errors import InfrastructureError, UsageError
from sweep.store.folder import CELLS, JOURNAL, TABLES
from sweep.store.whole_file import whole_file

_DISK_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class LocalFolder:
    """The folder at `path`; a file is written beside its place, synced and renamed."""

    flush_seconds = math.inf

    def __init__(self, path: Path) -> None:
        self.location = path
        self.journal = path / JOURNAL

    def prepare(self) -> None:
        """Make the folders of all tables. Raises UsageError."""
        try:
            for table in TABLES:
                (self.location / table).mkdir(parents=True, exist_ok=True)
                if not os.access(self.location / table, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, "Permission denied")
        except OSError as error:
            kind = InfrastructureError if error.errno in _DISK_FAILS else UsageError
            raise kind(f"cannot write to {self.location}: {error.strerror}") from None

    def is_run(self) -> bool:
        """Whether there is a folder of cells."""
        return (self.location / CELLS).is_dir()

    def read(self, name: str) -> bytes | None:
        """See Folder; raises UsageError for what cannot be read."""
        try:
            return (self.location / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UsageError(f"cannot read {self.uri(name)}: {error.strerror}") from None

    def write(self, name: str, content: bytes) -> None:
        """See Folder."""
        with whole_file(self.location / name, self.location) as temporary:
            temporary.write_bytes(content)

    def remove(self, name: str) -> None:
        """See Folder."""
        (self.location / name).unlink(missing_ok=True)

    def tidy(self) -> None:
        """See Folder."""
        for left in self.location.glob(".*.tmp"):
            left.unlink()

    def parts(self, table: str) -> list[str]:
        """See Folder."""
        return sorted(f"{table}/{path.name}" for path in (self.location / table).glob("*.parquet"))

    def folders(self) -> list[str]:
        """See Folder."""
        if not self.location.is_dir():
            return []
        return sorted(child.name for child in self.location.iterdir() if child.is_dir())

    def within(self, name: str) -> LocalFolder:
        """See Folder."""
        return LocalFolder(self.location / name)

    def uri(self, name: str) -> str:
        """See Folder."""
        return str(self.location / name)
