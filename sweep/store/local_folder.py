"""Runs in a folder on disk."""

from __future__ import annotations

import errno
import fcntl
import math
import os
from pathlib import Path

from sweep.errors import InfrastructureError, UsageError
from sweep.store.folder import CELLS, JOURNAL, TABLES
from sweep.store.whole_file import read_all, remove, write_whole

_DISK_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP)
"""How file systems say that a folder cannot be locked, as NFS does: the journal's lock is left."""


class LocalFolder:
    """The folder at `path`; a file is written beside its place, synced and renamed.

    A folder that is held is open: it is written and read wherever it has been moved to since.
    """

    flush_seconds = math.inf

    def __init__(self, path: Path) -> None:
        self.location = path
        self.journal = path / JOURNAL
        self.descriptor: int | None = None

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

    def hold(self) -> None:
        """See Folder; the kernel's lock is on the folder itself."""
        fd = os.open(self.location, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise UsageError(f"another process is writing to {self.location}") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(fd)
                raise
        self.descriptor = fd

    def release(self) -> None:
        """See Folder."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None

    def refuse_vanished(self) -> None:
        """See Folder."""
        if self.descriptor is None:
            return
        held = os.fstat(self.descriptor)
        try:
            there = os.stat(self.location)
        except OSError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
            raise InfrastructureError(
                f"{self.location} is gone: it was moved or removed while it was written to; "
                "what is finished went with it"
            )

    def is_run(self) -> bool:
        """Whether there is a folder of cells."""
        return (self.location / CELLS).is_dir()

    def read(self, name: str) -> bytes | None:
        """See Folder; raises UsageError for what cannot be read."""
        try:
            return read_all(self._at(name), self.descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UsageError(f"cannot read {self.uri(name)}: {error.strerror}") from None

    def ending(self, name: str, size: int) -> bytes | None:
        """See Folder."""
        try:
            return read_all(self._at(name), self.descriptor, size)
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """See Folder."""
        try:
            write_whole(self._at(name), content, self._at("."), self.descriptor)
        except InfrastructureError as error:
            # Rather than that a folder inside is not there.
            self.refuse_vanished()
            raise InfrastructureError(f"{self.location}: {error}") from error

    def remove(self, name: str) -> None:
        """See Folder."""
        remove(self._at(name), self.descriptor)

    def tidy(self) -> None:
        """See Folder."""
        for left in self.location.glob(".*.tmp"):
            left.unlink()

    def parts(self, table: str) -> list[str]:
        """See Folder."""
        found = (self.location / table).glob("*.parquet")
        # Hidden files are no parts: macOS keeps "._x.parquet" beside x.parquet on other disks.
        return sorted(f"{table}/{path.name}" for path in found if not path.name.startswith("."))

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

    def _at(self, name: str) -> Path:
        """The file's path: from the folder if that is held."""
        return Path(name) if self.descriptor is not None else self.location / name
