"""Where runs are kept: folders on disk, here, and prefixes of an object store."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Protocol

from sweep.errors import InfrastructureError, UsageError, nearest
from sweep.store.whole_file import whole_file

Location = Path | str
"""A folder's path, or the URI of a prefix in an object store."""

SCHEMES = ("s3", "gs")
"""Object stores that a URI may name."""

CELLS, ATTRIBUTION, FAILURES = TABLES = ("cells", "attribution", "failures")
JOURNAL, RUN = "journal.jsonl", "run.json"

_DISK_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Folder(Protocol):
    """Files that appear whole or not at all, by name: `cells/x.parquet` is in the folder `cells`.

    `journal` is a file on this machine; `flush_seconds` how long its entries may wait there. Every
    method raises InfrastructureError if what carries the folder fails.
    """

    @property
    def location(self) -> Location:
        """What the user calls it."""

    @property
    def journal(self) -> Path:
        """Where entries wait until they are in a Parquet file."""

    @property
    def flush_seconds(self) -> float:
        """After how many seconds they go there even if they are few."""

    def prepare(self) -> None:
        """Make it ready to be written. Raises UsageError if it cannot be."""

    def is_run(self) -> bool:
        """Whether a run is kept here."""

    def read(self, name: str) -> bytes | None:
        """What the file has; None if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Make the file have `content`: readers see all of it or what was there before."""

    def remove(self, name: str) -> None:
        """Remove the file, if it is there."""

    def tidy(self) -> None:
        """Remove what writers that were killed have left half written. For the one writer."""

    def parts(self, table: str) -> list[str]:
        """Names of the Parquet files in the folder `table`, sorted."""

    def folders(self) -> list[str]:
        """Names of the folders in this one, sorted."""

    def within(self, name: str) -> Folder:
        """The folder `name` in this one."""

    def uri(self, name: str) -> str:
        """The file as polars and pyarrow take it."""


def located(text: str) -> Location:
    """What a user's `text` names: a URI stays as it is. Raises UsageError for another scheme."""
    scheme, is_uri, rest = text.partition("://")
    if not is_uri:
        return Path(text)
    if scheme not in SCHEMES:
        raise UsageError(f"{text}: no such object store: {nearest(scheme, SCHEMES)}")
    if not rest.strip("/"):
        raise UsageError(f"{text}: a bucket is missing, as in {scheme}://bucket/runs/letter")
    return text.rstrip("/")


def folder_at(location: Location) -> Folder:
    """The folder at `location`. Raises UsageError for a URI that names none."""
    where = located(location) if isinstance(location, str) else location
    if isinstance(where, Path):
        return LocalFolder(where)
    from sweep.store.object_folder import ObjectFolder

    return ObjectFolder(where)


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
