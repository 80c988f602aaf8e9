"""What a run's folder can do, wherever it is, and the names of what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

Location = Path | str
"""A folder's path, or the URI of a prefix in an object store."""

CELLS, ATTRIBUTION, FAILURES = TABLES = ("cells", "attribution", "failures")
JOURNAL, RUN = "journal.jsonl", "run.json"


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

    def hold(self) -> None:
        """Keep it open and be its one writer until `release`. Raises UsageError if there is one."""

    def release(self) -> None:
        """Let others write."""

    @property
    def descriptor(self) -> int | None:
        """The open folder while it is held, if it is one of this machine's."""

    def refuse_vanished(self) -> None:
        """Raises InfrastructureError if it is held and is no longer where it was."""

    def is_run(self) -> bool:
        """Whether a run is kept here."""

    def read(self, name: str) -> bytes | None:
        """What the file has; None if there is none."""

    def ending(self, name: str, size: int) -> bytes | None:
        """The last bytes of the file; None if there is none."""

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
