"""Where runs are kept: a place from what a user calls it."""

from __future__ import annotations

import re
from pathlib import Path

from sweep.errors import UsageError, nearest, quoted
from sweep.store.folder import Folder, Location
from sweep.store.local_folder import LocalFolder

SCHEMES = ("s3", "gs")
"""Object stores that a URI may name."""


_ODD = re.compile(r"[^A-Za-z0-9._=+@~:,-]")
"""What a URI of a run does not have: a store, polars and a browser would each make something else
of "#", "?", "%20" or "[1]"."""


def located(text: str) -> Location:
    """The one place that a user's `text` names, to be written and to be read.

    A path is taken letter by letter; a URI stays as it is. Raises UsageError for an object store
    that is none of SCHEMES, for no name, and for a URI that libraries do not read alike.
    """
    scheme, is_uri, rest = text.partition("://")
    if not is_uri:
        if not text or "\0" in text:
            raise UsageError(f"{quoted(text)} names no folder")
        return Path(text)
    if scheme not in SCHEMES:
        raise UsageError(f"{text}: no such object store: {nearest(scheme, SCHEMES)}")
    if not rest.strip("/"):
        raise UsageError(f"{text}: a bucket is missing, as in {scheme}://bucket/runs/letter")
    parts = rest.rstrip("/").split("/")
    odd = [character for part in parts for character in _ODD.findall(part)]
    odd += [part or "//" for part in parts if part in {"", ".", ".."}]
    if odd:
        raise UsageError(
            f"{text}: {quoted(odd[0])} cannot be in the URI of a run: allowed are letters, digits "
            "and . _ - = + @ ~ : , between single slashes"
        )
    return f"{scheme}://{'/'.join(parts)}"


def parents(location: Location) -> list[Location]:
    """The folders that `location` is in, the nearest first."""
    if isinstance(location, Path):
        return list(location.resolve().parents)
    scheme, _, rest = location.partition("://")
    parts = rest.split("/")
    return [f"{scheme}://{'/'.join(parts[:n])}" for n in range(len(parts) - 1, 0, -1)]


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
