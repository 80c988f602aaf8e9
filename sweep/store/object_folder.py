"""Runs in an object store: S3 or Google Cloud Storage, through obstore."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from sweep.errors import InfrastructureError, SweepError, UsageError
from sweep.store.folder import CELLS, RUN

FLUSH_SECONDS = 60.0
"""How long finished cells may be on this machine only: what losing it costs."""

_METADATA = "169.254.169.254"
"""Where a store asks for credentials that the environment does not have: the cloud's own host."""


class ObjectFolder:
    """The prefix that `uri` names; a file is put whole, in one request.

    Credentials, region and endpoint are the environment's (`AWS_*`, `GOOGLE_*`), which polars reads
    too. There is no lock between machines: parts have names of their own content, so two writers at
    worst put a cell twice. Raises UsageError for a URI that names no store.
    """

    flush_seconds = FLUSH_SECONDS
    descriptor = None

    def __init__(self, uri: str) -> None:
        self.location = uri
        try:
            self._store = from_url(uri)
        except (BaseError, ValueError) as error:
            raise UsageError(f"cannot use {uri}: {_reason(error)}") from None
        digest = hashlib.blake2b(uri.encode(), digest_size=8).hexdigest()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.journal = cache / "uprobe-sweep" / f"{uri.rpartition('/')[2]}-{digest}.jsonl"

    def prepare(self) -> None:
        """Make room for the journal, and see whether the bucket is there. Raises UsageError."""
        try:
            self.journal.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot write to {self.journal.parent}: {error.strerror}"
            raise UsageError(message) from None
        self.is_run()

    def hold(self) -> None:
        """Nothing: one writer on this machine is what the journal's lock sees to."""

    def release(self) -> None:
        """Nothing."""

    def refuse_vanished(self) -> None:
        """Nothing: a prefix does not move, and what is put makes its bucket's absence known."""

    def is_run(self) -> bool:
        """Whether there is a run.json, or any cell."""
        return self.read(RUN) is not None or bool(self.parts(CELLS))

    def read(self, name: str) -> bytes | None:
        """See Folder."""
        try:
            return bytes(self._store.get(name).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self._failure("read", name, error) from None

    def ending(self, name: str, size: int) -> bytes | None:
        """See Folder."""
        try:
            whole = self._store.head(name)["size"]
            return bytes(self._store.get_range(name, start=max(0, whole - size), end=whole))
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self._failure("read", name, error) from None

    def write(self, name: str, content: bytes) -> None:
        """See Folder."""
        try:
            self._store.put(name, content, use_multipart=False)
        except BaseError as error:
            raise self._failure("write", name, error) from None

    def remove(self, name: str) -> None:
        """See Folder."""
        try:
            self._store.delete(name)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise self._failure("remove", name, error) from None

    def tidy(self) -> None:
        """Nothing: what was not put whole is not there."""

    def parts(self, table: str) -> list[str]:
        """See Folder."""
        try:
            found = [one["path"] for page in self._store.list(f"{table}/") for one in page]
        except BaseError as error:
            raise self._failure("list", table, error) from None
        return sorted(path for path in found if path.endswith(".parquet"))

    def folders(self) -> list[str]:
        """See Folder."""
        try:
            return sorted(self._store.list_with_delimiter()["common_prefixes"])
        except BaseError as error:
            raise self._failure("list", "", error) from None

    def within(self, name: str) -> ObjectFolder:
        """See Folder."""
        return ObjectFolder(self.uri(name))

    def uri(self, name: str) -> str:
        """See Folder."""
        return f"{self.location}/{name}"

    def _failure(self, doing: str, name: str, error: BaseError) -> SweepError:
        reason = _reason(error)
        asked = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        asked |= "NoSuchBucket" in reason or reason.startswith("no credentials")
        kind = UsageError if asked else InfrastructureError
        return kind(f"cannot {doing} {self.uri(name)}: {reason}")


def _reason(error: Exception) -> str:
    """What a store says is wrong, without the answer's XML and what is for debugging."""
    text = str(error).partition("\n\nDebug source")[0]
    if _METADATA in text:
        return "no credentials in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    head, xml, rest = text.partition("<?xml")
    code = rest.partition("<Code>")[2].partition("</Code>")[0] if xml else ""
    return f"{head.strip().removesuffix(':')}{': ' if code else ''}{code}"
