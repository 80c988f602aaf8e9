"""Where runs are kept: a place from what a user calls it."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import UsageError, nearest
from sweep.store.folder import Folder, Location
from sweep.store.local_folder import LocalFolder

SCHEMES = ("s3", "gs")
"""Object stores that a URI may name."""


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
    from sweep.store.object_folder import ObjectFolder  # obstore: not for every command

    return ObjectFolder(where)


def run_name(location: Location) -> str:
    """What the run at `location` is called: the last part of its path."""
    return Path(str(location)).name
